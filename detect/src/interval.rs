//! How often something happens in a stream: once in a number of frames, or once in a time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The least distance between two runs of something that is not needed on every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// A number of frames, written without a unit: `5`.
    Frames(u32),
    /// A time, written with its unit: `200ms`, `0.5s`.
    Time(Duration),
}

/// A text that is not an [`Interval`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of frames such as 3 or a duration such as 200ms or 0.5s, found {0:?}")]
pub struct InvalidInterval(String);

impl Interval {
    /// Whether the next run is due when the last one was `frames` frames and the time `elapsed` ago.
    pub fn is_over(self, frames: u32, elapsed: Duration) -> bool {
        match self {
            Self::Frames(least) => frames >= least,
            Self::Time(least) => elapsed >= least,
        }
    }
}

impl FromStr for Interval {
    type Err = InvalidInterval;

    fn from_str(text: &str) -> Result<Self, InvalidInterval> {
        let invalid = || InvalidInterval(text.to_owned());
        let text = text.trim();
        let (number, seconds_per_unit) = if let Some(number) = text.strip_suffix("ms") {
            (number, 1e-3)
        } else if let Some(number) = text.strip_suffix('s') {
            (number, 1.0)
        } else {
            return text.parse().map(Self::Frames).map_err(|_| invalid());
        };
        let number: f64 = number.trim_end().parse().map_err(|_| invalid())?;
        Duration::try_from_secs_f64(number * seconds_per_unit)
            .map(Self::Time)
            .map_err(|_| invalid())
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frames(frames) => write!(f, "{frames}"),
            Self::Time(time) => write!(f, "{}ms", time.as_secs_f64() * 1e3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_durations_are_told_apart_by_their_unit() {
        let ms = |ms| Ok(Interval::Time(Duration::from_millis(ms)));
        assert_eq!("3".parse(), Ok(Interval::Frames(3)));
        assert_eq!("0".parse(), Ok(Interval::Frames(0)));
        assert_eq!("200ms".parse(), ms(200));
        assert_eq!(" 0.5 s ".parse(), ms(500));
        for text in ["", "often", "-1", "-1s", "nans", "1e400s", "2 min", "3.5"] {
            let error = text.parse::<Interval>().unwrap_err();
            assert_eq!(error, InvalidInterval(text.to_owned()));
        }
    }

    #[test]
    fn an_interval_is_over_by_its_own_measure() {
        let second = Duration::from_secs(1);
        assert!(!Interval::Frames(3).is_over(2, second));
        assert!(Interval::Frames(3).is_over(3, Duration::ZERO));
        assert!(!Interval::Time(second).is_over(99, second / 2));
        assert!(Interval::Time(second).is_over(1, second));
    }
}
