//! Measurements as a table and as JSON.

use std::fmt;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::measure::Turns;

/// Times of both sides.
#[derive(Debug)]
pub(crate) struct Measurement {
    pub(crate) name: String,
    pub(crate) ours: Turns,
    pub(crate) peer: Turns,
    pub(crate) peer_name: String,
    pub(crate) unit: Unit,
    /// Our arithmetic rate as a share of the machine's peak.
    pub(crate) peak: Option<f64>,
}

impl Measurement {
    /// A measurement without a share of the peak.
    pub(crate) fn new(
        name: impl Into<String>,
        unit: Unit,
        [ours, peer]: [Turns; 2],
        peer_name: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            ours,
            peer,
            peer_name: peer_name.into(),
            unit,
            peak: None,
        }
    }
}

/// Unit in which times are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// For steps and frames.
    Milliseconds,
    /// For faces.
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
    /// `ours / peer`: below 1, ours is faster.
    ratio: f64,
    peer_name: &'a str,
    machine: &'a str,
}

/// All measurements of a run.
#[derive(Debug)]
pub(crate) struct BenchReport {
    machine: String,
    measurements: Vec<Measurement>,
}

impl BenchReport {
    pub(crate) fn new(threads: NonZeroUsize) -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.map_or(std::env::consts::ARCH, |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
        Self {
            machine: format!("{model}, threads: {threads}"),
            measurements: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, measurements: Vec<Measurement>) {
        self.measurements.extend(measurements);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.measurements.is_empty()
    }

    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.measurements.iter().map(|measurement| Record {
            name: &measurement.name,
            ours: measurement.unit.of(measurement.ours.median()),
            peer: measurement.unit.of(measurement.peer.median()),
            unit: measurement.unit.name(),
            ratio: measurement.ours.median() / measurement.peer.median(),
            peer_name: &measurement.peer_name,
            machine: &self.machine,
        })
    }

    /// Writes the list, whole or not at all.
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

impl fmt::Display for BenchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}; ratio = ours / peer; peak = our share of the arithmetic peak of one thread\n",
            self.machine
        )?;
        let names = self
            .measurements
            .iter()
            .map(|measurement| measurement.name.len());
        let width = names.max().unwrap_or(0);
        writeln!(
            f,
            "{:width$}  {:>18}  {:>18}  {:>5}  {:>4}  peer",
            "", "ours", "peer", "ratio", "peak"
        )?;
        for (record, measurement) in self.records().zip(&self.measurements) {
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
                side(record.ours, &measurement.ours),
                side(record.peer, &measurement.peer),
                record.ratio,
                measurement
                    .peak
                    .map_or(String::new(), |peak| format!("{:.0} %", 100.0 * peak)),
                record.peer_name,
            )?;
        }
        Ok(())
    }
}
