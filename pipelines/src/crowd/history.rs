//! Counts of faces and emotions in the last minutes, second by second.

use std::collections::{BTreeMap, VecDeque};

use gstemotion::face::Face;
use serde::Serialize;

/// Number of seconds that are kept: five minutes.
const SECONDS: u64 = 300;

/// The counts of one stream.
#[derive(Debug, Default)]
pub(super) struct EmotionHistory(VecDeque<SecondCounts>);

#[derive(Debug)]
struct SecondCounts {
    number: u64,
    frames: u32,
    faces: u32,
    emotions: BTreeMap<String, u32>,
}

/// The means over one second, as the page shows them.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct HistoryPoint {
    /// The number of the second.
    second: u64,
    /// Mean number of faces per frame.
    faces: f64,
    /// Share of each emotion among the classified faces.
    emotions: BTreeMap<String, f64>,
}

impl EmotionHistory {
    /// Adds a frame in the second `number`.
    pub(super) fn add(&mut self, number: u64, faces: &[Face]) {
        self.0.retain(|second| second.number + SECONDS > number);
        if self.0.back().is_none_or(|last| last.number < number) {
            self.0.push_back(SecondCounts {
                number,
                frames: 0,
                faces: 0,
                emotions: BTreeMap::new(),
            });
        }
        let Some(second) = self.0.back_mut() else {
            return;
        };
        second.frames += 1;
        second.faces += u32::try_from(faces.len()).unwrap_or(u32::MAX);
        for emotion in faces.iter().filter_map(|face| face.emotion.as_ref()) {
            *second.emotions.entry(emotion.label.clone()).or_default() += 1;
        }
    }

    /// Share of each emotion among the classified faces of the last `seconds`, up to the second `now`.
    pub(super) fn shares(&self, now: u64, seconds: u64) -> BTreeMap<String, f64> {
        let mut sum = BTreeMap::<String, u32>::new();
        let recent = self.0.iter().filter(|s| s.number + seconds > now);
        for (label, count) in recent.flat_map(|second| &second.emotions) {
            *sum.entry(label.clone()).or_default() += count;
        }
        normalised(&sum)
    }

    /// Frames per second over the last `seconds` before the second `now`.
    pub(super) fn rate(&self, now: u64, seconds: u64) -> f64 {
        let whole = self
            .0
            .iter()
            .filter(|s| s.number < now && s.number + seconds >= now);
        let frames: u32 = whole.map(|second| second.frames).sum();
        f64::from(frames) / seconds as f64
    }

    /// The seconds with a frame from `first` to before `now`, the oldest first. The second `now` is not over.
    pub(super) fn points(&self, first: u64, now: u64) -> Vec<HistoryPoint> {
        let first = first.max(now.saturating_sub(SECONDS));
        let wanted = self.0.iter().filter(|s| (first..now).contains(&s.number));
        wanted
            .map(|second| HistoryPoint {
                second: second.number,
                faces: f64::from(second.faces) / f64::from(second.frames.max(1)),
                emotions: normalised(&second.emotions),
            })
            .collect()
    }
}

fn normalised(counts: &BTreeMap<String, u32>) -> BTreeMap<String, f64> {
    let sum = f64::from(counts.values().sum::<u32>().max(1));
    counts
        .iter()
        .map(|(label, count)| (label.clone(), f64::from(*count) / sum))
        .collect()
}

#[cfg(test)]
mod tests;
