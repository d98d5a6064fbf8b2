//! Progress as bars on a terminal.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::tag::event::{Event, FileOutcome};

/// Steps of a bar.
const STEPS: u64 = 1000;

pub(super) struct TerminalProgress {
    bars: MultiProgress,
    all: ProgressBar,
    is_terminal: bool,
    running: BTreeMap<usize, RunningFile>,
    done_bytes: u64,
}

struct RunningFile {
    bar: ProgressBar,
    size: u64,
    share: f64,
    started: Instant,
}

impl TerminalProgress {
    pub(super) fn new(bytes: u64) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        let all = ProgressBar::new(bytes.max(1)).with_style(style(
            "{bar:24} {percent:>3} % of all files{msg}, {elapsed} so far, {eta} left",
        ));
        Self {
            all: bars.add(all),
            bars,
            is_terminal: std::io::stderr().is_terminal(),
            running: BTreeMap::new(),
            done_bytes: 0,
        }
    }

    pub(super) fn report(&mut self, event: Event<'_>) {
        match event {
            Event::Started(number, input) => {
                let bar =
                    ProgressBar::new(STEPS).with_style(style("{bar:24} {percent:>3} % {wide_msg}"));
                let bar = self.bars.insert_before(&self.all, bar);
                bar.set_message(input.shown());
                let file = RunningFile {
                    bar,
                    size: input.size,
                    share: 0.0,
                    started: Instant::now(),
                };
                self.running.insert(number, file);
            }
            Event::Progress(number, input, progress) => {
                let Some(file) = self.running.get_mut(&number) else {
                    return;
                };
                file.share = progress.share();
                let elapsed = file.started.elapsed();
                let speed = progress.speed(elapsed);
                let left = progress.remaining(elapsed);
                file.bar.set_position((file.share * STEPS as f64) as u64);
                file.bar.set_message(format!(
                    "{}  {} frames{}{}",
                    input.shown(),
                    progress.frames,
                    speed.map_or(String::new(), |speed| format!(", {speed:.1}×")),
                    left.map_or(String::new(), |left| format!(", {} left", clock(left))),
                ));
                let files = self.running.values();
                let bytes: f64 = files.map(|file| file.share * file.size as f64).sum();
                self.all.set_position(self.done_bytes + bytes as u64);
            }
            Event::Warning(input, warning) => {
                self.print(&format!("{}: warning: {warning}", input.shown()));
            }
            Event::Output(line) => self.print(line),
            Event::Ended(number, input, outcome) => {
                if let Some(file) = self.running.remove(&number) {
                    file.bar.finish_and_clear();
                }
                self.done_bytes += input.size;
                self.all.set_position(self.done_bytes);
                match outcome {
                    FileOutcome::Failed(reason) => {
                        self.print(&format!("{}: {reason}", input.shown()))
                    }
                    FileOutcome::Partial(reason) => {
                        self.print(&format!("{}: tagged in part: {reason}", input.shown()))
                    }
                    FileOutcome::Tagged(stats) if !self.is_terminal => {
                        self.print(&format!("{}: {stats}", input.shown()))
                    }
                    _ => {}
                }
            }
            Event::Rejected(path, reason) => self.print(&format!("{}: {reason}", path.display())),
            Event::Finished(totals) => {
                self.all.finish_and_clear();
                self.print(&totals.to_string());
            }
        }
    }

    /// Prints above the bars, or to standard error if there are none.
    fn print(&self, line: &str) {
        self.bars.suspend(|| {
            // A closed terminal must not end the run.
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }
}

/// `H:MM:SS` or `M:SS`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_has_hours_when_it_needs_them() {
        assert_eq!(clock(Duration::from_secs(3725)), "1:02:05");
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
    }
}
