//! The emotions that were shown in a zone over the last seconds.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The window moves on in this many steps, so that memory does not grow with the frame rate.
const SLOTS: u64 = 20;

/// A pause between two frames counts as this at most.
const LONGEST_FRAME: Duration = Duration::from_secs(1);

/// Frames at the same time count alike, as this.
const SHORTEST_FRAME: Duration = Duration::from_millis(1);

/// Person-seconds of each emotion in the latest slots.
#[derive(Debug, Default)]
pub(super) struct EmotionWindow {
    window: Duration,
    slots: VecDeque<(u64, BTreeMap<String, f64>)>,
}

impl EmotionWindow {
    /// Adds the emotions on the frame at `now`, which comes `elapsed` after the one before, and forgets those older than `window`.
    pub(super) fn add<'a>(
        &mut self,
        now: Duration,
        elapsed: Duration,
        window: Duration,
        emotions: impl Iterator<Item = &'a str>,
    ) {
        if window != self.window {
            self.slots.clear();
            self.window = window;
        }
        let length = (window.as_nanos() / u128::from(SLOTS)).max(1);
        let number = u64::try_from(now.as_nanos() / length).unwrap_or(u64::MAX);
        self.slots
            .retain(|(slot, _)| slot.saturating_add(SLOTS) > number);
        let seconds = elapsed.clamp(SHORTEST_FRAME, LONGEST_FRAME).as_secs_f64();
        for emotion in emotions {
            if self.slots.back().is_none_or(|(slot, _)| *slot != number) {
                self.slots.push_back((number, BTreeMap::new()));
            }
            if let Some((_, sums)) = self.slots.back_mut() {
                *sums.entry(emotion.to_owned()).or_default() += seconds;
            }
        }
    }

    /// The share of each emotion in the window, by name.
    pub(super) fn shares(&self) -> Vec<(String, f64)> {
        let mut sums = BTreeMap::<&str, f64>::new();
        for (emotion, seconds) in self.slots.iter().flat_map(|(_, sums)| sums) {
            *sums.entry(emotion).or_default() += seconds;
        }
        let total: f64 = sums.values().sum();
        let shares = sums.into_iter();
        shares
            .map(|(emotion, seconds)| (emotion.to_owned(), seconds / total))
            .collect()
    }
}
