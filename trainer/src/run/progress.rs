//! TrainingProgress of a training run on stderr: one line for each epoch, and a bar below on a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar};

use crate::progress_bar::style;
use crate::run::log::LogRow;

/// Where progress is shown.
#[derive(Debug)]
enum Target {
    Bar(ProgressBar),
    Lines,
    None,
}

/// The progress of a run.
#[derive(Debug)]
pub struct TrainingProgress {
    target: Target,
    epochs: usize,
}

impl TrainingProgress {
    /// TrainingProgress of at most `epochs` epochs.
    pub fn new(epochs: usize) -> Self {
        let target = if stderr().is_terminal() {
            Target::Bar(ProgressBar::new(0).with_style(style("")))
        } else {
            Target::Lines
        };
        Self { target, epochs }
    }

    /// Shows nothing.
    pub fn hidden() -> Self {
        Self {
            target: Target::None,
            epochs: 0,
        }
    }

    /// An epoch begins or continues, with the numbers of steps that are done and in total. The epochs after it take about
    /// `run_left`.
    pub fn epoch_begins(
        &self,
        epoch: usize,
        (done, steps): (usize, usize),
        run_left: Option<Duration>,
    ) {
        let Target::Bar(bar) = &self.target else {
            return;
        };
        let run_left = run_left.map(|left| format!(", then {} more", HumanDuration(left)));
        let line = "{prefix} {bar:24} step {pos}/{len} {msg} {eta} left";
        bar.reset();
        bar.set_length(steps as u64);
        bar.set_position(done as u64);
        bar.reset_eta();
        bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
        bar.set_style(style(&format!("{line}{}", run_left.unwrap_or_default())));
    }

    /// A step is done; `text` describes the epoch so far.
    pub fn stepped(&self, text: String) {
        if let Target::Bar(bar) = &self.target {
            bar.set_message(text);
            bar.inc(1);
        }
    }

    /// All steps of the epoch are done and validation begins.
    pub fn validating(&self) {
        if let Target::Bar(bar) = &self.target {
            bar.set_message("validating");
        }
    }

    /// An epoch has ended; `is_best` if its network is the best so far.
    pub fn epoch_ended(&self, row: &impl LogRow, is_best: bool) {
        let line = format!(
            "epoch {:>width$}/{}  {}{}",
            row.epoch(),
            self.epochs,
            row.summary(),
            if is_best { "  best" } else { "" },
            width = self.epochs.to_string().len(),
        );
        self.note(&line);
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        match &self.target {
            Target::Bar(bar) => bar.println(line),
            // A run continues after its terminal is closed.
            Target::Lines => drop(writeln!(stderr(), "{line}")),
            Target::None => {}
        }
    }
}

impl Drop for TrainingProgress {
    fn drop(&mut self) {
        if let Target::Bar(bar) = &self.target {
            bar.finish_and_clear();
        }
    }
}
