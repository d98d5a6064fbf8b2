//! Single values that say what is wrong with them.

use std::fmt;
use std::time::Duration;

use gstemotion::emotionpublish;
use gstemotion::mqtt;
use serde::Deserialize;

/// The name of a source: it stands in records, topics and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SourceName(String);

impl TryFrom<String> for SourceName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if text.is_empty() || !text.chars().all(is_plain) || text.chars().all(|c| c == '.') {
            return Err(format!(
                "{text:?} is no name: expected letters, digits, '-', '_' and '.'"
            ));
        }
        Ok(Self(text))
    }
}

impl SourceName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A time in seconds, up to a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Seconds(Duration);

impl Seconds {
    pub(super) const fn whole(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// As a duration.
    pub fn get(self) -> Duration {
        self.0
    }
}

impl TryFrom<f64> for Seconds {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, String> {
        (0.0..=86_400.0)
            .contains(&seconds)
            .then(|| Self(Duration::from_secs_f64(seconds)))
            .ok_or(format!("expected seconds from 0 to 86400, found {seconds}"))
    }
}

/// So many a second.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct FrameRate(f64);

impl FrameRate {
    pub(super) const fn of(rate: f64) -> Self {
        Self(rate)
    }

    /// The time from one to the next.
    pub fn period(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

impl TryFrom<f64> for FrameRate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        (0.01..=1000.0)
            .contains(&rate)
            .then_some(Self(rate))
            .ok_or(format!(
                "expected a rate from 0.01 to 1000 a second, found {rate}"
            ))
    }
}

/// Where an MQTT broker is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Broker(pub mqtt::BrokerAddress);

impl TryFrom<String> for Broker {
    type Error = mqtt::Error;

    fn try_from(text: String) -> Result<Self, mqtt::Error> {
        text.parse().map(Self)
    }
}

/// An MQTT topic in which `{source}` stands for the source's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Topic(String);

impl Default for Topic {
    fn default() -> Self {
        Self("emotion/{source}".into())
    }
}

impl Topic {
    /// The topic of the source of this name.
    pub fn of(&self, source: &str) -> String {
        self.0.replace("{source}", source)
    }
}

impl TryFrom<String> for Topic {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.contains(['+', '#', '\0']) {
            return Err(format!(
                "{text:?} is no topic to publish to: expected text without + and #"
            ));
        }
        Ok(Self(text))
    }
}

/// Which frames are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Include {
    /// Every analysed frame.
    #[default]
    All,
    /// Frames with other people or emotions than the last record.
    Changes,
}

impl From<Include> for emotionpublish::IncludedFrames {
    fn from(include: Include) -> Self {
        match include {
            Include::All => Self::All,
            Include::Changes => Self::Changes,
        }
    }
}

/// What is to be seen of a stream on the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PictureMode {
    /// Nothing.
    Off,
    /// The picture with faces blurred beyond recognition.
    Blur,
    /// The picture with faces in large squares.
    #[default]
    Pixelate,
    /// The picture with faces filled.
    Fill,
    /// The picture as it is.
    Full,
}

impl PictureMode {
    /// The value of the overlay's property `privacy`, if there are pictures.
    pub fn privacy(self) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::Blur => Some("blur"),
            Self::Pixelate => Some("pixelate"),
            Self::Fill => Some("fill"),
            Self::Full => Some("none"),
        }
    }
}
