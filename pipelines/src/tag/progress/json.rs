//! Progress as lines of JSON.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::tag::event::{Event, FileOutcome};
use crate::tag::inputs::InputOrigin;

/// The shortest time between two progress events of one file.
const STEP: Duration = Duration::from_secs(1);

pub(super) struct JsonProgress<'a> {
    out: &'a mut (dyn Write + Send),
    /// For each running file when it was started and when its progress was last reported.
    running: BTreeMap<usize, (Instant, Option<Instant>)>,
}

impl<'a> JsonProgress<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            out,
            running: BTreeMap::new(),
        }
    }

    pub(super) fn report(&mut self, event: Event<'_>) {
        let json = match event {
            Event::Started(number, input) => {
                self.running.insert(number, (Instant::now(), None));
                // What comes from elsewhere has no size before it is here.
                let size = (input.origin == InputOrigin::Local).then_some(input.size);
                json!({"event": "started", "file": input.shown(), "bytes": size})
            }
            Event::Progress(number, input, progress) => {
                let now = Instant::now();
                let (started, reported) = self.running.entry(number).or_insert((now, None));
                if reported.is_some_and(|last| now - last < STEP) {
                    return;
                }
                *reported = Some(now);
                let elapsed = now - *started;
                json!({
                    "event": "progress",
                    "file": input.shown(),
                    "frames": progress.frames,
                    "time": progress.time,
                    "duration": progress.duration,
                    "speed": progress.speed(elapsed),
                    "seconds_left": progress.remaining(elapsed).map(|left| left.as_secs_f64()),
                })
            }
            Event::Warning(input, warning) => {
                json!({"event": "warning", "file": input.shown(), "message": warning})
            }
            Event::Output(line) => {
                // Standard output has nothing but JSON. A closed standard error must not end the run.
                let _ = writeln!(std::io::stderr(), "{line}");
                return;
            }
            Event::Ended(_, input, outcome) => {
                let file = input.shown();
                match outcome {
                    FileOutcome::Tagged(stats) => json!({
                        "event": "tagged", "file": file, "frames": stats.frames, "faces": stats.persons,
                        "duration": stats.duration, "took": stats.elapsed.as_secs_f64(),
                    }),
                    FileOutcome::AlreadyTagged => json!({"event": "tagged before", "file": file}),
                    FileOutcome::Partial(reason) => {
                        json!({"event": "tagged in part", "file": file, "message": reason, "retry": false})
                    }
                    FileOutcome::Failed(failure) => json!({
                        "event": "failed", "file": file, "message": failure.reason,
                        "retry": failure.is_temporary,
                    }),
                    FileOutcome::Stopped => json!({"event": "stopped", "file": file}),
                }
            }
            Event::Ignored(extensions) => json!({"event": "ignored", "extensions": extensions}),
            Event::Rejected(path, reason) => {
                let file = path.display().to_string();
                json!({"event": "failed", "file": file, "message": reason, "retry": false})
            }
            Event::Finished(totals) => json!({
                "event": "finished", "tagged": totals.tagged, "tagged_before": totals.already_tagged,
                "failed": totals.failed, "retry": totals.temporary, "stopped": totals.stopped,
            }),
        };
        // A closed pipe must not end the run.
        let _ = writeln!(self.out, "{json}").and_then(|()| self.out.flush());
    }
}

#[cfg(test)]
mod tests;
