//! The settings of a run: a TOML file.
//!
//! Every value is checked as it is read, so that an error has a position in the file.

mod element_properties;
mod secret;
mod source;
mod values;

use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gstemotion::emotionpublish::IncludedFrames;
use gstemotion::mqtt::BrokerAddress;
use serde::Deserialize;
use toml::Spanned;

pub use self::element_properties::{
    EMOTIONCLASSIFY, EMOTIONOVERLAY, ElementProperties, FACEDETECT, make_element,
};
pub use self::secret::Secret;
pub use self::source::{EndAction, Origin, RtspTransport, SourceSettings};
pub use self::values::PictureMode;

/// An example with every setting explained.
pub const EXAMPLE: &str = include_str!("../../emotion-crowd.toml");

/// The settings of `emotion-crowd`.
#[derive(Debug, Deserialize)]
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
    /// Which frames are recorded, and a file for the records.
    #[serde(default)]
    pub records: RecordSettings,
    /// An MQTT broker for the records.
    pub mqtt: Option<MqttSettings>,
    /// The page with live pictures and `/metrics`.
    pub page: Option<PageSettings>,
    #[serde(rename = "source", default)]
    pub(super) sources: Vec<Spanned<SourceSettings>>,
}

/// How frames are analysed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AnalysisSettings {
    /// Number of threads that analyse frames; `None` for one per core.
    pub workers: Option<NonZero<usize>>,
}

/// How streams are opened again after a failure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReconnectSettings {
    /// A live stream without a frame for this long has failed.
    #[serde(rename = "stall-seconds", deserialize_with = "values::seconds")]
    pub stall: Duration,
    /// The pause before the stream is opened again; each following pause is twice as long.
    #[serde(rename = "first-pause-seconds", deserialize_with = "values::seconds")]
    pub first_pause: Duration,
    /// The longest pause.
    #[serde(rename = "longest-pause-seconds", deserialize_with = "values::seconds")]
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

/// Which frames are recorded, and a file for the records.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RecordSettings {
    /// The file to which JSON Lines are appended, `-` for standard output.
    pub jsonl: Option<PathBuf>,
    /// Which frames are recorded.
    #[serde(with = "values::IncludeName")]
    pub include: IncludedFrames,
    /// The shortest time between two records of a source.
    #[serde(rename = "interval-seconds", deserialize_with = "values::seconds")]
    pub interval: Duration,
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
    #[serde(default = "default_queue")]
    pub queue_size: NonZero<usize>,
}

fn default_topic() -> String {
    "emotion/{source}".into()
}

fn default_queue() -> NonZero<usize> {
    const { NonZero::new(2000).unwrap() }
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
    pub picture_width: NonZero<u32>,
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
            picture_width: const { NonZero::new(640).unwrap() },
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

impl Config {
    /// Reads the file at `path`. GStreamer must be initialised and the plugin registered.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or has an error, with its position.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads `text`; errors name `path` as its source.
    ///
    /// # Errors
    ///
    /// If the text has an error, with its position.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let wrong = |span: Option<Range<usize>>, message: String| {
            let (line, column) = position(text, span.map_or(0, |span| span.start));
            Error::Wrong {
                path: path.to_owned(),
                line,
                column,
                message,
            }
        };
        let config: Self = toml::from_str(text)
            .map_err(|error| wrong(error.span(), error.message().to_owned()))?;
        match config.contradiction() {
            Some((span, message)) => Err(wrong(span, message)),
            None => Ok(config),
        }
    }

    /// An error that does not show in one value alone.
    fn contradiction(&self) -> Option<(Option<Range<usize>>, String)> {
        if self.sources.is_empty() {
            let message = "no source: expected at least one [[source]] with a name and a uri";
            return Some((None, message.into()));
        }
        for (index, source) in self.sources.iter().enumerate() {
            let name = &source.get_ref().name;
            let before = &self.sources[..index];
            if before.iter().any(|other| other.get_ref().name == *name) {
                let message = format!("a second source named {name}: expected names that differ");
                return Some((Some(source.span()), message));
            }
        }
        None
    }
}

/// Line and column, from 1, of the byte at `offset`.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests;
