//! What was seen in the last minutes, second by second.

use std::collections::{BTreeMap, VecDeque};

use gstemotion::face::Face;
use serde::Serialize;

/// Seconds that are kept: five minutes.
const SECONDS: u64 = 300;

/// The last minutes of a stream.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Second>);

#[derive(Debug)]
struct Second {
    number: u64,
    frames: u32,
    faces: u32,
    emotions: BTreeMap<String, u32>,
}

/// A second as the page draws it.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Moment {
    /// How many seconds ago it was.
    ago: u64,
    /// Faces in the mean of its frames.
    faces: f64,
    /// Share of each emotion in the faces that have one.
    emotions: BTreeMap<String, f64>,
}

impl History {
    /// A frame in the second `number`.
    pub(super) fn add(&mut self, number: u64, faces: &[Face]) {
        self.0.retain(|second| second.number + SECONDS > number);
        if self.0.back().is_none_or(|last| last.number < number) {
            self.0.push_back(Second {
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
            match second.emotions.get_mut(&emotion.label) {
                Some(count) => *count += 1,
                None => drop(second.emotions.insert(emotion.label.clone(), 1)),
            }
        }
    }

    /// Share of each emotion in the faces of the last so many seconds before the end of `now`.
    pub(super) fn shares(&self, now: u64, seconds: u64) -> BTreeMap<String, f64> {
        let mut sum = BTreeMap::<String, u32>::new();
        let recent = self.0.iter().filter(|s| s.number + seconds > now);
        for (label, count) in recent.flat_map(|second| &second.emotions) {
            *sum.entry(label.clone()).or_default() += count;
        }
        normalised(&sum)
    }

    /// Frames a second over the last so many whole seconds before `now`.
    pub(super) fn rate(&self, now: u64, seconds: u64) -> f64 {
        let whole = self
            .0
            .iter()
            .filter(|s| s.number < now && s.number + seconds >= now);
        let frames: u32 = whole.map(|second| second.frames).sum();
        f64::from(frames) / seconds as f64
    }

    /// All seconds that are kept, the oldest first; there is none for a second without a frame.
    pub(super) fn moments(&self, now: u64) -> Vec<Moment> {
        let recent = self.0.iter().filter(|s| s.number + SECONDS > now);
        recent
            .map(|second| Moment {
                ago: now.saturating_sub(second.number),
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
mod tests {
    use super::*;
    use gstemotion::face::EmotionResult;

    fn faces(labels: &[&str]) -> Vec<Face> {
        let face = |label: &&str| Face {
            roi_id: 1,
            x: 0,
            y: 0,
            width: 9,
            height: 9,
            detection: None,
            object_id: None,
            emotion: Some(EmotionResult {
                label: (*label).into(),
                ..EmotionResult::default()
            }),
        };
        labels.iter().map(face).collect()
    }

    #[test]
    fn shares_are_of_the_faces_of_the_last_seconds_and_add_up_to_one() {
        let mut history = History::default();
        history.add(1, &faces(&["sad", "sad"]));
        history.add(10, &faces(&["happy", "happy", "sad"]));
        history.add(11, &faces(&["happy"]));
        let shares = history.shares(11, 2);
        assert_eq!(shares["happy"], 0.75);
        assert_eq!(shares["sad"], 0.25);
        assert!(history.shares(60, 2).is_empty());
    }

    #[test]
    fn a_moment_has_the_mean_number_of_faces_of_its_frames() {
        let mut history = History::default();
        history.add(5, &faces(&["sad", "happy"]));
        history.add(5, &faces(&[]));
        history.add(7, &[]);
        let moments = history.moments(8);
        let seen: Vec<_> = moments.iter().map(|m| (m.ago, m.faces)).collect();
        assert_eq!(seen, [(3, 1.0), (1, 0.0)]);
        assert_eq!(moments[0].emotions["sad"], 0.5);
    }

    #[test]
    fn the_rate_counts_whole_seconds_also_those_without_a_frame() {
        let mut history = History::default();
        for _ in 0..20 {
            history.add(3, &[]);
        }
        history.add(5, &[]);
        assert_eq!(history.rate(5, 4), 5.0);
    }

    #[test]
    fn seconds_that_are_long_over_are_forgotten() {
        let mut history = History::default();
        for second in 0..10_000 {
            history.add(second, &[]);
        }
        assert_eq!(history.0.len() as u64, SECONDS);
    }
}
