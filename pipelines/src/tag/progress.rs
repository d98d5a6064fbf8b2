//! How far the work is: bars for people, lines of JSON for machines.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::inputs::InputFile;
use super::pipeline::FileProgress;

/// How often a machine hears of a file.
const JSON_STEP: Duration = Duration::from_secs(1);
/// Steps of a bar.
const STEPS: u64 = 1000;

/// How it went with a file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileOutcome {
    /// It is tagged now.
    Tagged(FileStats),
    /// It has been tagged before.
    AlreadyTagged,
    /// It cannot be tagged, for this reason.
    Failed(String),
    /// The user stopped it.
    Stopped,
}

/// What was found in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FileStats {
    /// Frames that were looked at.
    pub frames: u64,
    /// Different faces.
    pub persons: usize,
    /// Length of the video in seconds.
    pub duration: f64,
    /// Time that it took.
    pub took: Duration,
}

/// How often each outcome came about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTotals {
    /// Files that were tagged.
    pub tagged: usize,
    /// Files that had been tagged before.
    pub before: usize,
    /// What could not be tagged.
    pub failed: usize,
    /// Whether the user stopped it.
    pub stopped: bool,
}

impl std::fmt::Display for RunTotals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tagged", self.tagged)?;
        if self.before > 0 {
            write!(f, ", {} tagged before", self.before)?;
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

/// Tells how far the work is, from several threads.
pub struct TagProgress<'a> {
    out: Mutex<Out<'a>>,
}

enum Out<'a> {
    /// Bars at the terminal, else a line for each file that is done.
    People {
        bars: MultiProgress,
        all: ProgressBar,
        is_terminal: bool,
        running: BTreeMap<usize, Running>,
        done_bytes: u64,
    },
    Machines {
        out: &'a mut (dyn Write + Send),
        told: BTreeMap<usize, Instant>,
        started: BTreeMap<usize, Instant>,
    },
}

struct Running {
    bar: ProgressBar,
    size: u64,
    share: f64,
    started: Instant,
}

impl<'a> TagProgress<'a> {
    /// Bars at the terminal that standard error is, for files of `bytes` in all.
    pub fn for_people(bytes: u64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        let all = ProgressBar::new(bytes.max(1)).with_style(style(
            "{bar:24} {percent:>3} % of all files{msg}, {elapsed} so far, {eta} left",
        ));
        let all = bars.add(all);
        Self {
            out: Mutex::new(Out::People {
                bars,
                all,
                is_terminal,
                running: BTreeMap::new(),
                done_bytes: 0,
            }),
        }
    }

