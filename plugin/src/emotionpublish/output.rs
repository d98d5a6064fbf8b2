//! Where records go: into a file, or to a broker.

use std::time::Duration;

use super::writer::{self, Writer};
use super::{Format, Method};
use crate::emotionpublish::settings::Settings;
use crate::mqtt::{self, Change, Publisher};
use crate::record::{Record, table};

/// How long a stopped element waits for the broker to acknowledge the last records.
const PATIENCE: Duration = Duration::from_secs(3);

/// The open place for records.
#[derive(Debug)]
pub(super) struct Output {
    format: Format,
    place: Place,
    text: Vec<u8>,
}

#[derive(Debug)]
enum Place {
    File(Writer),
    Broker { publisher: Publisher, topic: String },
}

/// Why records cannot go where they should.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("no location to write to: set location to a path, or to - for standard output")]
    NoLocation,
    #[error("no broker to send to: set address to mqtt://HOST, or mqtts://HOST for TLS")]
    NoAddress,
    #[error("CSV goes to files only: set format=jsonl for method=mqtt")]
    CsvToBroker,
    #[error("topic {0:?} is none to publish to: expected text without + and #")]
    Topic(String),
    #[error("{0} is set without {1}: set both")]
    Alone(&'static str, &'static str),
    #[error(transparent)]
    Writer(#[from] writer::Error),
    #[error(transparent)]
    Mqtt(#[from] mqtt::Error),
    #[error("a record is no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Output {
    /// Opens what `settings` say; `on_change` hears of the connection to a broker.
    pub(super) fn open(
        settings: &Settings,
        on_change: impl Fn(Change) + Send + 'static,
    ) -> Result<Self, Error> {
        let place = match settings.method {
            Method::File => {
                let location = settings.location.as_deref();
                let location = location.filter(|location| !location.is_empty());
                let mut writer = Writer::open(location.ok_or(Error::NoLocation)?)?;
                if settings.format == Format::Csv {
                    writer.write(table::csv_header().as_bytes())?;
                }
                Place::File(writer)
            }
            Method::Mqtt => {
                if settings.format == Format::Csv {
                    return Err(Error::CsvToBroker);
                }
                let topic = settings.topic.clone();
                if topic.is_empty() || topic.contains(['+', '#', '\0']) {
                    return Err(Error::Topic(topic));
                }
                let publisher = Publisher::start(&settings.broker()?, on_change)?;
                Place::Broker { publisher, topic }
            }
        };
        Ok(Self {
            format: settings.format,
            place,
            text: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), Error> {
        self.text.clear();
        match self.format {
            Format::JsonLines => serde_json::to_writer(&mut self.text, record)?,
            Format::Csv => table::append_csv(record, &mut self.text),
        }
        match &mut self.place {
            Place::File(writer) => {
                if self.format == Format::JsonLines {
                    self.text.push(b'\n');
                }
                writer.write(&self.text)?;
            }
            Place::Broker { publisher, topic } => publisher.publish(topic, self.text.clone()),
        }
        Ok(())
    }

    /// The stream has ended: a file gets its name.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        match &mut self.place {
            Place::File(writer) => Ok(writer.publish()?),
            Place::Broker { .. } => Ok(()),
        }
    }

    /// Ends the work, and returns how it went with a broker.
    pub(super) fn close(mut self) -> Result<Option<mqtt::Counts>, Error> {
        self.end()?;
        Ok(match self.place {
            Place::File(_) => None,
            Place::Broker { publisher, .. } => Some(publisher.close(PATIENCE)),
        })
    }

    /// The counts of the broker's queue.
    pub(super) fn counts(&self) -> Option<mqtt::Counts> {
        match &self.place {
            Place::File(_) => None,
            Place::Broker { publisher, .. } => Some(publisher.counts()),
        }
    }
}
