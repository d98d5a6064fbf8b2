//! How often a face is classified.

use std::str::FromStr;
use std::time::Duration;

/// A face whose crop differs more than this from the one that was classified is due at once. It is the mean difference of
/// pixels in [-1, 1], after the means of both crops are subtracted, so that flickering light is no change.
const CHANGED: f32 = 0.15;

/// The shortest distance between two classifications of the same face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassificationInterval {
    /// Every so many frames, at least 1.
    Frames(u32),
    /// After this time.
    Time(Duration),
}

/// The text, given here, is not a [`ClassificationInterval`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of frames such as 3 or a duration such as 200ms or 0.5s, found {0:?}")]
pub struct IntervalError(String);

impl Default for ClassificationInterval {
    /// Every frame.
    fn default() -> Self {
        Self::Frames(1)
    }
}

impl FromStr for ClassificationInterval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let invalid = || IntervalError(text.to_owned());
        let text = text.trim();
        let (number, unit) = match text.strip_suffix("ms") {
            Some(number) => (number, 1e-3),
            None => match text.strip_suffix('s') {
                Some(number) => (number, 1.0),
                None => {
                    let frames: u32 = text.parse().map_err(|_| invalid())?;
                    return Ok(Self::Frames(frames.max(1)));
                }
            },
        };
        let number: f64 = number.trim_end().parse().map_err(|_| invalid())?;
        let time = Duration::try_from_secs_f64(number * unit).map_err(|_| invalid())?;
        Ok(Self::Time(time))
    }
}

impl ClassificationInterval {
    /// Whether a face that was last classified `frames` frames and `elapsed` ago is due.
    pub(crate) fn is_over(self, frames: u32, elapsed: Duration) -> bool {
        match self {
            Self::Frames(least) => frames >= least,
            Self::Time(least) => elapsed >= least,
        }
    }
}

/// Whether two crops of a face differ so much that its emotion may have changed.
pub(crate) fn has_changed(before: &[f32], now: &[f32]) -> bool {
    if before.len() != now.len() {
        return true;
    }
    let count = now.len().max(1) as f32;
    let mean = |crop: &[f32]| crop.iter().sum::<f32>() / count;
    let brighter = mean(now) - mean(before);
    let differences = before
        .iter()
        .zip(now)
        .map(|(b, n)| (n - b - brighter).abs());
    differences.sum::<f32>() / count > CHANGED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_durations_are_told_apart_by_their_unit() {
        let ms = |ms| Ok(ClassificationInterval::Time(Duration::from_millis(ms)));
        assert_eq!("3".parse(), Ok(ClassificationInterval::Frames(3)));
        assert_eq!("0".parse(), Ok(ClassificationInterval::Frames(1)));
        assert_eq!("200ms".parse(), ms(200));
        assert_eq!(" 0.5 s ".parse(), ms(500));
        for text in ["", "often", "-1", "-1s", "nans", "1e400s", "2 min", "3.5"] {
            let error = text.parse::<ClassificationInterval>().unwrap_err();
            assert_eq!(error, IntervalError(text.to_owned()));
        }
    }

    #[test]
    fn an_interval_is_over_by_its_own_measure() {
        let second = Duration::from_secs(1);
        assert!(ClassificationInterval::default().is_over(1, Duration::ZERO));
        assert!(!ClassificationInterval::Frames(3).is_over(2, second));
        assert!(ClassificationInterval::Frames(3).is_over(3, Duration::ZERO));
        assert!(!ClassificationInterval::Time(second).is_over(99, second / 2));
        assert!(ClassificationInterval::Time(second).is_over(1, second));
    }

    #[test]
    fn another_picture_is_a_change_and_other_brightness_is_none() {
        let stripes: Vec<f32> = (0..100).map(|i| 0.4 * (i % 2) as f32).collect();
        let brighter: Vec<f32> = stripes.iter().map(|v| v + 0.3).collect();
        let inverted: Vec<f32> = stripes.iter().map(|v| 0.4 - v).collect();
        assert!(!has_changed(&stripes, &stripes));
        assert!(!has_changed(&stripes, &brighter));
        assert!(has_changed(&stripes, &inverted));
        assert!(has_changed(&stripes, &stripes[1..]), "another size");
    }
}
