//! Progress as bars on a terminal.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::tag::event::{Event, FileOutcome, FileProgress, ignored_text};

/// Steps of a bar.
const STEPS: u64 = 1000;
/// What is shown of each file. Its name, the message, gets the space that the numbers, the prefix, leave.
const FILE: &str = "{bar:24} {percent:>3} %{prefix} {wide_msg}";
const ALL: &str = "{bar:24} {percent:>3} % of all files, {elapsed} so far, {eta} left";

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
        let target = ProgressDrawTarget::stderr_with_hz(5);
        Self::on(target, bytes, std::io::stderr().is_terminal())
    }

    fn on(target: ProgressDrawTarget, bytes: u64, is_terminal: bool) -> Self {
        let bars = MultiProgress::with_draw_target(target);
        let all = ProgressBar::new(bytes.max(1)).with_style(style(ALL));
        Self {
            all: bars.add(all),
            bars,
            is_terminal,
            running: BTreeMap::new(),
            done_bytes: 0,
        }
    }

    pub(super) fn report(&mut self, event: Event<'_>) {
        match event {
            Event::Started(number, input) => {
                let bar = ProgressBar::new(STEPS).with_style(style(FILE));
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
            Event::Progress(number, _, progress) => {
                let Some(file) = self.running.get_mut(&number) else {
                    return;
                };
                file.share = progress.share();
                file.bar.set_position((file.share * STEPS as f64) as u64);
                let numbers = numbers(&progress, file.started.elapsed());
                file.bar.set_prefix(numbers);
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
                    FileOutcome::Failed(failure) => {
                        self.print(&format!("{}: {}", input.shown(), failure.reason))
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
            Event::Ignored(extensions) => self.print(&ignored_text(extensions)),
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

/// What is behind the percentage of a file: its frames, speed and time left.
fn numbers(progress: &FileProgress, elapsed: Duration) -> String {
    let speed = progress.speed(elapsed);
    let left = progress.remaining(elapsed);
    format!(
        ", {} frames{}{} ",
        progress.frames,
        speed.map_or(String::new(), |speed| format!(", {speed:.1}×")),
        left.map_or(String::new(), |left| format!(", {} left", clock(left))),
    )
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
    use crate::tag::inputs::{InputFile, InputOrigin};
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal of 80 columns that keeps what is written.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            self.write_line("")
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            self.write_line("")
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            self.write_str("\n")
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("no test panics in it").push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.write_line("")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_clock_has_hours_when_it_needs_them() {
        assert_eq!(clock(Duration::from_secs(3725)), "1:02:05");
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
    }

    #[test]
    fn speed_and_time_left_are_there_however_long_the_name_is() {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let mut progress = TerminalProgress::on(target, 10, true);
        let path = format!("/archive/{}/talk.mp4", "a long name ".repeat(20));
        let input = InputFile {
            path: path.clone().into(),
            absolute: path.clone().into(),
            name: path.clone().into(),
            captions: path.into(),
            size: 10,
            origin: InputOrigin::Local,
        };
        progress.report(Event::Started(0, &input));
        if let Some(file) = progress.running.get_mut(&0) {
            file.started -= Duration::from_secs(100);
        }
        let at = FileProgress {
            frames: 2500,
            time: Some(50.0),
            duration: Some(100.0),
        };
        progress.report(Event::Progress(0, &input, at));
        let file = progress.running.get(&0).expect("it runs");
        file.bar.force_draw();
        let written = screen.0.lock().expect("no test panics in it").clone();
        let line = written.lines().find(|line| line.contains("2500 frames"));
        let line = line.unwrap_or_else(|| panic!("{written}"));
        for part in [" 50 %", "0.5×", "1:40 left", "/archive/a"] {
            assert!(line.contains(part), "{part}: {written}");
        }
        assert!(line.trim_end().chars().count() <= 80, "{line}");
    }
}
