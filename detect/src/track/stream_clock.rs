//! A clock that only runs forwards, whatever the timestamps of a stream do.

use std::time::Duration;

/// Duration of a frame whose own duration is unknown.
const DEFAULT_FRAME: Duration = Duration::from_millis(40);

/// Counts the time of a stream from 0 at its first frame.
#[derive(Debug, Default)]
pub struct StreamClock {
    now: Duration,
    last_timestamp: Option<Duration>,
    has_begun: bool,
}

impl StreamClock {
    /// Advances to the next frame and returns its time.
    ///
    /// A frame without a timestamp, or with one that stands still or goes back (after a seek, in a loop, from a broken
    /// source), is `duration` after the last one, or 40 ms where that is unknown.
    pub fn tick(&mut self, timestamp: Option<Duration>, duration: Option<Duration>) -> Duration {
        let one_frame = duration
            .filter(|duration| !duration.is_zero())
            .unwrap_or(DEFAULT_FRAME);
        let step = match (timestamp, self.last_timestamp) {
            (Some(timestamp), Some(last)) if timestamp > last => timestamp - last,
            _ => one_frame,
        };
        if self.has_begun {
            self.now = self.now.saturating_add(step);
        }
        self.has_begun = true;
        self.last_timestamp = timestamp;
        self.now
    }

    /// Begins another segment, whose timestamps are unrelated to the earlier ones.
    pub fn begin_segment(&mut self) {
        self.last_timestamp = None;
    }

    /// Time of the last frame.
    pub fn now(&self) -> Duration {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn timestamps_that_run_forwards_are_kept_from_the_first_on() {
        let mut clock = StreamClock::default();
        let times = [5000, 5040, 5240].map(|timestamp| clock.tick(Some(MS(timestamp)), None));
        assert_eq!(times, [MS(0), MS(40), MS(240)]);
    }

    #[test]
    fn when_timestamps_go_back_or_stand_still_time_advances_by_a_frame() {
        let mut clock = StreamClock::default();
        let duration = Some(MS(20));
        let times =
            [1000, 1020, 0, 20, 20].map(|timestamp| clock.tick(Some(MS(timestamp)), duration));
        assert_eq!(times, [MS(0), MS(20), MS(40), MS(60), MS(80)]);
    }

    #[test]
    fn without_timestamps_every_frame_takes_its_duration() {
        let mut clock = StreamClock::default();
        clock.tick(None, None);
        assert_eq!(clock.tick(None, Some(MS(100))), MS(100));
        assert_eq!(clock.tick(None, None), MS(140));
        assert_eq!(clock.tick(None, Some(MS(0))), MS(180));
    }

    #[test]
    fn another_segment_continues_where_the_last_ended() {
        let mut clock = StreamClock::default();
        clock.tick(Some(MS(0)), None);
        clock.begin_segment();
        assert_eq!(clock.tick(Some(MS(90_000)), Some(MS(40))), MS(40));
        assert_eq!(clock.tick(Some(MS(90_040)), None), MS(80));
    }
}
