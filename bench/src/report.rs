//! The figures, as a table and as JSON.

use std::fmt;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::measure::Turns;

/// One comparison's outcome.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) ours: Turns,
    pub(crate) peer: Turns,
    pub(crate) peer_name: String,
    pub(crate) unit: Unit,
    /// Our share of what the machine's arithmetic can do at most.
    pub(crate) peak: Option<f64>,
}

/// What times are shown in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Of a step or a frame.
    Milliseconds,
    /// Of a face.
    Microseconds,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
        }
    }

    fn of(self, seconds: f64) -> f64 {
        match self {
            Self::Milliseconds => 1e3 * seconds,
            Self::Microseconds => 1e6 * seconds,
        }
    }
}

#[derive(Debug, Serialize)]
struct Record<'a> {
    name: &'a str,
    ours: f64,
    peer: f64,
    unit: &'static str,
    /// `ours / peer`: below 1 we are faster.
    ratio: f64,
    peer_name: &'a str,
    machine: &'a str,
}

/// All outcomes of a run.
#[derive(Debug)]
pub(crate) struct Report {
    machine: String,
    outcomes: Vec<Outcome>,
}

impl Report {
    pub(crate) fn new(threads: NonZeroUsize) -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.map_or(std::env::consts::ARCH, |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
        Self {
            machine: format!("{model}, threads: {threads}"),
            outcomes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, outcomes: Vec<Outcome>) {
        self.outcomes.extend(outcomes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.outcomes.iter().map(|outcome| Record {
            name: &outcome.name,
            ours: outcome.unit.of(outcome.ours.median()),
            peer: outcome.unit.of(outcome.peer.median()),
            unit: outcome.unit.name(),
            ratio: outcome.ours.median() / outcome.peer.median(),
            peer_name: &outcome.peer_name,
            machine: &self.machine,
        })
    }

    /// Writes the list whole or not at all.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let shown = path.display();
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let write = || -> Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &self.records().collect::<Vec<_>>())?;
            file.persist(path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {shown}"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}; ratio = ours / peer; peak = our share of the arithmetic that one thread can do\n",
            self.machine
        )?;
        let names = self.outcomes.iter().map(|outcome| outcome.name.len());
        let width = names.max().unwrap_or(0);
        writeln!(
            f,
            "{:width$}  {:>18}  {:>18}  {:>5}  {:>4}  peer",
            "", "ours", "peer", "ratio", "peak"
        )?;
        for (record, outcome) in self.records().zip(&self.outcomes) {
            let side = |value: f64, turns: &Turns| {
                format!(
                    "{value:.2} {} ± {:.0} %",
                    record.unit,
                    100.0 * turns.spread()
                )
            };
            writeln!(
                f,
                "{:width$}  {:>18}  {:>18}  {:>5.2}  {:>4}  {}",
                record.name,
                side(record.ours, &outcome.ours),
                side(record.peer, &outcome.peer),
                record.ratio,
                outcome
                    .peak
                    .map_or(String::new(), |peak| format!("{:.0} %", 100.0 * peak)),
                record.peer_name,
            )?;
        }
        Ok(())
    }
}
