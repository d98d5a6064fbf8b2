//! Target probabilities of each training face.

use emotion_models::Emotion;

use super::faces::{CLASSES, Faces};

/// How labels and votes become target probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TargetSettings {
    /// Probability taken from the label and spread evenly over all classes.
    pub smoothing: f32,
    /// Share of the votes where a face has any; the label has the rest.
    pub votes_share: f32,
    /// Extra weight of rare classes: at 0 each face counts the same, at 1 each class.
    pub class_balance: f32,
}

/// The targets of `faces`.
#[derive(Debug)]
pub(super) struct LabelTargets<'a> {
    faces: &'a Faces,
    settings: TargetSettings,
    class_weights: [f32; CLASSES],
}

impl<'a> LabelTargets<'a> {
    pub(super) fn new(faces: &'a Faces, settings: TargetSettings) -> Self {
        Self {
            faces,
            settings,
            class_weights: class_weights(faces.labels(), settings.class_balance),
        }
    }

    /// The target probability of each class, times the weight of the face in the loss.
    pub(super) fn of(&self, row: usize) -> [f32; CLASSES] {
        let TargetSettings {
            smoothing,
            votes_share,
            ..
        } = self.settings;
        let label = self.faces.labels()[row].label_id();
        let votes = self.faces.votes(row);
        let label_share = if votes.is_some() {
            1.0 - votes_share
        } else {
            1.0
        };
        std::array::from_fn(|class| {
            let from_label = if class == label { label_share } else { 0.0 };
            let from_votes = votes.map_or(0.0, |votes| votes_share * votes[class]);
            let evidence = (1.0 - smoothing) * (from_label + from_votes);
            self.class_weights[label] * (evidence + smoothing / CLASSES as f32)
        })
    }
}

/// The weight of a face of each class: the count of the class to the power of `-balance`, scaled to a mean of 1 over all
/// faces.
fn class_weights(labels: &[Emotion], balance: f32) -> [f32; CLASSES] {
    let counts = Emotion::ALL.map(|emotion| labels.iter().filter(|&&l| l == emotion).count());
    let powers = counts.map(|count| (count.max(1) as f32).powf(-balance));
    let total: f32 = counts
        .iter()
        .zip(powers)
        .map(|(&n, power)| n as f32 * power)
        .sum();
    powers.map(|power| power * labels.len() as f32 / total)
}

#[cfg(test)]
mod tests;
