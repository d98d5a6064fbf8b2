//! Notices that a file is replaced.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// The shortest time between two checks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Compares a file with how it was when it was read.
#[derive(Debug, Default)]
pub(super) struct FileWatcher {
    known: Option<FileVersion>,
    last_check: Option<Instant>,
    is_checking: bool,
}

/// What changes when a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileVersion {
    modified: Option<SystemTime>,
    len: u64,
}

impl FileWatcher {
    /// Remembers the file as it is now.
    pub(super) fn remember(&mut self, path: Option<&Path>) {
        self.known = path.and_then(FileVersion::of);
    }

    /// Whether a check is due. If so, no other one is until [`is_replaced`](Self::is_replaced) has been called.
    pub(super) fn begin_check(&mut self, now: Instant) -> bool {
        let is_recent = |check: Instant| now.saturating_duration_since(check) < INTERVAL;
        if self.is_checking || self.last_check.is_some_and(is_recent) {
            return false;
        }
        (self.last_check, self.is_checking) = (Some(now), true);
        true
    }

    /// Whether the file is another than the one remembered. A missing file may be about to be written and is not.
    pub(super) fn is_replaced(&mut self, path: Option<&Path>) -> bool {
        self.is_checking = false;
        let version = path.and_then(FileVersion::of);
        version.is_some() && version != self.known
    }
}

impl FileVersion {
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
    fn a_file_that_is_written_anew_is_replaced_and_a_missing_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        std::fs::write(&path, "old").unwrap();
        let mut watcher = FileWatcher::default();
        watcher.remember(Some(&path));
        assert!(!watcher.is_replaced(Some(&path)));
        std::fs::remove_file(&path).unwrap();
        assert!(!watcher.is_replaced(Some(&path)));
        std::fs::write(&path, "another").unwrap();
        assert!(watcher.is_replaced(Some(&path)));
        watcher.remember(Some(&path));
        assert!(!watcher.is_replaced(Some(&path)));
        assert!(!watcher.is_replaced(None));
    }

    #[test]
    fn checks_run_one_at_a_time_and_not_twice_a_second() {
        let start = Instant::now();
        let mut watcher = FileWatcher::default();
        assert!(watcher.begin_check(start));
        assert!(!watcher.begin_check(start + 2 * INTERVAL), "still checking");
        watcher.is_replaced(None);
        assert!(!watcher.begin_check(start + INTERVAL / 2));
        assert!(watcher.begin_check(start + INTERVAL));
    }
}
