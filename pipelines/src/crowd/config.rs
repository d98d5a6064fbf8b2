//! The settings of a run: a TOML file.
//!
//! Every value is checked as it is read, so that an error has a position in the file.

mod api;
mod camera_values;
mod contradiction;
mod difference;
mod element_properties;
mod outputs;
mod position;
mod reading;
mod redaction;
mod secret;
mod source;
mod values;
mod zone;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use self::api::ApiSettings;
pub use self::camera_values::PictureCheckSettings;
pub(super) use self::difference::{ConfigDifference, SourceChange, source_change};
pub use self::element_properties::{
    EMOTIONCLASSIFY, EMOTIONOVERLAY, ElementProperties, FACEDETECT, make_element,
};
pub(super) use self::outputs::OFFLINE;
pub use self::outputs::{
    FileSettings, KafkaSettings, MqttSettings, RecordRule, RecordSettings, WebhookSettings,
};
pub use self::secret::Secret;
pub use self::source::{EndAction, Origin, RtspTransport, SourceSettings};
pub use self::values::PictureMode;
pub use self::zone::ZoneTimes;

use crate::shard::Shard;

/// An example with every setting explained.
pub const EXAMPLE: &str = include_str!("../../emotion-crowd.toml");

/// The settings of `emotion-crowd`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How frames are analysed.
    #[serde(default)]
    pub analysis: AnalysisSettings,
    /// How streams are opened again after a failure.
    #[serde(default)]
    pub reconnect: ReconnectSettings,
    /// Properties of `facedetect`.
    #[serde(default, deserialize_with = "ElementProperties::facedetect")]
    pub detect: ElementProperties,
    /// Properties of `emotionclassify`.
    #[serde(default, deserialize_with = "ElementProperties::emotionclassify")]
    pub classify: ElementProperties,
    /// How people in zones are counted.
    #[serde(default)]
    pub zones: ZoneTimes,
    /// When a picture that shows nothing is reported.
    #[serde(default)]
    pub picture_check: PictureCheckSettings,
    /// Which frames are recorded, and a file for the records.
    #[serde(default)]
    pub records: RecordSettings,
    /// An MQTT broker for the records.
    pub mqtt: Option<MqttSettings>,
    /// A Kafka cluster for the records; needs the cargo feature `kafka`.
    pub kafka: Option<KafkaSettings>,
    /// A server that is told of events.
    pub webhook: Option<WebhookSettings>,
    /// The page with live pictures and `/metrics`.
    pub page: Option<PageSettings>,
    /// The control of the sources while the program runs.
    pub api: Option<ApiSettings>,
    #[serde(rename = "source", default)]
    pub(super) sources: Vec<SourceSettings>,
    /// The file, for the position of an error.
    #[serde(skip)]
    file: SettingsFile,
    /// The settings as they were written, to compare them with others.
    #[serde(skip)]
    table: toml::Table,
    /// The part of the sources in the file that is watched.
    #[serde(skip)]
    shard: Option<Shard>,
}

/// Hides the secrets.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("sources", &self.sources)
            .field("mqtt", &self.mqtt)
            .field("kafka", &self.kafka)
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Keeps the sources of one part.
    pub(super) fn keep_shard(&mut self, shard: Shard) {
        self.shard = Some(shard);
        self.sources
            .retain(|source| shard.contains(Path::new(&source.name)));
    }

    /// The part of the sources that is watched; all if none.
    pub(super) fn shard(&self) -> Option<Shard> {
        self.shard
    }
}

/// The text of the settings and where it stands.
#[derive(Default)]
struct SettingsFile {
    path: PathBuf,
    text: String,
}

/// How frames are analysed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AnalysisSettings {
    /// Number of threads that analyse frames; `None` for one per core.
    #[serde(deserialize_with = "workers")]
    pub workers: Option<usize>,
}

fn workers<'de, D: serde::Deserializer<'de>>(number: D) -> Result<Option<usize>, D::Error> {
    values::number::<_, _, 1, 256>(number).map(Some)
}

/// How streams are opened again after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReconnectSettings {
    /// A live stream without a frame for this long has failed.
    #[serde(rename = "stall-seconds", deserialize_with = "values::pause")]
    pub stall: Duration,
    /// The pause before the stream is opened again; each following pause is twice as long.
    #[serde(rename = "first-pause-seconds", deserialize_with = "values::pause")]
    pub first_pause: Duration,
    /// The longest pause.
    #[serde(rename = "longest-pause-seconds", deserialize_with = "values::pause")]
    pub longest_pause: Duration,
}

impl Default for ReconnectSettings {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(10),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }
}

/// The page with live pictures and `/metrics`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PageSettings {
    /// Address and port to listen on.
    pub listen: std::net::SocketAddr,
    /// The token that visitors need.
    pub token: Option<Secret>,
    /// PEM file with the certificate for TLS, followed by those of its authorities.
    pub certificate: Option<PathBuf>,
    /// PEM file with the key of the certificate.
    pub key: Option<PathBuf>,
    /// How the pictures of the streams are shown.
    pub pictures: PictureMode,
    /// The time between two pictures of a stream that somebody watches.
    #[serde(rename = "picture-rate", deserialize_with = "values::period")]
    pub picture_period: Duration,
    /// The greatest width of a picture in pixels.
    #[serde(deserialize_with = "values::number::<_, _, 16, 7680>")]
    pub picture_width: u32,
    /// Properties of `emotionoverlay`.
    #[serde(deserialize_with = "ElementProperties::emotionoverlay")]
    pub overlay: ElementProperties,
}

impl Default for PageSettings {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 8080).into(),
            token: None,
            certificate: None,
            key: None,
            pictures: PictureMode::default(),
            picture_period: Duration::from_millis(200),
            picture_width: 640,
            overlay: ElementProperties::default(),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The file has an error.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line number, from 1.
        line: usize,
        /// The number of the character in the line, from 1.
        column: usize,
        /// What was expected, and what was found.
        message: String,
    },
}

#[cfg(test)]
mod tests;
