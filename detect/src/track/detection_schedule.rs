//! When to detect: on every frame, now and then, or as often as the picture asks for.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// `Auto` waits so long while little happens ...
const CALM: Duration = Duration::from_millis(500);
/// ... and so long while much of the picture changes.
const BUSY: Duration = Duration::from_millis(200);
/// The share of the picture that is much.
const MUCH: f32 = 0.15;
/// A face that was missed or cannot be followed is looked for no more often than this.
const AROUND: Duration = Duration::from_millis(80);

/// The time from one detection to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interval {
    /// As often as the picture asks for: not at all while it does not change, and up to five times a second while much
    /// of it does.
    #[default]
    Auto,
    /// On one of so many frames.
    Frames(NonZeroU32),
    /// After this time.
    Time(Duration),
}

/// A text that is no [`Interval`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no interval of detections: expected auto, a number of frames such as 5, or a duration such as 200ms or 0.5s"
)]
pub struct NoInterval(String);

impl FromStr for Interval {
    type Err = NoInterval;

    fn from_str(text: &str) -> Result<Self, NoInterval> {
        let bad = || NoInterval(text.to_owned());
        let text = text.trim();
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if let Ok(frames) = text.parse() {
            return Ok(Self::Frames(frames));
        }
        let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(number), _) => (number, 1e-3),
            (None, Some(number)) => (number, 1.0),
            (None, None) => return Err(bad()),
        };
        let seconds = number.trim().parse::<f64>().map_err(|_| bad())? * unit;
        let time = Duration::try_from_secs_f64(seconds).map_err(|_| bad())?;
        Ok(Self::Time(time))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Frames(frames) => write!(f, "{frames}"),
            Self::Time(time) => write!(f, "{}ms", time.as_secs_f64() * 1e3),
        }
    }
}

/// What speaks for a detection on a frame.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Situation {
    /// Time of the frame.
    pub(super) now: Duration,
    /// The share of the picture that changed since the last detection.
    pub(super) change: f32,
    /// A face that was found is not sure yet.
    pub(super) is_unsure: bool,
    /// A face was not found where it should be.
    pub(super) is_missed: bool,
    /// A face cannot be followed.
    pub(super) is_weak: bool,
}

/// Where a detection is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nowhere,
    /// Around the faces that are unsure, missed or weak.
    Around,
    Everywhere,
}

/// Says when a detection is due.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Duration>,
    last_around: Option<Duration>,
    frames: u32,
}

impl Pace {
    /// Where a frame is to be searched; to be asked once for each.
    pub(super) fn due(&mut self, interval: Interval, situation: Situation) -> Due {
        self.frames = self.frames.saturating_add(1);
        let Some(last) = self.last else {
            return Due::Everywhere;
        };
        let Situation {
            now,
            change,
            is_unsure,
            is_missed,
            is_weak,
        } = situation;
        let is_over = match interval {
            Interval::Frames(frames) => self.frames >= frames.get(),
            Interval::Time(time) => now.saturating_sub(last) >= time,
            Interval::Auto => change > 0.0 && now.saturating_sub(last) >= wait(change),
        };
        let is_weak = is_weak && interval == Interval::Auto && change > 0.0;
        let last_look = self.last_around.map_or(last, |around| around.max(last));
        let may_look = now.saturating_sub(last_look) >= AROUND;
        match (is_over, is_unsure || (may_look && (is_missed || is_weak))) {
            (true, _) => Due::Everywhere,
            (false, true) => Due::Around,
            (false, false) => Due::Nowhere,
        }
    }

    /// A frame was searched, or given to somebody who searches it.
    pub(super) fn searched(&mut self, now: Duration, due: Due) {
        match due {
            Due::Nowhere => {}
            Due::Around => self.last_around = Some(now),
            Due::Everywhere => {
                self.last = Some(now);
                self.frames = 0;
            }
        }
    }

    /// The next frame is to be searched, whatever happened before.
    pub(super) fn demand(&mut self) {
        self.last = None;
    }
}

