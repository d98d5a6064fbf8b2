//! Selects frames at a given rate.

use std::time::{Duration, Instant};

/// Selects one frame per period.
#[derive(Debug)]
pub(super) struct RateLimiter {
    period: Duration,
    next: Option<Instant>,
}

impl RateLimiter {
    pub(super) fn new(period: Duration) -> Self {
        Self { period, next: None }
    }

    /// Whether to select the frame of this time.
    pub(super) fn selects(&mut self, time: Instant) -> bool {
        let due = self.next.unwrap_or(time);
        if time < due {
            return false;
        }
        // On a fixed grid, so that the rate is met for any frame rate. A gap starts a new grid.
        let following = due + self.period;
        self.next = Some(match following > time {
            true => following,
            false => time + self.period,
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_met_for_any_frame_rate() {
        let began = Instant::now();
        for (frames_per_second, wanted) in [(25, 10), (30, 10), (60, 10), (10, 10), (5, 5)] {
            let mut limiter = RateLimiter::new(Duration::from_millis(100));
            let taken = (0..10 * frames_per_second)
                .map(|frame| began + Duration::from_secs(1) * frame / frames_per_second)
                .filter(|time| limiter.selects(*time))
                .count();
            assert!(
                taken.abs_diff(10 * wanted) <= 1,
                "{taken} of {frames_per_second} a second"
            );
        }
    }
}
