//! Reports the progress of a run: bars for people, lines of JSON for programs.

mod json;
mod terminal;

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use self::json::JsonProgress;
use self::terminal::TerminalProgress;
use super::event::Event;

/// Reports events from several threads.
pub struct TagProgress<'a>(Mutex<Output<'a>>);

enum Output<'a> {
    Terminal(TerminalProgress),
    Json(JsonProgress<'a>),
}

impl<'a> TagProgress<'a> {
    /// Bars on standard error for files of `bytes` in total. If it is no terminal, a line for each file that is done.
    pub fn terminal(bytes: u64) -> Self {
        Self(Mutex::new(Output::Terminal(TerminalProgress::new(bytes))))
    }

    /// A line of JSON on `out` for each event.
    pub fn json(out: &'a mut (dyn Write + Send)) -> Self {
        Self(Mutex::new(Output::Json(JsonProgress::new(out))))
    }

    /// Reports `event`.
    pub fn report(&self, event: Event<'_>) {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Output::Terminal(output) => output.report(event),
            Output::Json(output) => output.report(event),
        }
    }
}
