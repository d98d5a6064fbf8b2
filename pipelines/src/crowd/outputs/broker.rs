//! An MQTT broker: records, the status of each source, and whether the program runs.

use std::time::Duration;

use anyhow::Context as _;
use gstemotion::broker::CountsReader;
use gstemotion::mqtt::Publisher;

use super::home_assistant::{self, Topics};
use super::messages::{StatusReport, log_dropped, log_event};
use crate::crowd::config::{MqttSettings, OFFLINE};

/// What the availability topic says while the program runs.
const ONLINE: &str = "online";
/// How long the broker may take to acknowledge the last records.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The connection to a broker, which is opened again after a failure.
#[derive(Debug)]
pub(super) struct Broker {
    publisher: Publisher,
    /// Contains `{source}` for the name of the source, as the following one.
    topic: String,
    status_topic: String,
    availability_topic: String,
    /// Where Home Assistant looks for devices.
    home_assistant: Option<String>,
}

impl Broker {
    pub(super) fn connect(settings: &MqttSettings) -> anyhow::Result<Self> {
        let publisher =
            Publisher::start(&settings.publisher(), log_event("mqtt")).context("[mqtt]")?;
        publisher.publish_retained(&settings.availability_topic, ONLINE.into());
        Ok(Self {
            publisher,
            topic: settings.topic.clone(),
            status_topic: settings.status_topic.clone(),
            availability_topic: settings.availability_topic.clone(),
            home_assistant: settings.home_assistant.clone(),
        })
    }

    pub(super) fn counts(&self) -> CountsReader {
        self.publisher.counts_reader()
    }

    /// Publishes a record of `source`.
    pub(super) fn publish(&self, source: &str, record: Vec<u8>) {
        self.publisher.publish(&of(&self.topic, source), record);
    }

    /// Publishes the status of `source`, which the broker keeps.
    pub(super) fn report(&self, source: &str, report: &StatusReport) {
        // A structure of texts is always JSON.
        let json = serde_json::to_vec(report).unwrap_or_default();
        self.publisher
            .publish_retained(&of(&self.status_topic, source), json);
    }

    /// Tells Home Assistant of `source`.
    pub(super) fn announce(&self, source: &str) {
        for (topic, entity) in self.entities(source) {
            self.publisher
                .publish_retained(&topic, entity.to_string().into_bytes());
        }
    }

    /// Removes what the broker keeps of `source`.
    pub(super) fn retract(&self, source: &str) {
        let topics = self.entities(source).into_iter().map(|(topic, _)| topic);
        for topic in topics.chain([of(&self.status_topic, source)]) {
            self.publisher.publish_retained(&topic, Vec::new());
        }
    }

    fn entities(&self, source: &str) -> Vec<(String, serde_json::Value)> {
        let Some(prefix) = &self.home_assistant else {
            return Vec::new();
        };
        let topics = Topics {
            records: &of(&self.topic, source),
            status: &of(&self.status_topic, source),
            availability: &self.availability_topic,
        };
        home_assistant::entities(prefix, source, &topics)
    }

    /// Sends all that waits, and says farewell.
    pub(super) fn close(&self) {
        self.publisher
            .publish_retained(&self.availability_topic, OFFLINE.into());
        log_dropped("mqtt", self.publisher.close(CLOSE_TIMEOUT));
    }
}

fn of(topic: &str, source: &str) -> String {
    topic.replace("{source}", source)
}
