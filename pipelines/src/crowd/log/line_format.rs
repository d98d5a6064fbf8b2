//! How a line of the log looks.

use std::fmt::{self, Write as _};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// `2026-11-27T10:00:00.000000Z WARN hall: no frame for 10 s`
    #[default]
    Text,
    /// An object with `time`, `level`, `subject` and `message`.
    Json,
}

/// Writes events as lines.
#[derive(Debug)]
pub(super) struct LineFormat(pub(super) LogFormat);

/// The fields of an event.
#[derive(Debug, Default)]
struct EventFields {
    subject: Option<String>,
    message: String,
}

impl Visit for EventFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "subject" => self.subject = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.message, " {name}={value:?}"),
        };
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static>
    FormatEvent<S, N> for LineFormat
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let EventFields { subject, message } = fields;
        let subject = subject.unwrap_or_else(|| event.metadata().target().to_owned());
        let level = *event.metadata().level();
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        match self.0 {
            LogFormat::Text => {
                let message = Printable(&message);
                writeln!(writer, "{time} {level} {subject}: {message}")
            }
            LogFormat::Json => {
                let line = json!({
                    "time": time, "level": level.as_str(), "subject": subject, "message": message,
                });
                writeln!(writer, "{line}")
            }
        }
    }
}

/// A text of others in one line, without what would control a terminal.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a warning with `message` looks like.
    fn line(format: LogFormat, message: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .event_format(LineFormat(format))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(subject = "hall", "{message}");
        });
        let bytes = lines.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_line_has_time_level_subject_and_message() {
        let text = line(LogFormat::Text, "no frame for 10 s");
        let (time, rest) = text.split_once(' ').expect("a time");
        assert!(time.starts_with("20") && time.ends_with('Z'), "{text}");
        assert_eq!(rest, "WARN hall: no frame for 10 s\n");
    }

    #[test]
    fn a_json_line_has_the_same() {
        let text = line(LogFormat::Json, "\"no\"\nframe");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["level"], "WARN");
        assert_eq!(value["subject"], "hall");
        assert_eq!(value["message"], "\"no\"\nframe");
        assert!(
            value["time"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z'))
        );
        assert_eq!(text.matches('\n').count(), 1);
    }

    #[test]
    fn a_message_cannot_begin_a_line_or_control_the_terminal() {
        let text = line(LogFormat::Text, "a\nb\x1b[2Jc");
        assert!(text.ends_with("hall: a\\nb\\u{1b}[2Jc\n"), "{text}");
    }
}