fn wait(change: f32) -> Duration {
    let busy = (change / MUCH).clamp(0.0, 1.0);
    CALM - (CALM - BUSY).mul_f32(busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(40);

    /// The numbers of those of 26 frames that are searched everywhere.
    fn searched(interval: &str, situation: Situation) -> Vec<u32> {
        let interval = interval.parse().unwrap();
        let mut pace = Pace::default();
        let is_searched = |frame: &u32| {
            let now = FRAME * *frame;
            let due = pace.due(interval, Situation { now, ..situation });
            pace.searched(now, due);
            due == Due::Everywhere
        };
        (0..26).filter(is_searched).collect()
    }

    fn changing(change: f32) -> Situation {
        Situation {
            change,
            ..Situation::default()
        }
    }

    #[test]
    fn frames_and_times_are_kept_to() {
        let still = Situation::default();
        assert_eq!(searched("1", still), (0..26).collect::<Vec<_>>());
        assert_eq!(searched("5", still), [0, 5, 10, 15, 20, 25]);
        assert_eq!(searched("200ms", still), [0, 5, 10, 15, 20, 25]);
        assert_eq!(searched("0.25 s", still), [0, 7, 14, 21]);
        assert_eq!(searched("0s", still).len(), 26);
    }

    #[test]
    fn auto_searches_the_more_often_the_more_changes_and_never_a_still_picture_again() {
        let counts = [0.0, 0.01, 0.08, 0.5].map(|share| searched("auto", changing(share)).len());
        assert_eq!(counts[0], 1);
        assert!(counts.is_sorted(), "{counts:?}");
        assert!(counts[1] < counts[3], "{counts:?}");
        assert_eq!(counts[3], 6);
    }

    #[test]
    fn a_weak_face_is_looked_for_in_between() {
        let mut pace = Pace::default();
        pace.searched(Duration::ZERO, Due::Everywhere);
        let weak = Situation {
            is_weak: true,
            ..changing(0.1)
        };
        let due = |pace: &mut Pace, frame: u32, interval| {
            let now = FRAME * frame;
            let due = pace.due(interval, Situation { now, ..weak });
            pace.searched(now, due);
            due
        };
        assert_eq!(due(&mut pace, 1, Interval::Auto), Due::Nowhere);
        assert_eq!(due(&mut pace, 2, Interval::Auto), Due::Around);
        assert_eq!(due(&mut pace, 3, Interval::Auto), Due::Nowhere);
        let hourly = Interval::Time(Duration::from_secs(3600));
        assert_eq!(due(&mut pace, 4, hourly), Due::Nowhere);
    }

    #[test]
    fn an_unsure_face_is_looked_for_on_the_next_frame_at_any_interval() {
        for interval in ["auto", "100", "1000s"] {
            let mut pace = Pace::default();
            pace.searched(Duration::ZERO, Due::Everywhere);
            let unsure = Situation {
                now: FRAME,
                is_unsure: true,
                ..changing(0.0)
            };
            let due = pace.due(interval.parse().unwrap(), unsure);
            assert_eq!(due, Due::Around, "{interval}");
        }
    }

    #[test]
    fn a_demand_is_met_at_once() {
        let mut pace = Pace::default();
        pace.searched(Duration::ZERO, Due::Everywhere);
        pace.demand();
        assert_eq!(
            pace.due(Interval::Auto, Situation::default()),
            Due::Everywhere
        );
    }

    #[test]
    fn intervals_are_read_as_they_are_written() {
        for text in ["auto", "1", "25", "200ms", "1500ms"] {
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), text);
        }
        assert_eq!("2s".parse::<Interval>().unwrap().to_string(), "2000ms");
    }

    #[test]
    fn what_is_no_interval_is_refused_with_what_is_expected() {
        for text in [
            "", "0", "-1", "fast", "5 frames", "ms", "-3s", "NaNs", "infs",
        ] {
            let error = text.parse::<Interval>().unwrap_err().to_string();
            assert!(error.contains("200ms"), "{text}: {error}");
        }
    }
}
