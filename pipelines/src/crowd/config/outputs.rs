//! The settings of what the program writes and sends.

use std::path::PathBuf;
use std::time::Duration;

use gstemotion::emotionpublish::IncludedFrames;
use gstemotion::kafka::{self, KafkaAddress, SaslMechanism};
use gstemotion::mqtt::{self, BrokerAddress, LastWill};
use serde::{Deserialize, Deserializer};

use super::secret::Secret;
use super::values;

/// What the availability topic says when the program has ended.
pub(crate) const OFFLINE: &str = "offline";

/// Which frames are recorded, and a file for the records.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "RecordTable")]
pub struct RecordSettings {
    /// Which frames are recorded.
    pub rule: RecordRule,
    /// The file; `None` for none.
    pub file: Option<FileSettings>,
    /// Whether a rotation is set, which needs a file.
    pub(super) has_rotation: bool,
}

/// Which frames are recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordRule {
    /// All, or those with changes.
    pub include: IncludedFrames,
    /// The shortest time between two records of a source.
    pub interval: Duration,
}

/// A file to which JSON Lines are appended.
#[derive(Debug)]
pub struct FileSettings {
    /// Its path, `-` for standard output.
    pub path: PathBuf,
    /// The size in bytes that it does not exceed.
    pub rotate_bytes: Option<u64>,
    /// The age at which it is put aside.
    pub rotate_period: Option<Duration>,
    /// The number of files that are kept aside.
    pub kept: usize,
}

/// The table in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RecordTable {
    jsonl: Option<PathBuf>,
    #[serde(default, with = "values::IncludeName")]
    include: IncludedFrames,
    #[serde(
        default,
        rename = "interval-seconds",
        deserialize_with = "values::seconds"
    )]
    interval: Duration,
    #[serde(default, deserialize_with = "megabytes")]
    rotate_megabytes: Option<u64>,
    #[serde(default, deserialize_with = "hours")]
    rotate_hours: Option<Duration>,
    #[serde(
        default = "default_kept",
        deserialize_with = "values::number::<_, _, 1, 10_000>"
    )]
    rotate_keep: usize,
}

fn megabytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let megabytes = values::number::<_, u64, 1, 1_000_000>(deserializer)?;
    Ok(Some(megabytes * 1_000_000))
}

fn hours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let hours = values::number::<_, u64, 1, 8_760>(deserializer)?;
    Ok(Some(Duration::from_secs(hours * 3600)))
}

fn default_kept() -> usize {
    7
}

impl From<RecordTable> for RecordSettings {
    fn from(table: RecordTable) -> Self {
        let (rotate_bytes, rotate_period) = (table.rotate_megabytes, table.rotate_hours);
        Self {
            rule: RecordRule {
                include: table.include,
                interval: table.interval,
            },
            file: table.jsonl.map(|path| FileSettings {
                path,
                rotate_bytes,
                rotate_period,
                kept: table.rotate_keep,
            }),
            has_rotation: rotate_bytes.is_some() || rotate_period.is_some(),
        }
    }
}

/// An MQTT broker for the records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MqttSettings {
    /// The address of the broker.
    #[serde(deserialize_with = "values::broker")]
    pub address: BrokerAddress,
    /// The topic; `{source}` stands for the name of the source.
    #[serde(default = "default_topic", deserialize_with = "values::topic")]
    pub topic: String,
    /// The topic of the status of a source, which the broker keeps.
    #[serde(default = "default_status_topic", deserialize_with = "values::topic")]
    pub status_topic: String,
    /// The topic that says `online` or, also when the program breaks down, `offline`.
    #[serde(
        default = "default_availability_topic",
        deserialize_with = "values::topic"
    )]
    pub availability_topic: String,
    /// The topic under which Home Assistant looks for devices; `None` to tell it nothing.
    #[serde(default, deserialize_with = "optional_topic")]
    pub home_assistant: Option<String>,
    /// User name for the login.
    pub username: Option<String>,
    /// Password for the login.
    pub password: Option<Secret>,
    /// Name of this client at the broker; `None` for a random one.
    pub client_id: Option<String>,
    /// PEM file of the trusted authorities; `None` for those of the system.
    pub tls_ca_file: Option<PathBuf>,
    /// PEM file of the client's certificate.
    pub tls_certificate_file: Option<PathBuf>,
    /// PEM file of the certificate's key.
    pub tls_key_file: Option<PathBuf>,
    /// Number of records that are kept while the broker is unreachable.
    #[serde(
        default = "default_queue",
        deserialize_with = "values::number::<_, _, 1, 1_000_000>"
    )]
    pub queue_size: usize,
}

