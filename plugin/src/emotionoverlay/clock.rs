//! Time that only goes on, whatever the timestamps of a stream do.

use gst::ClockTime;

/// What a frame lasts that says nothing about it.
const FRAME: ClockTime = ClockTime::from_mseconds(33);

/// Counts the time of the frames that it was shown.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Option<ClockTime>,
    elapsed: ClockTime,
}

impl Clock {
    /// The time since the first frame at the frame with the timestamp `pts`; one that lacks its timestamp or goes back
    /// counts as one frame.
    pub(super) fn tick(&mut self, pts: Option<ClockTime>) -> ClockTime {
        let step = match (self.last, pts) {
            (Some(last), Some(pts)) => pts.checked_sub(last).unwrap_or(FRAME),
            _ => FRAME,
        };
        self.last = pts.or_else(|| self.last.map(|last| last.saturating_add(FRAME)));
        self.elapsed = self.elapsed.saturating_add(step);
        self.elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_when_timestamps_go_back_or_are_missing() {
        let mut clock = Clock::default();
        let mut last = ClockTime::ZERO;
        for ms in [Some(0), Some(40), None, Some(120), Some(3), None, None] {
            let now = clock.tick(ms.map(ClockTime::from_mseconds));
            assert!(now > last, "{ms:?}: {now} after {last}");
            last = now;
        }
    }

    #[test]
    fn between_timestamps_time_passes_as_they_say() {
        let mut clock = Clock::default();
        let start = clock.tick(Some(ClockTime::from_mseconds(500)));
        let end = clock.tick(Some(ClockTime::from_mseconds(900)));
        assert_eq!(end - start, ClockTime::from_mseconds(400));
    }
}
