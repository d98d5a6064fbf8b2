//! A time that only runs forwards, whatever the timestamps do.

use std::time::Duration;

/// What a frame is taken to last where nothing says how long.
const USUAL_FRAME: Duration = Duration::from_millis(40);

/// Counts the time of a stream from 0 at its first frame.
#[derive(Debug, Default)]
pub(super) struct Clock {
    now: Duration,
    last_stamp: Option<Duration>,
    has_begun: bool,
}

impl Clock {
    /// The time of the next frame, whose timestamp is `stamp` and whose duration may be known.
    ///
    /// Without a timestamp, or with one that stands still or goes back (a seek, a loop, a broken source), the time goes on by a frame.
    pub(super) fn tick(&mut self, stamp: Option<Duration>, frame: Option<Duration>) -> Duration {
        let one_frame = frame
            .filter(|frame| !frame.is_zero())
            .unwrap_or(USUAL_FRAME);
        let step = match (stamp, self.last_stamp) {
            (Some(stamp), Some(last)) if stamp > last => stamp - last,
            _ => one_frame,
        };
        if self.has_begun {
            self.now = self.now.saturating_add(step);
        }
        self.has_begun = true;
        self.last_stamp = stamp;
        self.now
    }

    /// Lets another stretch of the stream begin, whose timestamps have nothing to do with those before.
    pub(super) fn begin_anew(&mut self) {
        self.last_stamp = None;
    }

    /// The time of the last frame.
    pub(super) fn now(&self) -> Duration {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn timestamps_that_run_forwards_are_kept_from_the_first_on() {
        let mut clock = Clock::default();
        let times = [5000, 5040, 5240].map(|stamp| clock.tick(Some(MS(stamp)), None));
        assert_eq!(times, [MS(0), MS(40), MS(240)]);
    }

    #[test]
    fn where_timestamps_go_back_or_stand_still_the_time_goes_on_by_a_frame() {
        let mut clock = Clock::default();
        let frame = Some(MS(20));
        let times = [1000, 1020, 0, 20, 20].map(|stamp| clock.tick(Some(MS(stamp)), frame));
        assert_eq!(times, [MS(0), MS(20), MS(40), MS(60), MS(80)]);
    }

    #[test]
    fn without_timestamps_every_frame_takes_its_duration() {
        let mut clock = Clock::default();
        clock.tick(None, None);
        assert_eq!(clock.tick(None, Some(MS(100))), MS(100));
        assert_eq!(clock.tick(None, None), MS(140));
        assert_eq!(clock.tick(None, Some(MS(0))), MS(180));
    }

    #[test]
    fn another_segment_goes_on_where_the_last_ended() {
        let mut clock = Clock::default();
        clock.tick(Some(MS(0)), None);
        clock.begin_anew();
        assert_eq!(clock.tick(Some(MS(90_000)), Some(MS(40))), MS(40));
        assert_eq!(clock.tick(Some(MS(90_040)), None), MS(80));
    }
}
