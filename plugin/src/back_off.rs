//! Pauses between attempts to connect.

use std::time::Duration;

/// Pauses that double from the first to the longest.
#[derive(Debug)]
pub struct BackOff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl BackOff {
    /// Starts with the pause `first`. A `longest` that is shorter than `first` means `first`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest: longest.max(first),
            next: first,
        }
    }

    /// The next pause after a connection that lasted for `connected`. If that is longer than the pause before it, the
    /// pauses start again with the first.
    pub fn pause(&mut self, connected: Duration) -> Duration {
        if connected > self.next {
            self.reset();
        }
        let pause = self.next;
        self.next = (self.next * 2).min(self.longest);
        pause
    }

    /// The longest pause, for a failure that hardly ends by itself.
    pub fn longest_pause(&mut self) -> Duration {
        self.next = self.longest;
        self.longest
    }

    /// Starts again with the first pause.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

/// `pause`, shortened by up to a half: by nothing for `random` = 0, by a half for 1. So connections that failed together
/// are not all opened again at the same moment.
pub fn shortened(pause: Duration, random: f64) -> Duration {
    pause.mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn back_off() -> BackOff {
        BackOff::new(S, 10 * S)
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut back_off = back_off();
        let pauses: Vec<_> = (0..6)
            .map(|_| back_off.pause(Duration::ZERO).as_secs())
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn chance_shortens_a_pause_by_a_half_at_most() {
        assert_eq!(shortened(S, 1.0), S / 2);
        assert_eq!(shortened(S, 0.5), S * 3 / 4);
        assert_eq!(shortened(S, 0.0), S);
    }

    #[test]
    fn a_connection_that_lasted_starts_again_and_one_that_only_flickered_does_not() {
        let mut back_off = back_off();
        for _ in 0..3 {
            back_off.pause(Duration::ZERO);
        }
        assert_eq!(back_off.pause(S), 8 * S);
        assert_eq!(back_off.pause(60 * S), S);
    }
}