impl MqttSettings {
    /// The settings of the client of the broker.
    pub(crate) fn publisher(&self) -> mqtt::Settings {
        let password = self.password.as_ref().map(Secret::reveal);
        mqtt::Settings {
            address: self.address.clone(),
            username: self.username.clone(),
            password: password.map(str::to_owned),
            client_id: self.client_id.clone(),
            tls_ca_file: self.tls_ca_file.clone(),
            tls_certificate_file: self.tls_certificate_file.clone(),
            tls_key_file: self.tls_key_file.clone(),
            last_will: Some(LastWill {
                topic: self.availability_topic.clone(),
                payload: OFFLINE.into(),
            }),
            queue_size: self.queue_size,
        }
    }
}

/// A Kafka cluster for the records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KafkaSettings {
    /// The addresses of brokers.
    #[serde(deserialize_with = "values::kafka_address")]
    pub address: KafkaAddress,
    /// The topic of the records; the name of the source is their key.
    #[serde(
        default = "default_kafka_topic",
        deserialize_with = "values::kafka_topic"
    )]
    pub topic: String,
    /// The topic of the status of the sources, which should be compacted; `None` for none.
    #[serde(default, deserialize_with = "optional_kafka_topic")]
    pub status_topic: Option<String>,
    /// User name for the login.
    pub username: Option<String>,
    /// Password for the login.
    pub password: Option<Secret>,
    /// How to log in.
    #[serde(default, with = "values::SaslMechanismName")]
    pub sasl_mechanism: SaslMechanism,
    /// Name of this client in the logs of the brokers.
    pub client_id: Option<String>,
    /// PEM file of the trusted authorities; `None` for those of the system.
    pub tls_ca_file: Option<PathBuf>,
    /// PEM file of the client's certificate.
    pub tls_certificate_file: Option<PathBuf>,
    /// PEM file of the certificate's key.
    pub tls_key_file: Option<PathBuf>,
    /// Number of records that are kept while no broker is reachable.
    #[serde(
        default = "default_queue",
        deserialize_with = "values::number::<_, _, 1, 1_000_000>"
    )]
    pub queue_size: usize,
}

impl KafkaSettings {
    /// The settings of the client of the cluster.
    pub(crate) fn publisher(&self) -> kafka::Settings {
        let password = self.password.as_ref().map(Secret::reveal);
        kafka::Settings {
            address: self.address.clone(),
            username: self.username.clone(),
            password: password.map(str::to_owned),
            mechanism: self.sasl_mechanism,
            client_id: self.client_id.clone(),
            tls_ca_file: self.tls_ca_file.clone(),
            tls_certificate_file: self.tls_certificate_file.clone(),
            tls_key_file: self.tls_key_file.clone(),
            queue_size: self.queue_size,
        }
    }
}

fn default_kafka_topic() -> String {
    "emotion".into()
}

fn optional_kafka_topic<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    values::kafka_topic(deserializer).map(Some)
}

fn default_topic() -> String {
    "emotion/{source}".into()
}

fn default_queue() -> usize {
    2000
}

fn default_status_topic() -> String {
    "emotion/{source}/status".into()
}

fn default_availability_topic() -> String {
    "emotion-crowd/availability".into()
}

fn optional_topic<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    values::topic(deserializer).map(Some)
}

/// A server that is told of events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookSettings {
    /// Its address; events are sent there as JSON by POST.
    #[serde(deserialize_with = "values::web_address")]
    pub url: String,
    /// A token that is sent as `Authorization: Bearer …`.
    pub token: Option<Secret>,
    /// PEM file of the trusted authorities; `None` for those of the system.
    pub tls_ca_file: Option<PathBuf>,
    /// How long the server may take to answer.
    #[serde(
        rename = "timeout-seconds",
        default = "default_webhook_timeout",
        deserialize_with = "values::pause"
    )]
    pub timeout: Duration,
    /// How often an event is sent again that the server did not take.
    #[serde(
        default = "default_retries",
        deserialize_with = "values::number::<_, _, 0, 100>"
    )]
    pub retries: u32,
    /// Number of events that wait for the server.
    #[serde(
        default = "default_events",
        deserialize_with = "values::number::<_, _, 1, 100_000>"
    )]
    pub queue_size: usize,
}

fn default_webhook_timeout() -> Duration {
    Duration::from_secs(5)
}

fn default_retries() -> u32 {
    5
}

fn default_events() -> usize {
    100
}
