//! What a person sees while a network trains; everything goes to stderr.
//!
//! On a terminal that is a bar under one line per epoch, elsewhere the lines alone.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressFinish, ProgressStyle};

use crate::run::log::LogRow;

/// Where progress goes.
#[derive(Debug)]
enum Target {
    Bar(ProgressBar),
    Lines,
    Nowhere,
}

/// The view of a run.
#[derive(Debug)]
pub struct Progress {
    target: Target,
    epochs: usize,
}

impl Progress {
    /// A bar where stderr is a terminal, else one line per epoch; `epochs` is the most there may be.
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
            target: Target::Nowhere,
            epochs: 0,
        }
    }

    /// An epoch begins or goes on, with so many `steps` done and in all; the epochs after it take
    /// `run_left`, if that is known.
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

    /// A step of the epoch is done; `figures` are those since the epoch began.
    pub fn stepped(&self, figures: String) {
        if let Target::Bar(bar) = &self.target {
            bar.set_message(figures);
            bar.inc(1);
        }
    }

    /// All steps of the epoch are done.
    pub fn validating(&self) {
        if let Target::Bar(bar) = &self.target {
            bar.set_message("validating");
        }
    }

    /// An epoch has ended, and its network is or is not the best so far.
    pub fn epoch_ended(&self, row: &impl LogRow, is_best: bool) {
        let line = format!(
            "epoch {:>width$}/{}  {}{}",
            row.epoch(),
            self.epochs,
            row.figures(),
            if is_best { "  best" } else { "" },
            width = self.epochs.to_string().len(),
        );
        self.note(&line);
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        match &self.target {
            Target::Bar(bar) => bar.println(line),
            // Nobody may be left to read it: a run goes on without its terminal.
            Target::Lines => drop(writeln!(stderr(), "{line}")),
            Target::Nowhere => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Target::Bar(bar) = &self.target {
            bar.finish_and_clear();
        }
    }
}

/// A bar over `count` things that are read, gone when it is dropped; hidden where stderr is no terminal.
pub fn reading(what: &str, count: usize) -> ProgressBar {
    let style = style("{prefix} {bar:24} {human_pos}/{human_len} {eta} left");
    let bar = ProgressBar::new(count as u64).with_style(style);
    bar.with_prefix(format!("reading {what}"))
        .with_finish(ProgressFinish::AndClear)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a template without unknown keys")
}
