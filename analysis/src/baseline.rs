//! Faces at rest: what the network answers about them is taken for neutral.
//!
//! Some faces look sad or angry at rest. The answers of a moment at which a face is known to be at rest show how. With rₖ the
//! mean of the logarithms of the probabilities in that moment, each label k has the offset
//!
//! dₖ = max(0, rₖ − r_neutral + ln 3)
//!
//! and every later answer pₖ becomes pₖ e^(−dₖ), scaled to a sum of 1. This subtracts dₖ from the logits. In the answer of the
//! moment itself, neutral then is three times as probable as any other label that was more probable than that. Labels that the
//! face at rest does not show keep their logits: subtracting what is below a third as well would turn the noise of small
//! probabilities into emotions, and a face that is neutral anyway keeps all its answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a face is looked at to learn its baseline.
const MOMENT: Duration = Duration::from_secs(1);

/// How many times as probable as any other label neutral is on a face at rest.
const LEAD: f64 = 3.0;

/// Lower bound of the probabilities, which keeps logarithms finite.
const MIN_PROBABILITY: f64 = 1e-4;

/// The largest number of baselines that are kept.
const MAX_BASELINES: usize = 1024;

/// Identifies a face in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FaceKey {
    /// Whether `id` is that of a tracker.
    pub(crate) is_tracked: bool,
    pub(crate) id: i32,
}

/// The answers about a face at rest.
#[derive(Debug, Clone, Default)]
struct Baseline {
    /// Weighted sums of the logarithms of the probabilities.
    sums: Vec<f64>,
    weight: f64,
    /// The end of the moment.
    until: Duration,
}

/// The baselines of the faces of a stream.
#[derive(Debug, Default)]
pub(crate) struct Baselines {
    faces: BTreeMap<FaceKey, Baseline>,
    /// Faces to be learnt from the next frame on; `None` stands for all.
    requested: BTreeSet<Option<i32>>,
    /// What is being learnt, with the end of each moment.
    moments: Vec<(Option<i32>, Duration)>,
    has_begun: bool,
}

impl Baselines {
    /// Learns the baseline of the face with this id, or of all faces, from the next frame on.
    pub(crate) fn request(&mut self, id: Option<i32>) {
        self.requested.insert(id);
    }

    /// Begins a frame with a face; with `begins_at_rest` the first one begins a moment of rest of all faces.
    pub(crate) fn begin_frame(&mut self, now: Duration, begins_at_rest: bool) {
        if !self.has_begun && begins_at_rest {
            self.requested.insert(None);
        }
        self.has_begun = true;
        self.moments.retain(|(_, until)| now < *until);
        let until = now.saturating_add(MOMENT);
        let requested = std::mem::take(&mut self.requested).into_iter();
        self.moments.extend(requested.map(|id| (id, until)));
    }

    /// Whether the baseline of the face is being learnt.
    pub(crate) fn is_learning(&self, face: FaceKey) -> bool {
        self.moment(face).is_some()
    }

    /// The end of the latest moment for the face.
    fn moment(&self, face: FaceKey) -> Option<Duration> {
        let moments = self.moments.iter();
        let of_face = moments.filter(|(id, _)| id.is_none_or(|id| id == face.id));
        of_face.map(|(_, until)| *until).max()
    }

    /// The probabilities of the face as they would be if it looked neutral at rest; as they are while that is being learnt.
    /// `weight`, 0 to 1, is that of the answer. `neutral` is the index of the label neutral.
    pub(crate) fn adjust(
        &mut self,
        face: FaceKey,
        probabilities: &[f64],
        weight: f64,
        neutral: usize,
    ) -> Vec<f64> {
        if let Some(until) = self.moment(face) {
            self.learn(face, until, probabilities, weight);
            return probabilities.to_vec();
        }
        match self.faces.get(&face) {
            Some(baseline) if baseline.weight > 0.0 => baseline.adjust(probabilities, neutral),
            _ => probabilities.to_vec(),
        }
    }

    fn learn(&mut self, face: FaceKey, until: Duration, probabilities: &[f64], weight: f64) {
        let baseline = self.faces.entry(face).or_default();
        if baseline.until != until {
            *baseline = Baseline {
                sums: vec![0.0; probabilities.len()],
                weight: 0.0,
                until,
            };
        }
        for (sum, probability) in baseline.sums.iter_mut().zip(probabilities) {
            *sum += weight * probability.max(MIN_PROBABILITY).ln();
        }
        baseline.weight += weight;
        if self.faces.len() > MAX_BASELINES {
            // Trackers count up, so the smallest id is the oldest face.
            self.faces.pop_first();
        }
    }

    /// Forgets all faces. A first second that has begun does not begin again.
    pub(crate) fn forget_faces(&mut self) {
        *self = Self {
            has_begun: self.has_begun,
            ..Self::default()
        };
    }
}

impl Baseline {
    fn adjust(&self, probabilities: &[f64], neutral: usize) -> Vec<f64> {
        let rest = self.sums[neutral];
        let offsets = self
            .sums
            .iter()
            .map(|sum| ((sum - rest) / self.weight + LEAD.ln()).max(0.0));
        let mut adjusted: Vec<f64> = (probabilities.iter().zip(offsets).enumerate())
            .map(|(label, (probability, offset))| match label == neutral {
                true => *probability,
                false => probability * (-offset).exp(),
            })
            .collect();
        let sum: f64 = adjusted.iter().sum();
        if sum > 0.0 {
            adjusted.iter_mut().for_each(|value| *value /= sum);
        }
        adjusted
    }
}

#[cfg(test)]
mod tests;
