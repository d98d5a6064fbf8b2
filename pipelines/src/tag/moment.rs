//! A position in a file on the command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A position in a file: `12.5`, `1:02.5`, `1:00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(Duration);

/// The text is no position.
#[derive(Debug, thiserror::Error)]
#[error("expected seconds or minutes, such as 12.5, 1:02.5 or 1:00:00, found {0:?}")]
pub struct InvalidMoment(String);

impl Moment {
    /// The position as GStreamer has it.
    pub fn time(self) -> gst::ClockTime {
        gst::ClockTime::try_from(self.0).unwrap_or(gst::ClockTime::MAX)
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        let parse = || {
            let mut parts = text.trim().rsplit(':');
            let seconds = parts.next()?;
            let is_number = |c: char| c.is_ascii_digit() || c == '.';
            let mut total: f64 = seconds
                .chars()
                .all(is_number)
                .then(|| seconds.parse().ok())??;
            let is_last_of_several = text.contains(':');
            if is_last_of_several && total >= 60.0 {
                return None;
            }
            let mut unit = 60.0;
            for part in parts {
                if unit > 3600.0 {
                    return None;
                }
                total += f64::from(part.parse::<u16>().ok()?) * unit;
                unit *= 60.0;
            }
            Duration::try_from_secs_f64(total).ok()
        };
        parse()
            .map(Self)
            .ok_or_else(|| InvalidMoment(text.to_owned()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_secs_f64())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let time = Duration::try_from_secs_f64(seconds);
        time.map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_minutes_and_hours_are_read() {
        for (text, ms) in [
            ("0", 0),
            ("12.5", 12_500),
            ("90", 90_000),
            ("1:02.5", 62_500),
            ("90:00", 5_400_000),
            ("1:00:01", 3_601_000),
        ] {
            let moment: Moment = text.parse().unwrap();
            assert_eq!(moment.time(), gst::ClockTime::from_mseconds(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_position_is_rejected_with_examples() {
        for text in [
            "", "soon", "-1", "1:60", "1:2:3:4", "1e3", "inf", ":5", "1::2",
        ] {
            let error = text.parse::<Moment>().unwrap_err().to_string();
            assert!(error.contains("1:02.5"), "{text}: {error}");
        }
    }
}
