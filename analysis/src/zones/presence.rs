//! Whether a person is in a zone, and since when.

use std::time::Duration;

/// Who stays this long on the other side of a border has crossed it, however near it is.
pub(super) const CONFIRMATION: Duration = Duration::from_secs(1);

/// The presence of one person in one zone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Presence {
    inside_since: Option<Duration>,
    /// The first frame on the other side, while that may be jitter.
    doubted_since: Option<Duration>,
}

/// A change of presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PresenceChange {
    Entered { at: Duration },
    Left { since: Duration, at: Duration },
}

impl Presence {
    /// Since when the person has been in the zone.
    pub(super) fn inside_since(&self) -> Option<Duration> {
        self.inside_since
    }

    /// The frame at `now` shows the person inside or outside; `is_clear` says that the border is too far for jitter.
    pub(super) fn update(
        &mut self,
        is_inside: bool,
        is_clear: bool,
        now: Duration,
    ) -> Option<PresenceChange> {
        if is_inside == self.inside_since.is_some() {
            self.doubted_since = None;
            return None;
        }
        let at = *self.doubted_since.get_or_insert(now);
        if !is_clear && now.saturating_sub(at) < CONFIRMATION {
            return None;
        }
        self.doubted_since = None;
        let Some(since) = self.inside_since.take() else {
            self.inside_since = Some(at);
            return Some(PresenceChange::Entered { at });
        };
        Some(PresenceChange::Left { since, at })
    }

    /// The person was last seen at `last_seen` and will not come back.
    pub(super) fn end(&mut self, last_seen: Duration) -> Option<PresenceChange> {
        let at = self.doubted_since.take().unwrap_or(last_seen);
        let since = self.inside_since.take()?;
        Some(PresenceChange::Left { since, at })
    }
}
