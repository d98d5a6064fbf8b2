//! How often a face is classified.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use emotion_detect::interval::Interval;

/// Time between two classifications of a face with a sure emotion under [`ClassifyInterval::Auto`].
const SURE: Duration = Duration::from_millis(500);

/// Time up to the next classification of a face after the first unsure one: less than a frame takes.
const UNSURE: Duration = Duration::from_millis(15);

/// How often each face is classified; between, its emotion stays.
///
/// A face that looks different is classified at once, whatever the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassifyInterval {
    /// Twice a second, and again on the next frame where the emotion is unsure: it is uncertain or near that, the last answer
    /// contradicts it, or the face is new. While a face stays unsure, the time from one classification to the next doubles
    /// until it is half a second.
    #[default]
    Auto,
    /// A fixed interval.
    Every(Interval),
}

/// A text that is not a [`ClassifyInterval`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected auto, a number of frames such as 3, or a duration such as 200ms or 0.5s, found {0:?}"
)]
pub struct InvalidClassifyInterval(String);

impl ClassifyInterval {
    /// Whether a face is due `frames` frames and the time `elapsed` after it was last classified, when that was the `unsure`th
    /// unsure classification in a row; 0 if it was sure.
    pub(crate) fn is_over(self, frames: u32, elapsed: Duration, unsure: u32) -> bool {
        match self {
            Self::Every(interval) => interval.is_over(frames, elapsed),
            Self::Auto => {
                let doubled = unsure.checked_sub(1).and_then(|doublings| {
                    let factor = 2u32.checked_pow(doublings)?;
                    UNSURE.checked_mul(factor)
                });
                elapsed >= doubled.map_or(SURE, |doubled| doubled.min(SURE))
            }
        }
    }
}

impl FromStr for ClassifyInterval {
    type Err = InvalidClassifyInterval;

    fn from_str(text: &str) -> Result<Self, InvalidClassifyInterval> {
        if text.trim() == "auto" {
            return Ok(Self::Auto);
        }
        let interval = text.parse().map(Self::Every);
        interval.map_err(|_| InvalidClassifyInterval(text.to_owned()))
    }
}

impl fmt::Display for ClassifyInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Every(interval) => interval.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn auto_and_fixed_intervals_are_written_as_they_are_read() {
        for text in ["auto", "3", "200ms"] {
            let interval: ClassifyInterval = text.parse().unwrap();
            assert_eq!(interval.to_string(), text);
        }
        let error = "often".parse::<ClassifyInterval>().unwrap_err().to_string();
        assert!(
            error.contains("auto") && error.contains("\"often\""),
            "{error}"
        );
    }

    #[test]
    fn a_sure_face_is_due_twice_a_second() {
        assert!(!ClassifyInterval::Auto.is_over(99, ms(499), 0));
        assert!(ClassifyInterval::Auto.is_over(1, ms(500), 0));
    }

    #[test]
    fn an_unsure_face_is_due_on_the_next_frame_and_ever_more_seldom_while_it_stays_so() {
        let mut times = vec![0];
        let mut unsure = 1;
        for time in (40..4000).step_by(40) {
            if ClassifyInterval::Auto.is_over(1, ms(time - times[times.len() - 1]), unsure) {
                times.push(time);
                unsure += 1;
            }
        }
        assert_eq!(times[..6], [0, 40, 80, 160, 280, 520]);
        let mut gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        assert_eq!(
            gaps.next_back(),
            Some(520),
            "the first frame after half a second"
        );
        assert!(ClassifyInterval::Auto.is_over(1, ms(500), u32::MAX));
    }

    #[test]
    fn a_fixed_interval_does_not_depend_on_what_is_sure() {
        let every: ClassifyInterval = "3".parse().unwrap();
        assert!(!every.is_over(2, ms(9999), 1));
        assert!(every.is_over(3, ms(0), 0));
    }
}
