//! A lease of the sources: whoever places sources on many machines lets them play for a limited time, and renews that. Where it is
//! not renewed, because the network is cut or the machine hangs, another machine may take them over after that time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Until when the sources may play; without end if nobody has set one.
#[derive(Debug, Default)]
pub(super) struct SourceLease(Mutex<Option<Instant>>);

impl SourceLease {
    /// From `now` on the sources may play for `time`.
    pub(super) fn renew(&self, now: Instant, time: Duration) {
        *self.until() = Some(now + time);
    }

    /// Whether the sources may not play at `now`. The clock goes on while a process is stopped.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until().is_some_and(|until| now >= until)
    }

    fn until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_unless_it_is_renewed_and_without_one_nothing_ends() {
        let lease = SourceLease::default();
        let now = Instant::now();
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        assert!(!lease.is_over(now + hour));
        lease.renew(now, second);
        assert!(!lease.is_over(now) && lease.is_over(now + second));
        lease.renew(now + hour, second);
        assert!(!lease.is_over(now + hour) && lease.is_over(now + hour + second));
    }
}
