//! Checks of single values. Each error says what was expected.

use std::time::Duration;

use gstemotion::emotionpublish::IncludedFrames;
use gstemotion::kafka::{self, SaslMechanism};
use gstemotion::mqtt;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::crowd::endpoint;

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

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
    checked(deserializer, |seconds| duration(seconds, 0.0, DAY))
}

/// A time in seconds, up to an hour.
pub(super) fn seconds_of_an_hour<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    checked(deserializer, |seconds| {
        duration(seconds, 0.0, HOUR).map(Some)
    })
}

/// A time in seconds after which something happens again: from a tenth of a second, so that it never happens all the time.
pub(super) fn pause<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    checked(deserializer, |seconds| duration(seconds, 0.1, DAY))
}

fn duration(seconds: f64, least: f64, most: f64) -> Result<Duration, String> {
    (least..=most)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
        .ok_or(format!(
            "expected seconds from {least} to {most}, found {seconds}"
        ))
}

/// A whole number from `LEAST` to `MOST`.
pub(super) fn number<'de, D, N, const LEAST: i64, const MOST: i64>(
    deserializer: D,
) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<i64>,
{
    checked(deserializer, |number: i64| {
        let is_in_range = (LEAST..=MOST).contains(&number);
        let found = is_in_range.then(|| N::try_from(number).ok()).flatten();
        found.ok_or(format!(
            "expected a whole number from {LEAST} to {MOST}, found {number}"
        ))
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

/// The addresses of a Kafka cluster.
pub(super) fn kafka_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<kafka::KafkaAddress, D::Error> {
    checked(deserializer, |text: String| {
        text.parse::<kafka::KafkaAddress>()
    })
}

/// A topic of Kafka.
pub(super) fn kafka_topic<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text: String| match kafka::is_topic(&text) {
        true => Ok(text),
        false => Err(kafka::Error::Topic(text)),
    })
}

/// The values of [`SaslMechanism`] in the file.
#[derive(Deserialize)]
#[serde(remote = "SaslMechanism", rename_all = "kebab-case")]
pub(super) enum SaslMechanismName {
    Plain,
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
}

/// An address of a web server.
pub(super) fn web_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text: String| {
        let is_web = ["http://", "https://"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        match endpoint::endpoint(&text) {
            Ok(Some(_)) if is_web => Ok(text),
            Ok(_) => Err("expected an address of a web server: http://… or https://…".into()),
            Err(error) => Err(error),
        }
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