    /// A line of JSON on `out` for everything that happens.
    pub fn for_machines(out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            out: Mutex::new(Out::Machines {
                out,
                told: BTreeMap::new(),
                started: BTreeMap::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Out<'a>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work on a file begins.
    pub fn started(&self, number: usize, input: &InputFile) {
        match &mut *self.lock() {
            Out::People {
                bars, all, running, ..
            } => {
                let bar =
                    ProgressBar::new(STEPS).with_style(style("{bar:24} {percent:>3} % {wide_msg}"));
                let bar = bars.insert_before(all, bar);
                bar.set_message(shown(&input.path));
                running.insert(
                    number,
                    Running {
                        bar,
                        size: input.size,
                        share: 0.0,
                        started: Instant::now(),
                    },
                );
            }
            Out::Machines { out, started, .. } => {
                started.insert(number, Instant::now());
                tell(
                    *out,
                    &json!({"event": "started", "file": shown(&input.path), "bytes": input.size}),
                );
            }
        }
    }

    /// The file is so far.
    pub fn at(&self, number: usize, input: &InputFile, position: &FileProgress) {
        let time = position.time.map(seconds);
        let duration = position.duration.map(seconds);
        let share = time.zip(duration).map_or(0.0, |(time, duration)| {
            (time / duration.max(1e-9)).clamp(0.0, 1.0)
        });
        match &mut *self.lock() {
            Out::People {
                all,
                running,
                done_bytes,
                ..
            } => {
                let Some(file) = running.get_mut(&number) else {
                    return;
                };
                file.share = share;
                let took = file.started.elapsed();
                let speed = speed(time, took);
                let left = left(share, took);
                file.bar.set_position((share * STEPS as f64) as u64);
                file.bar.set_message(format!(
                    "{}  {} frames{speed}{left}",
                    shown(&input.path),
                    position.frames,
                    speed = speed.map_or(String::new(), |speed| format!(", {speed:.1}×")),
                    left = left.map_or(String::new(), |left| format!(", {} left", clock(left))),
                ));
                let of_running: f64 = running
                    .values()
                    .map(|file| file.share * file.size as f64)
                    .sum();
                all.set_position(*done_bytes + of_running as u64);
            }
            Out::Machines { out, told, started } => {
                let now = Instant::now();
                if told
                    .get(&number)
                    .is_some_and(|last| now - *last < JSON_STEP)
                {
                    return;
                }
                told.insert(number, now);
                let took = started
                    .get(&number)
                    .map_or(Duration::ZERO, Instant::elapsed);
                tell(
                    *out,
                    &json!({
                        "event": "progress",
                        "file": shown(&input.path),
                        "frames": position.frames,
                        "time": time,
                        "duration": duration,
                        "speed": speed(time, took),
                        "seconds_left": left(share, took).map(|left| left.as_secs_f64()),
                    }),
                );
            }
        }
    }

    /// Something in the file is doubtful.
    pub fn warned(&self, input: &InputFile, warning: &str) {
        match &mut *self.lock() {
            Out::People { bars, .. } => {
                say(bars, &format!("{}: warning: {warning}", shown(&input.path)));
            }
            Out::Machines { out, .. } => {
                tell(
                    *out,
                    &json!({"event": "warning", "file": shown(&input.path), "message": warning}),
                );
            }
        }
    }

    /// The work on a file is over.
    pub fn ended(&self, number: usize, input: &InputFile, outcome: &FileOutcome) {
        match &mut *self.lock() {
            Out::People {
                bars,
                all,
                running,
                done_bytes,
                is_terminal,
            } => {
                if let Some(file) = running.remove(&number) {
                    file.bar.finish_and_clear();
                }
                *done_bytes += input.size;
                all.set_position(*done_bytes);
                let file = shown(&input.path);
                match outcome {
                    FileOutcome::Failed(reason) => say(bars, &format!("{file}: {reason}")),
                    FileOutcome::Tagged(facts) if !*is_terminal => {
                        say(bars, &format!("{file}: {facts}"))
                    }
                    _ => {}
                }
            }
            Out::Machines { out, .. } => {
                let file = shown(&input.path);
                tell(
                    *out,
                    &match outcome {
                        FileOutcome::Tagged(facts) => json!({
                            "event": "tagged", "file": file, "frames": facts.frames, "faces": facts.persons,
                            "duration": facts.duration, "took": facts.took.as_secs_f64(),
                        }),
                        FileOutcome::AlreadyTagged => {
                            json!({"event": "tagged before", "file": file})
                        }
                        FileOutcome::Failed(reason) => {
                            json!({"event": "failed", "file": file, "message": reason})
                        }
                        FileOutcome::Stopped => json!({"event": "stopped", "file": file}),
                    },
                );
            }
        }
    }

    /// Something that was named is no file to tag.
    pub fn refused(&self, path: &Path, reason: &str) {
        match &mut *self.lock() {
            Out::People { bars, .. } => say(bars, &format!("{}: {reason}", shown(path))),
            Out::Machines { out, .. } => {
                tell(
                    *out,
                    &json!({"event": "failed", "file": shown(path), "message": reason}),
                );
            }
        }
    }

    /// All is over.
    pub fn finished(&self, totals: &RunTotals) {
        match &mut *self.lock() {
            Out::People { bars, all, .. } => {
                all.finish_and_clear();
                say(bars, &totals.to_string());
            }
            Out::Machines { out, .. } => tell(
                *out,
                &json!({
                    "event": "finished", "tagged": totals.tagged, "tagged_before": totals.before,
                    "failed": totals.failed, "stopped": totals.stopped,
                }),
            ),
        }
    }
}

impl std::fmt::Display for FileStats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        write!(
            f,
            "{} frame{}, {} face{}, {:.1} s",
            self.frames,
            plural(self.frames),
            self.persons,
            plural(self.persons as u64),
            self.took.as_secs_f64()
        )?;
        match speed(
            Some(self.duration).filter(|duration| *duration > 0.0),
            self.took,
        ) {
            Some(speed) => write!(f, " ({speed:.1}×)"),
            None => Ok(()),
        }
    }
}

/// Seconds of video in a second.
fn speed(time: Option<f64>, took: Duration) -> Option<f64> {
    time.filter(|_| !took.is_zero())
        .map(|time| time / took.as_secs_f64())
}

fn left(share: f64, took: Duration) -> Option<Duration> {
    (share > 0.01).then(|| took.mul_f64((1.0 - share) / share))
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

fn seconds(time: gst::ClockTime) -> f64 {
    time.nseconds() as f64 / 1e9
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// Above the bars, or on standard error where there are none.
fn say(bars: &MultiProgress, line: &str) {
    bars.suspend(|| {
        // A closed terminal must not end the work.
        let _ = writeln!(std::io::stderr(), "{line}");
    });
}

fn tell(out: &mut dyn Write, event: &serde_json::Value) {
    // A reader that has gone must not end the work.
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests;
