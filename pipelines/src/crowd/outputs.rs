//! The outputs of records: a file and a broker. Writing a record never blocks a worker.

mod line_appender;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gstemotion::emotionpublish::{IncludedFrames, RecordSelection};
use gstemotion::face::Face;
use gstemotion::mqtt::{self, ConnectionEvent, Publisher};
use gstemotion::record::Record;

use self::line_appender::LineAppender;
use super::config::{Config, MqttSettings};
use super::log::{log, warn};
use super::metrics::Metrics;

/// How long the broker may take to acknowledge the last records.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The open outputs.
#[derive(Debug)]
pub(super) struct RecordOutputs {
    include: IncludedFrames,
    interval: gst::ClockTime,
    file: Option<LineAppender>,
    broker: Option<Broker>,
}

#[derive(Debug)]
struct Broker {
    publisher: Arc<Publisher>,
    /// Contains `{source}` for the name of the source.
    topic: String,
}

impl RecordOutputs {
    /// Opens the outputs of `config`.
    pub(super) fn open(config: &Config, metrics: &Metrics) -> anyhow::Result<Self> {
        let records = &config.records;
        let file = records
            .jsonl
            .as_deref()
            .map(|path| LineAppender::open(path, metrics.file()));
        let broker = config.mqtt.as_ref().map(Broker::connect).transpose()?;
        if let Some(broker) = &broker {
            metrics.add_broker(broker.publisher.clone());
        }
        Ok(Self {
            include: records.include,
            interval: gst::ClockTime::try_from(records.interval).unwrap_or(gst::ClockTime::ZERO),
            file: file.transpose()?,
            broker,
        })
    }

    /// Whether the frame of a stream with `faces` at `time` has to be recorded.
    pub(super) fn selects(
        &self,
        selection: &mut RecordSelection,
        time: gst::ClockTime,
        faces: &[Face],
    ) -> bool {
        let has_output = self.file.is_some() || self.broker.is_some();
        has_output && selection.takes(self.include, self.interval, Some(time), faces)
    }

    /// Writes a record of the stream with the name `source`.
    pub(super) fn write(&self, source: &str, record: &Record) -> serde_json::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        if let Some(Broker { publisher, topic }) = &self.broker {
            publisher.publish(&topic.replace("{source}", source), line.clone());
        }
        if let Some(file) = &self.file {
            line.push(b'\n');
            file.write(line);
        }
        Ok(())
    }

    /// Writes all records that wait, and ends the connections.
    pub(super) fn close(self) {
        if let Some(file) = self.file {
            file.close();
        }
        if let Some(Broker { publisher, .. }) = self.broker {
            let dropped = publisher.close(CLOSE_TIMEOUT).dropped;
            if dropped > 0 {
                warn(
                    "mqtt",
                    &format!("{dropped} records did not reach the broker"),
                );
            }
        }
    }
}

impl Broker {
    fn connect(settings: &MqttSettings) -> anyhow::Result<Self> {
        let password = settings.password.as_ref().map(|secret| secret.reveal());
        let publisher = mqtt::Settings {
            address: settings.address.clone(),
            username: settings.username.clone(),
            password: password.map(str::to_owned),
            client_id: settings.client_id.clone(),
            tls_ca_file: settings.tls_ca_file.clone(),
            tls_certificate_file: settings.tls_certificate_file.clone(),
            tls_key_file: settings.tls_key_file.clone(),
            queue_size: settings.queue_size.get(),
        };
        let on_event = |event| match event {
            ConnectionEvent::Connected => log("mqtt", "connected"),
            ConnectionEvent::Disconnected(reason) => warn(
                "mqtt",
                &format!("the broker is away, records wait: {reason}"),
            ),
        };
        Ok(Self {
            publisher: Arc::new(Publisher::start(&publisher, on_event).context("[mqtt]")?),
            topic: settings.topic.clone(),
        })
    }
}
