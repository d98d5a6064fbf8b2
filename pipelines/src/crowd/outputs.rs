//! Where records go: a file, a broker. Nothing here keeps a worker waiting.

mod line_writer;

use std::sync::Arc;
use std::time::Duration;

use gstemotion::emotionpublish::{self, RecordSelection};
use gstemotion::face::Face;
use gstemotion::mqtt::{self, ConnectionEvent, Publisher};
use gstemotion::record::Record;

use self::line_writer::LineWriter;
use super::config::{Config, Include, MqttSettings, Topic};
use super::metrics::Metrics;
use super::stream::tell;

/// How long the broker may take to acknowledge the last records.
const PATIENCE: Duration = Duration::from_secs(3);

/// The open outputs.
#[derive(Debug)]
pub(super) struct RecordOutputs {
    include: Include,
    interval: gst::ClockTime,
    lines: Option<LineWriter>,
    broker: Option<(Arc<Publisher>, Topic)>,
}

impl RecordOutputs {
    /// Opens what `config` names.
    pub(super) fn open(config: &Config, metrics: &Metrics) -> anyhow::Result<Self> {
        let records = &config.records;
        let lines = records.jsonl.as_deref();
        let broker = config.mqtt.as_ref().map(|mqtt| {
            let publisher = Publisher::start(&settings(mqtt)?, |change| match change {
                ConnectionEvent::Connected => tell("mqtt", "connected"),
                ConnectionEvent::Disconnected(reason) => {
                    tell(
                        "mqtt",
                        &format!("the broker is away, records wait: {reason}"),
                    );
                }
            })?;
            let publisher = Arc::new(publisher);
            metrics.add_broker(publisher.clone());
            anyhow::Ok((publisher, mqtt.topic.clone()))
        });
        let interval = records.interval_seconds.get();
        Ok(Self {
            include: records.include,
            interval: gst::ClockTime::try_from(interval).unwrap_or(gst::ClockTime::ZERO),
            lines: lines
                .map(|path| LineWriter::open(path, metrics.file()))
                .transpose()?,
            broker: broker.transpose()?,
        })
    }

    /// Whether the frame of a stream with `faces` at `time` is to be recorded.
    pub(super) fn take(
        &self,
        selection: &mut RecordSelection,
        time: gst::ClockTime,
        faces: &[Face],
    ) -> bool {
        let has_place = self.lines.is_some() || self.broker.is_some();
        let include = emotionpublish::IncludedFrames::from(self.include);
        has_place && selection.takes(include, self.interval, Some(time), faces)
    }

    /// Writes a record of the stream of the name `source`.
    pub(super) fn write(&self, source: &str, record: &Record) -> serde_json::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        if let Some((publisher, topic)) = &self.broker {
            publisher.publish(&topic.of(source), line.clone());
        }
        if let Some(lines) = &self.lines {
            line.push(b'\n');
            lines.write(line);
        }
        Ok(())
    }

    /// Writes out what waits, and ends the connections.
    pub(super) fn close(mut self) {
        if let Some(lines) = self.lines.take() {
            lines.close();
        }
        if let Some((publisher, _)) = self.broker.take() {
            let dropped = publisher.close(PATIENCE).dropped;
            if dropped > 0 {
                tell(
                    "mqtt",
                    &format!("{dropped} records did not reach the broker"),
                );
            }
        }
    }
}

fn settings(mqtt: &MqttSettings) -> anyhow::Result<mqtt::Settings> {
    let client = match (&mqtt.tls_certificate_file, &mqtt.tls_key_file) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        (None, None) => None,
        _ => anyhow::bail!(
            "[mqtt] needs both tls-certificate-file and tls-key-file, or neither of them"
        ),
    };
    let password = mqtt.password.as_ref().map(|password| password.reveal());
    let login = match (&mqtt.username, password) {
        (Some(name), password) => Some((name.clone(), password.unwrap_or_default().to_owned())),
        (None, Some(_)) => anyhow::bail!("[mqtt] has a password and no username: set both"),
        (None, None) => None,
    };
    Ok(mqtt::Settings {
        address: mqtt.address.0.clone(),
        login,
        client_id: mqtt.client_id.clone().unwrap_or_else(unique_name),
        tls: mqtt::Tls {
            ca_file: mqtt.tls_ca_file.clone(),
            client,
        },
        queue: mqtt.queue_size.get(),
    })
}

/// No longer than the 23 bytes that every broker takes.
fn unique_name() -> String {
    let uuid = gst::glib::uuid_string_random().replace('-', "");
    format!("crowd-{}", uuid.get(..16).unwrap_or_default())
}
