//! How long to wait before a stream that dropped is opened again.

use std::time::Duration;

/// Pauses that double from the first to the longest, each shortened by up to a half at random, so that streams that
/// dropped together do not all come back in the same moment.
#[derive(Debug)]
pub(super) struct BackOff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl BackOff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest: longest.max(first),
            next: first,
        }
    }

    /// The next pause, after the stream has held for `held`: one that held longer than the pause before begins anew.
    /// `chance` is from 0 to 1.
    pub(super) fn pause(&mut self, held: Duration, chance: f64) -> Duration {
        if held > self.next {
            self.next = self.first;
        }
        let pause = self.next;
        self.next = (self.next * 2).min(self.longest);
        pause.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
    }

    /// The longest pause, for what will hardly change by itself: cameras lock accounts after a few wrong passwords.
    pub(super) fn longest(&mut self) -> Duration {
        self.next = self.longest;
        self.longest
    }
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
            .map(|_| back_off.pause(Duration::ZERO, 0.0).as_secs())
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn chance_shortens_a_pause_by_a_half_at_most() {
        assert_eq!(back_off().pause(Duration::ZERO, 1.0), S / 2);
        assert_eq!(back_off().pause(Duration::ZERO, 0.5), S * 3 / 4);
    }

    #[test]
    fn a_stream_that_held_begins_anew_and_one_that_only_flickered_does_not() {
        let mut back_off = back_off();
        for _ in 0..3 {
            back_off.pause(Duration::ZERO, 0.0);
        }
        assert_eq!(back_off.pause(S, 0.0), 8 * S);
        assert_eq!(back_off.pause(60 * S, 0.0), S);
    }
}
