//! The settings of a run: a TOML file.
//!
//! Every type here checks its values as they are read, so that an error has a place in the file.

mod element_properties;
mod secret;
mod source;
mod values;

use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

pub use self::element_properties::{Classify, Detect, ElementProperties, Overlay};
pub use self::secret::Secret;
pub use self::source::{AtEnd, Origin, RtspTransport, SourceSettings};
pub use self::values::{Broker, FrameRate, Include, PictureMode, Seconds, SourceName, Topic};

/// An example with every setting, each with what it does.
pub const EXAMPLE: &str = include_str!("../../emotion-crowd.toml");

/// What `emotion-crowd` is to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How frames are analysed.
    #[serde(default)]
    pub analysis: AnalysisSettings,
    /// How streams that drop are opened again.
    #[serde(default)]
    pub reconnect: ReconnectSettings,
    /// Properties of `facedetect`.
    #[serde(default)]
    pub detect: ElementProperties<Detect>,
    /// Properties of `emotionclassify`.
    #[serde(default)]
    pub classify: ElementProperties<Classify>,
    /// Which records are made, and a file for them.
    #[serde(default)]
    pub records: RecordSettings,
    /// A broker that records go to.
    pub mqtt: Option<MqttSettings>,
    /// The page with its live pictures and `/metrics`.
    pub page: Option<PageSettings>,
    #[serde(rename = "source", default)]
    pub(super) sources: Vec<Spanned<SourceSettings>>,
}

/// How frames are analysed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AnalysisSettings {
    /// Threads that analyse frames; none for one for each core.
    pub workers: Option<NonZero<usize>>,
}

/// How streams that drop are opened again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReconnectSettings {
    /// A live stream without a frame for so long has dropped.
    pub stall_seconds: Seconds,
    /// The pause before the first attempt to open it again; each following one is twice as long.
    pub first_pause_seconds: Seconds,
    /// The longest pause.
    pub longest_pause_seconds: Seconds,
}

impl Default for ReconnectSettings {
    fn default() -> Self {
        Self {
            stall_seconds: Seconds::whole(10),
            first_pause_seconds: Seconds::whole(1),
            longest_pause_seconds: Seconds::whole(60),
        }
    }
}

/// Which records are made, and a file for them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RecordSettings {
    /// The file that JSON Lines are appended to, `-` for standard output.
    pub jsonl: Option<PathBuf>,
    /// Which frames are recorded.
    pub include: Include,
    /// Least time between two records of a source.
    pub interval_seconds: Seconds,
}

/// A broker that records go to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MqttSettings {
    /// The broker.
    pub address: Broker,
    /// The topic; `{source}` stands for the source's name.
    #[serde(default)]
    pub topic: Topic,
    /// Login.
    pub username: Option<String>,
    /// Login.
    pub password: Option<Secret>,
    /// Name of this client at the broker.
    pub client_id: Option<String>,
    /// Authorities to trust, PEM.
    pub tls_ca_file: Option<PathBuf>,
    /// The client's own certificate, PEM.
    pub tls_certificate_file: Option<PathBuf>,
    /// Its key, PEM.
    pub tls_key_file: Option<PathBuf>,
    /// Records that wait for a broker that is away.
    #[serde(default = "default_queue")]
    pub queue_size: NonZero<usize>,
}

fn default_queue() -> NonZero<usize> {
    const { NonZero::new(2000).unwrap() }
}

/// The page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PageSettings {
    /// Address and port.
    pub listen: std::net::SocketAddr,
    /// What a visitor has to show.
    pub token: Option<Secret>,
    /// What is to be seen of the streams.
    pub pictures: PictureMode,
    /// Pictures a second, of each stream that somebody looks at.
    pub picture_rate: FrameRate,
    /// Greatest width of a picture in pixels.
    pub picture_width: NonZero<u32>,
    /// Properties of `emotionoverlay`.
    pub overlay: ElementProperties<Overlay>,
}

impl Default for PageSettings {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 8080).into(),
            token: None,
            pictures: PictureMode::default(),
            picture_rate: FrameRate::of(5.0),
            picture_width: const { NonZero::new(640).unwrap() },
            overlay: ElementProperties::default(),
        }
    }
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What was expected, and what was found.
        message: String,
    },
}

impl Config {
    /// Reads the file at `path`. GStreamer must have been started, with the plugin registered.
    ///
    /// # Errors
    ///
    /// When it cannot be read or something in it is wrong; the error says where.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads `text`, which errors say to be from `path`.
    ///
    /// # Errors
    ///
    /// When something in it is wrong.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let wrong = |span: Option<Range<usize>>, message: String| {
            let (line, column) = place(text, span.map_or(0, |span| span.start));
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

    /// What cannot be seen in one value alone.
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
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests;
