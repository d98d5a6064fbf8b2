//! Checks of the values that say how a camera is read.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::values::{self, checked};
use crate::camera_mode::{self, FrameSize};
use crate::crowd::mask::Polygon;

/// Quarter turns clockwise, given in degrees.
pub(super) fn rotation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    checked(deserializer, |degrees: i64| match degrees {
        0 | 90 | 180 | 270 => Ok(Some((degrees / 90) as u8)),
        _ => Err(format!(
            "expected 0, 90, 180 or 270 degrees, found {degrees}"
        )),
    })
}

/// The size of a camera's pictures.
pub(super) fn size<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<FrameSize>, D::Error> {
    checked(deserializer, |text: String| text.parse().map(Some))
}

/// A camera's pictures a second.
pub(super) fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    checked(deserializer, |rate: f64| {
        camera_mode::checked_rate(rate).map(Some)
    })
}

/// Polygons with corners in fractions of the picture.
pub(super) fn masks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Polygon>, D::Error> {
    checked(deserializer, |polygons: Vec<Polygon>| {
        if let Some(polygon) = polygons.iter().find(|polygon| polygon.len() < 3) {
            return Err(format!(
                "expected polygons of at least 3 corners, found one of {}",
                polygon.len()
            ));
        }
        let is_outside = |value: &&f64| !(0.0..=1.0).contains(*value);
        match polygons.iter().flatten().flatten().find(is_outside) {
            Some(value) => Err(format!(
                "expected corners [x, y] in fractions of the picture from 0 to 1, found {value}"
            )),
            None => Ok(polygons),
        }
    })
}

/// `sha256:` and 64 hexadecimal digits, which may be separated by colons; the digits in lower case.
pub(super) fn fingerprint<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    checked(deserializer, |text: String| {
        let digits = text
            .strip_prefix("sha256:")
            .map(|digits| digits.replace(':', ""));
        let is_right =
            |digits: &String| digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit());
        match digits.filter(is_right) {
            Some(digits) => Ok(Some(digits.to_ascii_lowercase())),
            None => Err("expected sha256: and 64 hexadecimal digits"),
        }
    })
}

pub(super) fn snapshot_period<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    values::pause(deserializer).map(Some)
}

/// Whether interlaced pictures are deinterlaced, pictures are watched, and so on.
pub(super) fn yes() -> bool {
    true
}

/// When a picture that shows nothing is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PictureCheckSettings {
    /// After each picture has been exactly like the one before for this long; 0 for never.
    #[serde(rename = "frozen-seconds", deserialize_with = "values::seconds")]
    pub frozen: Duration,
    /// After the pictures have been black for this long; 0 for never.
    #[serde(rename = "black-seconds", deserialize_with = "values::seconds")]
    pub black: Duration,
    /// After the pictures have had no detail for this long; 0 for never.
    #[serde(rename = "covered-seconds", deserialize_with = "values::seconds")]
    pub covered: Duration,
}

impl Default for PictureCheckSettings {
    fn default() -> Self {
        Self {
            frozen: Duration::from_secs(30),
            black: Duration::from_secs(10),
            covered: Duration::from_secs(10),
        }
    }
}
