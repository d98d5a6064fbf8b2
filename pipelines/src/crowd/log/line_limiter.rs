//! Limits how many lines a subject may write.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The lines that a subject may write at once.
const BURST: u32 = 20;
/// The time in which it may write one more.
const PERIOD: Duration = Duration::from_secs(3);
/// The most subjects that are known; the one that is silent for the longest time is forgotten for a new one.
const MOST_SUBJECTS: usize = 4096;

/// Counts the lines of each subject.
#[derive(Debug)]
pub(super) struct LineLimiter(Mutex<BTreeMap<String, LineCount>>);

#[derive(Debug)]
struct LineCount {
    /// When the lines so far are paid for, one each [`PERIOD`].
    due: Instant,
    left_out: u64,
}

impl LineLimiter {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The line to write, which tells how many were left out before it; `None` if it is to be left out too.
    pub(super) fn admit<'a>(&self, subject: &str, message: &'a str) -> Option<Cow<'a, str>> {
        self.admit_at(subject, message, Instant::now())
    }

    fn admit_at<'a>(&self, subject: &str, message: &'a str, now: Instant) -> Option<Cow<'a, str>> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.contains_key(subject) {
            if counts.len() >= MOST_SUBJECTS {
                let silent = counts.iter().min_by_key(|(_, count)| count.due);
                let silent = silent.map(|(subject, _)| subject.clone());
                silent.and_then(|subject| counts.remove(&subject));
            }
            let new = LineCount {
                due: now,
                left_out: 0,
            };
            counts.insert(subject.to_owned(), new);
        }
        let count = counts.get_mut(subject)?;
        let due = count.due.max(now);
        if due + PERIOD > now + PERIOD * BURST {
            count.left_out += 1;
            return None;
        }
        count.due = due + PERIOD;
        Some(match std::mem::take(&mut count.left_out) {
            0 => message.into(),
            1 => format!("{message} (1 line before this one was left out)").into(),
            n => format!("{message} ({n} lines before this one were left out)").into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_that_says_too_much_is_cut_short_and_others_are_not() {
        let limiter = LineLimiter::new();
        let start = Instant::now();
        let flood = (0..1000).filter_map(|_| limiter.admit_at("hall", "down", start));
        assert_eq!(flood.count(), BURST as usize);
        assert_eq!(limiter.admit_at("door", "up", start).as_deref(), Some("up"));
        let later = start + PERIOD;
        let line = limiter.admit_at("hall", "up", later).expect("one more");
        assert_eq!(line, "up (980 lines before this one were left out)");
        assert!(limiter.admit_at("hall", "down", later).is_none());
        let much_later = start + PERIOD * (BURST + 2);
        let line = limiter.admit_at("hall", "up", much_later).expect("a line");
        assert_eq!(line, "up (1 line before this one was left out)");
        assert_eq!(
            limiter.admit_at("hall", "up", much_later).as_deref(),
            Some("up")
        );
    }

    #[test]
    fn the_number_of_subjects_is_limited() {
        let limiter = LineLimiter::new();
        for number in 0..MOST_SUBJECTS + 10 {
            limiter.admit(&number.to_string(), "line");
        }
        assert_eq!(limiter.0.lock().expect("no panic").len(), MOST_SUBJECTS);
    }
}
