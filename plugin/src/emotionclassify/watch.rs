//! Whether a file has been replaced. Knows no GStreamer.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// The file is looked at no more often.
const INTERVAL: Duration = Duration::from_secs(1);

/// A file of which it is known how it was last seen.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: Option<Stamp>,
    looked: Option<Instant>,
    is_looking: bool,
}

/// What changes when a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
}

impl Watch {
    /// Remembers the file as it is.
    pub(super) fn note(&mut self, path: Option<&Path>) {
        self.seen = path.and_then(Stamp::of);
    }

    /// Whether it is time to look, which is then somebody's job until [`look`](Self::look).
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_early = |looked: Instant| now.saturating_duration_since(looked) < INTERVAL;
        if self.is_looking || self.looked.is_some_and(is_early) {
            return false;
        }
        (self.looked, self.is_looking) = (Some(now), true);
        true
    }

    /// Whether the file is another than was seen. One that is missing may be on its way, and is no other yet.
    pub(super) fn look(&mut self, path: Option<&Path>) -> bool {
        self.is_looking = false;
        let now = path.and_then(Stamp::of);
        now.is_some() && now != self.seen
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            len: metadata.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_anew_has_changed_and_a_missing_one_has_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        std::fs::write(&path, "old").unwrap();
        let mut watch = Watch::default();
        watch.note(Some(&path));
        assert!(!watch.look(Some(&path)));
        std::fs::remove_file(&path).unwrap();
        assert!(!watch.look(Some(&path)));
        std::fs::write(&path, "another").unwrap();
        assert!(watch.look(Some(&path)));
        watch.note(Some(&path));
        assert!(!watch.look(Some(&path)));
        assert!(!watch.look(None));
    }

    #[test]
    fn one_look_at_a_time_and_no_two_in_a_second() {
        let start = Instant::now();
        let mut watch = Watch::default();
        assert!(watch.is_due(start));
        assert!(!watch.is_due(start + 2 * INTERVAL), "still looking");
        watch.look(None);
        assert!(!watch.is_due(start + INTERVAL / 2));
        assert!(watch.is_due(start + INTERVAL));
    }
}
