//! Gives memory back to the system.
//!
//! glibc keeps what is freed in arenas, several for each core, which threads share. A source that is opened again ends its threads and
//! starts others, and holes stay: 15 KiB for each time, for days.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two searches for pages without content, each of which takes some milliseconds.
const INTERVAL: Duration = Duration::from_secs(60);

/// Gives back the pages that hold nothing, unless that was done a short time ago.
pub(super) fn give_back() {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if is_due(&mut last, Instant::now()) {
        trim();
    }
}

fn is_due(last: &mut Option<Instant>, now: Instant) -> bool {
    let is_due = last.is_none_or(|last| now.duration_since(last) >= INTERVAL);
    if is_due {
        *last = Some(now);
    }
    is_due
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    // SAFETY: any thread may call it at any time; it touches only memory that nobody has.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_a_minute_at_most() {
        let start = Instant::now();
        let mut last = None;
        let seconds = [0, 1, 59, 60, 61, 119, 120];
        let due = seconds.map(|after| is_due(&mut last, start + Duration::from_secs(after)));
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }

    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn pages_between_what_is_kept_are_given_back() {
        let resident = || -> usize {
            let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
            statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
        };
        // Every tenth block stays, so the heap cannot shrink at its end.
        let blocks: Vec<Vec<u8>> = (0..10_000).map(|_| vec![1; 10_000]).collect();
        let kept: Vec<Vec<u8>> = blocks.into_iter().step_by(10).collect();
        let before = resident();
        trim();
        let after = resident();
        assert!(
            after + 30_000_000 < before,
            "{before} bytes before, {after} after"
        );
        assert_eq!(kept.len(), 1000);
    }
}
