//! Checks of single values. Each error says what was expected.

use std::time::Duration;

use gstemotion::emotionpublish::IncludedFrames;
use gstemotion::mqtt;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Reads a value and passes it through `check`.
pub(super) fn checked<'de, D, T, U, E>(
    deserializer: D,
    check: impl FnOnce(T) -> Result<U, E>,
) -> Result<U, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    E: std::fmt::Display,
{
    check(T::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The name of a source, which becomes part of records, topics and addresses.
pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text: String| {
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        match text.chars().all(is_plain) && text.chars().any(|c| c != '.') {
            true => Ok(text),
            false => Err(format!(
                "{text:?} is no name: expected letters, digits, '-', '_' and '.'"
            )),
        }
    })
}

/// A time in seconds, up to a day.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    checked(deserializer, |seconds: f64| {
        (0.0..=86_400.0)
            .contains(&seconds)
            .then(|| Duration::from_secs_f64(seconds))
            .ok_or(format!("expected seconds from 0 to 86400, found {seconds}"))
    })
}

/// A rate per second, as the time from one frame to the next.
pub(super) fn period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    checked(deserializer, |rate: f64| {
        (0.01..=1000.0)
            .contains(&rate)
            .then(|| Duration::from_secs_f64(1.0 / rate))
            .ok_or(format!(
                "expected a rate from 0.01 to 1000 a second, found {rate}"
            ))
    })
}

/// The address of an MQTT broker.
pub(super) fn broker<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<mqtt::BrokerAddress, D::Error> {
    checked(deserializer, |text: String| {
        text.parse::<mqtt::BrokerAddress>()
    })
}

/// An MQTT topic, in which `{source}` stands for the name of the source.
pub(super) fn topic<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text: String| match mqtt::is_topic(&text) {
        true => Ok(text),
        false => Err(format!(
            "{text:?} is no topic to publish to: expected text without + and #"
        )),
    })
}

/// The values of [`IncludedFrames`] in the file.
#[derive(Deserialize)]
#[serde(remote = "IncludedFrames", rename_all = "kebab-case")]
pub(super) enum IncludeName {
    All,
    Changes,
}

/// How the page shows the pictures of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PictureMode {
    /// No pictures.
    Off,
    /// Faces are blurred beyond recognition.
    Blur,
    /// Faces are pixelated.
    #[default]
    Pixelate,
    /// Faces are filled with a colour.
    Fill,
    /// Faces are visible.
    Full,
}

impl PictureMode {
    /// The value of the property `privacy` of `emotionoverlay`; `None` for no pictures.
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
