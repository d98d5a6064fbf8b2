//! What happens in a run: the events that are reported, and the outcome of each file and of the whole run.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::inputs::InputFile;

/// Something to report. The number of a file is its index among the inputs.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The tagging of a file begins.
    Started(usize, &'a InputFile),
    /// The tagging of a file got this far.
    Progress(usize, &'a InputFile, FileProgress),
    /// An element warns about a file.
    Warning(&'a InputFile, &'a str),
    /// A worker process, or a library in it, printed this line.
    Output(&'a str),
    /// The tagging of a file ended.
    Ended(usize, &'a InputFile, &'a FileOutcome),
    /// Files in folders that were left out because of their extension: number of files by extension.
    Ignored(&'a BTreeMap<String, usize>),
    /// This path cannot be tagged, for this reason.
    Rejected(&'a Path, &'a str),
    /// The run ended.
    Finished(RunTotals),
}

/// The files of an [`Event::Ignored`] in words.
pub(super) fn ignored_text(ignored: &BTreeMap<String, usize>) -> String {
    let mut counts: Vec<_> = ignored.iter().collect();
    counts.sort_by_key(|(extension, count)| (Reverse(**count), *extension));
    let named = counts.iter().map(|(extension, count)| match &***extension {
        "" => format!("{count} without one"),
        extension => format!("{count} .{extension}"),
    });
    let named: Vec<_> = named.collect();
    let all: usize = ignored.values().sum();
    let files = if all == 1 { "file" } else { "files" };
    format!(
        "{all} {files} not taken because of the extension: {}; name a file itself to have it tagged",
        named.join(", ")
    )
}

/// The position in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct FileProgress {
    /// Number of analysed frames.
    pub frames: u64,
    /// The stream time of the last of them in seconds.
    pub time: Option<f64>,
    /// The duration of the file in seconds, if it is known.
    pub duration: Option<f64>,
}

impl FileProgress {
    /// The fraction of the file that is done, 0 to 1.
    pub(super) fn share(&self) -> f64 {
        let share = |(time, duration): (f64, f64)| (time / duration.max(1e-9)).clamp(0.0, 1.0);
        self.time.zip(self.duration).map_or(0.0, share)
    }

    /// Seconds of video per second, after `elapsed`.
    pub(super) fn speed(&self, elapsed: Duration) -> Option<f64> {
        speed(self.time?, elapsed)
    }

    /// The estimated time left, after `elapsed`.
    pub(super) fn remaining(&self, elapsed: Duration) -> Option<Duration> {
        let share = self.share();
        (share > 0.01).then(|| elapsed.mul_f64((1.0 - share) / share))
    }
}

fn speed(seconds: f64, elapsed: Duration) -> Option<f64> {
    (!elapsed.is_zero()).then(|| seconds / elapsed.as_secs_f64())
}

/// The outcome of one file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileOutcome {
    /// The file is tagged.
    Tagged(FileStats),
    /// An earlier run tagged it.
    AlreadyTagged,
    /// It is tagged, but this is missing, with the reason; that counts as failed.
    Partial(String),
    /// It cannot be tagged.
    Failed(Failure),
    /// The user stopped the run.
    Stopped,
}

/// Why a file cannot be tagged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In words.
    pub reason: String,
    /// Whether another attempt may succeed, later or on another machine: the disk is full, a server does not answer, memory
    /// runs out, or the process was killed.
    pub is_temporary: bool,
}

impl Failure {
    /// A failure that stays, because of the file.
    pub fn lasting(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_temporary: false,
        }
    }
}

/// The counts of one tagged file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FileStats {
    /// Number of analysed frames.
    pub frames: u64,
    /// Number of different faces.
    pub persons: usize,
    /// Length of the video in seconds.
    pub duration: f64,
    /// How long the tagging took.
    pub elapsed: Duration,
}

impl fmt::Display for FileStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let Self {
            frames, persons, ..
        } = *self;
        write!(
            f,
            "{frames} frame{}, {persons} face{}, {:.1} s",
            plural(frames),
            plural(persons as u64),
            self.elapsed.as_secs_f64()
        )?;
        match speed(self.duration, self.elapsed) {
            Some(speed) if self.duration > 0.0 => write!(f, " ({speed:.1}×)"),
            _ => Ok(()),
        }
    }
}

/// The number of files by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTotals {
    /// Files that were tagged.
    pub tagged: usize,
    /// Files that an earlier run had tagged.
    pub already_tagged: usize,
    /// Files and paths that could not be tagged.
    pub failed: usize,
    /// Those of them that another attempt may tag.
    pub temporary: usize,
    /// Whether the user stopped the run.
    pub stopped: bool,
}

impl fmt::Display for RunTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tagged", self.tagged)?;
        if self.already_tagged > 0 {
            write!(f, ", {} tagged before", self.already_tagged)?;
        }
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.stopped {
            f.write_str("; stopped, the same command goes on")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
