//! What the program writes and sends: records to a file and to brokers, the status of sources to the brokers, and events to a
//! web server. None of it ever blocks a worker.

mod appended_file;
mod broker;
mod file_rotation;
mod home_assistant;
mod kafka;
mod line_appender;
mod messages;
mod webhook;
mod worker_queue;

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use gstemotion::emotionpublish::RecordSelection;
use gstemotion::face::Face;
use gstemotion::record::{self, Record};
use gstemotion::zones::FrameZones;

use self::broker::Broker;
use self::file_rotation::FileRotation;
use self::kafka::KafkaCluster;
use self::line_appender::LineAppender;
use self::messages::SourceNotice;
pub(super) use self::messages::StatusReport;
use self::webhook::Webhook;
use super::config::{Config, FileSettings, RecordRule};
use super::metrics::Metrics;
use super::source_lease::SourceLease;

/// The open outputs.
#[derive(Debug)]
pub(super) struct RecordOutputs {
    rule: RwLock<RecordRule>,
    file: Option<LineAppender>,
    broker: Option<Broker>,
    kafka: Option<KafkaCluster>,
    webhook: Option<Webhook>,
    /// The sources that an event has said to be down.
    down: Mutex<HashSet<String>>,
    lease: SourceLease,
}

impl RecordOutputs {
    /// Opens the outputs of `config`.
    pub(super) fn open(config: &Config, metrics: &Metrics) -> anyhow::Result<Self> {
        let file = config.records.file.as_ref().map(|settings| {
            let FileSettings { path, .. } = settings;
            let rotation = FileRotation {
                bytes: settings.rotate_bytes,
                period: settings.rotate_period,
                kept: settings.kept,
            };
            LineAppender::open(path, rotation, metrics.file())
        });
        let broker = config.mqtt.as_ref().map(Broker::connect).transpose()?;
        if let Some(broker) = &broker {
            metrics.add_broker("mqtt", broker.counts());
        }
        let kafka = config.kafka.as_ref().map(KafkaCluster::connect);
        let kafka = kafka.transpose()?;
        if let Some(kafka) = &kafka {
            metrics.add_broker("kafka", kafka.counts());
        }
        let webhook = config.webhook.as_ref();
        let webhook = webhook.map(|settings| Webhook::start(settings, metrics.webhook()));
        Ok(Self {
            rule: RwLock::new(config.records.rule),
            file: file.transpose()?,
            broker,
            kafka,
            webhook: webhook.transpose()?,
            down: Mutex::default(),
            lease: SourceLease::default(),
        })
    }

    /// Until when records of the sources are written.
    pub(super) fn lease(&self) -> &SourceLease {
        &self.lease
    }

    /// Selects frames by `rule` from now on.
    pub(super) fn set_rule(&self, rule: RecordRule) {
        *self.rule.write().unwrap_or_else(PoisonError::into_inner) = rule;
    }

    /// Whether the frame of a stream with `faces` and `zones` at `time` has to be recorded.
    pub(super) fn selects(
        &self,
        selection: &mut RecordSelection,
        time: gst::ClockTime,
        faces: &[Face],
        zones: Option<&FrameZones>,
    ) -> bool {
        // A process that was stopped may have frames of the time before.
        if self.lease.is_over(Instant::now()) {
            return false;
        }
        let rule = *self.rule.read().unwrap_or_else(PoisonError::into_inner);
        let interval = gst::ClockTime::try_from(rule.interval).unwrap_or(gst::ClockTime::ZERO);
        let has_output = self.file.is_some() || self.broker.is_some() || self.kafka.is_some();
        has_output && selection.takes(rule.include, interval, Some(time), faces, zones)
    }

    /// Writes a record of the stream with the name `source`.
    pub(super) fn write(&self, source: &str, record: &Record) -> serde_json::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        if let Some(broker) = &self.broker {
            broker.publish(source, line.clone());
        }
        if let Some(kafka) = &self.kafka {
            kafka.publish(source, line.clone());
        }
        if let Some(file) = &self.file {
            line.push(b'\n');
            file.write(line);
        }
        Ok(())
    }

    /// Opens the file of records again, because another program may have moved it.
    pub(super) fn reopen_file(&self) {
        if let Some(file) = &self.file {
            file.reopen();
        }
    }

    /// Introduces a source.
    pub(super) fn announce(&self, source: &str) {
        if let Some(broker) = &self.broker {
            broker.announce(source);
        }
    }

    /// Removes what was said of a source that is no more.
    pub(super) fn retract(&self, source: &str) {
        self.down().remove(source);
        if let Some(broker) = &self.broker {
            broker.retract(source);
        }
        if let Some(kafka) = &self.kafka {
            kafka.retract(source);
        }
    }

    /// Publishes the status of a source, and an event if it went down or came back.
    pub(super) fn report(&self, source: &str, report: &StatusReport) {
        if let Some(broker) = &self.broker {
            broker.report(source, report);
        }
        if let Some(kafka) = &self.kafka {
            kafka.report(source, report);
        }
        let event = match report.status {
            "waiting" | "failed" if self.down().insert(source.to_owned()) => "camera-down",
            "playing" if self.down().remove(source) => "camera-back",
            _ => return,
        };
        self.notify(event, source, report.reason.clone());
    }

    /// Sends an event to the web server.
    pub(super) fn notify(&self, event: &'static str, source: &str, reason: Option<String>) {
        if let Some(webhook) = &self.webhook {
            webhook.send(SourceNotice {
                event,
                source: source.to_owned(),
                time: record::now(),
                reason,
            });
        }
    }

    /// Writes all that waits, and ends the connections.
    pub(super) fn close(&self) {
        if let Some(file) = &self.file {
            file.close();
        }
        if let Some(broker) = &self.broker {
            broker.close();
        }
        if let Some(kafka) = &self.kafka {
            kafka.close();
        }
        if let Some(webhook) = &self.webhook {
            webhook.close();
        }
    }

    fn down(&self) -> MutexGuard<'_, HashSet<String>> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
