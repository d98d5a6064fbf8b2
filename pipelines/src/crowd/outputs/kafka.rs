//! A Kafka cluster: records, and the status of each source. The name of the source is the key of its messages, so that they stay
//! in their order.

use std::time::Duration;

use anyhow::Context as _;
use gstemotion::broker::CountsReader;
use gstemotion::kafka::KafkaPublisher;

use super::messages::{StatusReport, log_dropped, log_event};
use crate::crowd::config::KafkaSettings;

/// How long the cluster may take to acknowledge the last records.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The connection to a cluster, which is opened again after a failure.
#[derive(Debug)]
pub(super) struct KafkaCluster {
    publisher: KafkaPublisher,
    topic: String,
    status_topic: Option<String>,
}

impl KafkaCluster {
    pub(super) fn connect(settings: &KafkaSettings) -> anyhow::Result<Self> {
        let publisher = KafkaPublisher::start(&settings.publisher(), log_event("kafka"));
        Ok(Self {
            publisher: publisher.context("[kafka]")?,
            topic: settings.topic.clone(),
            status_topic: settings.status_topic.clone(),
        })
    }

    pub(super) fn counts(&self) -> CountsReader {
        self.publisher.counts_reader()
    }

    /// Publishes a record of `source`.
    pub(super) fn publish(&self, source: &str, record: Vec<u8>) {
        self.publisher
            .publish(&self.topic, Some(source), Some(record));
    }

    /// Publishes the status of `source`, the last of which a compacted topic keeps.
    pub(super) fn report(&self, source: &str, report: &StatusReport) {
        if let Some(topic) = &self.status_topic {
            // A structure of texts is always JSON.
            let json = serde_json::to_vec(report).unwrap_or_default();
            self.publisher.publish(topic, Some(source), Some(json));
        }
    }

    /// Removes what a compacted topic keeps of `source`.
    pub(super) fn retract(&self, source: &str) {
        if let Some(topic) = &self.status_topic {
            self.publisher.publish(topic, Some(source), None);
        }
    }

    /// Sends all that waits.
    pub(super) fn close(&self) {
        log_dropped("kafka", self.publisher.close(CLOSE_TIMEOUT));
    }
}
