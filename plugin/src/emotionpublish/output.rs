//! Writes records to a file or sends them to a broker.

use std::time::Duration;

use super::settings::{self, PublishMethod, RecordFormat, Settings};
use super::writer::{self, LineWriter, Unended};
use crate::broker::{ConnectionEvent, Counts, CountsReader};
use crate::kafka::{self, KafkaPublisher};
use crate::mqtt::{self, Publisher};
use crate::record::{Record, table};

/// How long a stopped element waits for the broker to acknowledge the last records.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// An open destination of records.
#[derive(Debug)]
pub(super) struct RecordOutput {
    format: RecordFormat,
    destination: Destination,
    text: Vec<u8>,
    has_records: bool,
}

/// What became of the records of a closed output.
#[derive(Debug)]
pub(super) enum Closed {
    File(Unended),
    Broker(Counts),
}

#[derive(Debug)]
enum Destination {
    File(LineWriter),
    Mqtt {
        publisher: Publisher,
        topic: String,
    },
    Kafka {
        publisher: KafkaPublisher,
        topic: String,
    },
}

/// Why records cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("no location to write to: set location to a path, or to - for standard output")]
    NoLocation,
    #[error("CSV goes to files only: set format=jsonl for method=mqtt and method=kafka")]
    CsvToBroker,
    #[error("topic {0:?} cannot be published to: expected text without + and #")]
    Topic(String),
    #[error(transparent)]
    Settings(#[from] settings::Error),
    #[error(transparent)]
    Writer(#[from] writer::Error),
    #[error(transparent)]
    Mqtt(#[from] mqtt::Error),
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    #[error("cannot write a record as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl RecordOutput {
    /// Opens the destination that `settings` name. `on_change` is called when the connection to a broker changes.
    pub(super) fn open(
        settings: &Settings,
        on_change: impl Fn(ConnectionEvent) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        if settings.method != PublishMethod::File && settings.format == RecordFormat::Csv {
            return Err(Error::CsvToBroker);
        }
        let topic = settings.topic.clone();
        let destination = match settings.method {
            PublishMethod::File => {
                let location = settings.location.as_deref();
                let location = location.filter(|location| !location.is_empty());
                let mut writer = LineWriter::open(location.ok_or(Error::NoLocation)?)?;
                if settings.format == RecordFormat::Csv {
                    writer.write(table::csv_header().as_bytes())?;
                }
                Destination::File(writer)
            }
            PublishMethod::Mqtt => {
                if !mqtt::is_topic(&topic) {
                    return Err(Error::Topic(topic));
                }
                let publisher = Publisher::start(&settings.mqtt()?, on_change)?;
                Destination::Mqtt { publisher, topic }
            }
            PublishMethod::Kafka => {
                if !kafka::is_topic(&topic) {
                    return Err(kafka::Error::Topic(topic).into());
                }
                let publisher = KafkaPublisher::start(&settings.kafka()?, on_change)?;
                Destination::Kafka { publisher, topic }
            }
        };
        Ok(Self {
            format: settings.format,
            destination,
            text: Vec::new(),
            has_records: false,
        })
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), Error> {
        self.text.clear();
        self.has_records = true;
        match self.format {
            RecordFormat::JsonLines => serde_json::to_writer(&mut self.text, record)?,
            RecordFormat::Csv => table::append_csv(record, &mut self.text),
        }
        match &mut self.destination {
            Destination::File(writer) => {
                if self.format == RecordFormat::JsonLines {
                    self.text.push(b'\n');
                }
                writer.write(&self.text)?;
            }
            Destination::Mqtt { publisher, topic } => publisher.publish(topic, self.text.clone()),
            Destination::Kafka { publisher, topic } => {
                let key = record.source.as_deref();
                publisher.publish(topic, key, Some(self.text.clone()));
            }
        }
        Ok(())
    }

    /// Gives a file its name at the end of the stream.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        match &mut self.destination {
            Destination::File(writer) => Ok(writer.publish()?),
            Destination::Mqtt { .. } | Destination::Kafka { .. } => Ok(()),
        }
    }

    /// Closes the destination. Without an end of the stream before, a file does not replace an earlier one.
    pub(super) fn close(self) -> Result<Closed, Error> {
        Ok(match self.destination {
            Destination::File(mut writer) => Closed::File(writer.abandon(self.has_records)?),
            Destination::Mqtt { publisher, .. } => Closed::Broker(publisher.close(CLOSE_TIMEOUT)),
            Destination::Kafka { publisher, .. } => Closed::Broker(publisher.close(CLOSE_TIMEOUT)),
        })
    }

    /// The counts of the broker's queue, which can be read while a record is written.
    pub(super) fn counts(&self) -> Option<CountsReader> {
        match &self.destination {
            Destination::File(_) => None,
            Destination::Mqtt { publisher, .. } => Some(publisher.counts_reader()),
            Destination::Kafka { publisher, .. } => Some(publisher.counts_reader()),
        }
    }
}
