//! The settings of `emotionpublish`.

use std::path::PathBuf;

use gst::glib;

use crate::face::FaceTypes;
use crate::kafka::{self, SaslMechanism};
use crate::mqtt;

/// How records are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPublishFormat")]
#[repr(u32)]
pub enum RecordFormat {
    /// A JSON object a frame.
    #[default]
    #[enum_value(name = "JSON Lines, an object for each frame", nick = "jsonl")]
    JsonLines,
    /// A line a face.
    #[enum_value(name = "CSV, a line for each face", nick = "csv")]
    Csv,
}

/// Where records go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPublishMethod")]
#[repr(u32)]
pub enum PublishMethod {
    /// To `location`.
    #[default]
    #[enum_value(name = "File, pipe, device or standard output", nick = "file")]
    File,
    /// To the broker at `address`.
    #[enum_value(name = "MQTT broker", nick = "mqtt")]
    Mqtt,
    /// To the cluster at `address`; needs the cargo feature `kafka`.
    #[enum_value(
        name = "Kafka cluster, in builds with the cargo feature kafka",
        nick = "kafka"
    )]
    Kafka,
}

/// Which frames are recorded.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPublishInclude")]
#[repr(u32)]
pub enum IncludedFrames {
    /// Every frame.
    #[default]
    #[enum_value(name = "Every frame", nick = "all")]
    All,
    /// Frames with other faces, emotions or counts of zones than the last recorded one.
    #[enum_value(
        name = "Frames whose faces, emotions or counts of zones differ from the last record",
        nick = "changes"
    )]
    Changes,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) method: PublishMethod,
    pub(super) format: RecordFormat,
    pub(super) location: Option<String>,
    pub(super) address: Option<String>,
    pub(super) topic: String,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) sasl_mechanism: SaslMechanism,
    pub(super) client_id: Option<String>,
    pub(super) tls_ca_file: Option<String>,
    pub(super) tls_certificate_file: Option<String>,
    pub(super) tls_key_file: Option<String>,
    pub(super) queue_size: u32,
    pub(super) interval: gst::ClockTime,
    pub(super) include: IncludedFrames,
    pub(super) wall_clock: bool,
    pub(super) source: Option<String>,
    pub(super) face_types: FaceTypes,
}

/// What the settings of a broker lack.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("no broker to send to: set address to {0}://HOST, or {0}s://HOST for TLS")]
    NoAddress(&'static str),
    #[error(transparent)]
    Mqtt(#[from] mqtt::Error),
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: PublishMethod::default(),
            format: RecordFormat::default(),
            location: None,
            address: None,
            topic: "emotion".into(),
            username: None,
            password: None,
            sasl_mechanism: SaslMechanism::default(),
            client_id: None,
            tls_ca_file: None,
            tls_certificate_file: None,
            tls_key_file: None,
            // About a minute of video without a broker.
            queue_size: 2000,
            interval: gst::ClockTime::ZERO,
            include: IncludedFrames::default(),
            wall_clock: false,
            source: None,
            face_types: FaceTypes::default(),
        }
    }
}

impl Settings {
    /// The settings of the MQTT publisher.
    ///
    /// # Errors
    ///
    /// If the address is missing or invalid.
    pub(super) fn mqtt(&self) -> Result<mqtt::Settings, Error> {
        Ok(mqtt::Settings {
            address: self.address("mqtt")?.parse()?,
            username: self.username.clone(),
            password: self.password.clone(),
            client_id: self.client_id.clone(),
            tls_ca_file: path(self.tls_ca_file.as_ref()),
            tls_certificate_file: path(self.tls_certificate_file.as_ref()),
            tls_key_file: path(self.tls_key_file.as_ref()),
            last_will: None,
            queue_size: self.queue_size as usize,
        })
    }

    /// The settings of the Kafka publisher.
    ///
    /// # Errors
    ///
    /// If the address is missing or invalid.
    pub(super) fn kafka(&self) -> Result<kafka::Settings, Error> {
        Ok(kafka::Settings {
            address: self.address("kafka")?.parse()?,
            username: self.username.clone(),
            password: self.password.clone(),
            mechanism: self.sasl_mechanism,
            client_id: self.client_id.clone(),
            tls_ca_file: path(self.tls_ca_file.as_ref()),
            tls_certificate_file: path(self.tls_certificate_file.as_ref()),
            tls_key_file: path(self.tls_key_file.as_ref()),
            queue_size: self.queue_size as usize,
        })
    }

    fn address(&self, scheme: &'static str) -> Result<&str, Error> {
        let address = self.address.as_deref();
        let address = address.filter(|address| !address.is_empty());
        address.ok_or(Error::NoAddress(scheme))
    }
}

fn path(text: Option<&String>) -> Option<PathBuf> {
    text.map(PathBuf::from)
}
