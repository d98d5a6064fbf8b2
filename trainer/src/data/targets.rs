//! Target probabilities of each training face.

use emotion_models::Emotion;

use super::faces::{CLASSES, Faces};
use super::votes::Votes;

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

/// What a network should answer to a face: the probability of each emotion, that the face is covered, and that it is not.
/// Each group sums to the weight of the face in its loss, to 0 where nothing is known.
pub(crate) type Target = [f32; CLASSES + 2];

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

    /// The target of a face with or without a drawn cover.
    pub(super) fn of(&self, row: usize, is_covered: bool) -> Target {
        let emotions = self.emotions(row);
        let is_labelled = self.faces.label(row).is_some();
        std::array::from_fn(|index| match index {
            0..CLASSES => emotions[index],
            CLASSES => f32::from(is_covered),
            // An unlabelled face may wear a mask of its own.
            _ => f32::from(is_labelled && !is_covered),
        })
    }

    /// The target probability of each class, times the weight of the face in the loss.
    fn emotions(&self, row: usize) -> [f32; CLASSES] {
        let TargetSettings {
            smoothing,
            votes_share,
            ..
        } = self.settings;
        let Some(label) = self.faces.label(row).map(Emotion::label_id) else {
            return [0.0; CLASSES];
        };
        let votes = self.faces.votes(row).and_then(Votes::shares);
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

/// The target probabilities of labelled faces without smoothing or balance: the label and this share of the votes.
pub fn mixed(faces: &Faces, votes_share: f32) -> Vec<[f32; CLASSES]> {
    let settings = TargetSettings {
        votes_share,
        ..TargetSettings::default()
    };
    let targets = LabelTargets::new(faces, settings);
    (0..faces.labels().len())
        .map(|row| targets.emotions(row))
        .collect()
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
