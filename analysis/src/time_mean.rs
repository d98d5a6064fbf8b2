//! An exponential mean over time.

use std::time::Duration;

/// An exponential mean of a value; the rate at which values come does not matter.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct TimeMean {
    mean: f64,
    last: Option<Duration>,
}

impl TimeMean {
    /// Adds the `value` at `time` and returns the mean, in which older values fade with e^(−age / `constant`). If the time goes
    /// back, the mean begins anew.
    pub(crate) fn update(&mut self, time: Duration, value: f64, constant: Duration) -> f64 {
        let kept = match self.last.and_then(|last| time.checked_sub(last)) {
            Some(elapsed) if !constant.is_zero() => {
                (-elapsed.as_secs_f64() / constant.as_secs_f64()).exp()
            }
            _ => 0.0,
        };
        self.last = Some(time);
        self.mean = value + kept * (self.mean - value);
        self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_value_is_reached_after_a_few_time_constants_at_any_rate() {
        let constant = Duration::from_millis(200);
        for step in [20, 100, 500] {
            let mut mean = TimeMean::default();
            assert_eq!(mean.update(Duration::ZERO, 1.0, constant), 1.0);
            let after = (1..=500 / step)
                .map(|i| mean.update(Duration::from_millis(i * step), 0.0, constant))
                .last();
            let expected = (-2.5f64).exp();
            assert!((after.unwrap() - expected).abs() < 1e-9, "{step}");
        }
    }

    #[test]
    fn it_begins_anew_when_the_time_goes_back_and_follows_at_once_without_a_constant() {
        let second = Duration::from_secs(1);
        let mut mean = TimeMean::default();
        mean.update(second, 1.0, second);
        assert_eq!(mean.update(Duration::ZERO, 0.25, second), 0.25);
        assert_eq!(mean.update(second, 0.5, Duration::ZERO), 0.5);
    }
}
