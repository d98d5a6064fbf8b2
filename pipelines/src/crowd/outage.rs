//! Since when a stream gives no frames, why, and when it is tried next.

use std::time::{Duration, Instant};

/// A time without frames, from the last frame or the start of the program to the next frame.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    /// When it began.
    pub(super) since: Instant,
    /// The reason of the last failure. It stays while the stream is opened again.
    pub(super) reason: Option<String>,
    /// When the stream is opened again; `None` while it is being opened, or if it never will be.
    pub(super) next_attempt: Option<Instant>,
}

impl Outage {
    /// The outage that begins now.
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            reason: None,
            next_attempt: None,
        }
    }

    /// The outage `current`, or a new one, after a failure for `reason` or another step.
    pub(super) fn continued(current: Option<Self>, reason: Option<&str>) -> Self {
        let current = current.unwrap_or_else(Self::new);
        Self {
            since: current.since,
            reason: reason.map(str::to_owned).or(current.reason),
            next_attempt: None,
        }
    }

    /// Notes that the stream is opened again after `pause`.
    pub(super) fn set_pause(&mut self, pause: Duration) {
        self.next_attempt = Instant::now().checked_add(pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_keeps_its_beginning_and_its_last_reason() {
        let mut waiting = Outage::continued(None, Some("refused"));
        waiting.set_pause(Duration::from_secs(5));
        let since = waiting.since;
        assert!(waiting.next_attempt > Some(since));
        let opening = Outage::continued(Some(waiting), None);
        assert_eq!(opening.since, since);
        assert_eq!(opening.reason.as_deref(), Some("refused"));
        assert_eq!(opening.next_attempt, None);
        let waiting = Outage::continued(Some(opening), Some("no route"));
        assert_eq!(waiting.reason.as_deref(), Some("no route"));
    }
}
