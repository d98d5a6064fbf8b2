//! How well a network does on labelled faces.

use emotion_models::Emotion;

const CLASSES: usize = Emotion::ALL.len();

/// Counts and loss over a set of faces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    confusion: [[usize; CLASSES]; CLASSES],
    loss_sum: f64,
}

impl Evaluation {
    /// Judges logits `[N][7]` against their N labels; the loss is at this temperature.
    pub fn new(logits: &[Vec<f32>], labels: &[Emotion], temperature: f64) -> Self {
        let mut evaluation = Self::default();
        for (logits, label) in logits.iter().zip(labels) {
            evaluation.confusion[label.label_id()][argmax(logits)] += 1;
            evaluation.loss_sum += cross_entropy(logits, *label, temperature);
        }
        evaluation
    }

    /// Number of faces.
    pub fn count(&self) -> usize {
        self.confusion.as_flattened().iter().sum()
    }

    /// Fraction of the faces whose most probable class is the label; NaN without faces.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..CLASSES).map(|class| self.confusion[class][class]).sum();
        right as f64 / self.count() as f64
    }

    /// Mean cross-entropy in nats; NaN without faces.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.count() as f64
    }

    /// Fraction of the faces of one emotion that were recognised; none without such faces.
    pub fn recall(&self, emotion: Emotion) -> Option<f64> {
        let row = &self.confusion[emotion.label_id()];
        let count: usize = row.iter().sum();
        (count > 0).then(|| row[emotion.label_id()] as f64 / count as f64)
    }

    /// How many faces of `label` were taken for `predicted`.
    pub fn confused(&self, label: Emotion, predicted: Emotion) -> usize {
        self.confusion[label.label_id()][predicted.label_id()]
    }
}

/// The negative logarithm of the label's probability, `softmax(logits / temperature)`.
pub fn cross_entropy(logits: &[f32], label: Emotion, temperature: f64) -> f64 {
    let scaled = |logit: f32| f64::from(logit) / temperature;
    let largest = logits
        .iter()
        .copied()
        .map(scaled)
        .fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits
        .iter()
        .map(|&logit| (scaled(logit) - largest).exp())
        .sum();
    sum.ln() + largest - scaled(logits[label.label_id()])
}

/// Index of the largest logit, the first of equals.
pub fn argmax(logits: &[f32]) -> usize {
    let first = (0, f32::NEG_INFINITY);
    let larger = |best: (usize, f32), (index, &logit): (usize, &f32)| {
        if logit > best.1 { (index, logit) } else { best }
    };
    logits.iter().enumerate().fold(first, larger).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logits(class: usize) -> Vec<f32> {
        (0..CLASSES)
            .map(|index| if index == class { 2.0 } else { 0.0 })
            .collect()
    }

    #[test]
    fn accuracy_and_recall_count_what_was_recognised() {
        let labels = [
            Emotion::Angry,
            Emotion::Angry,
            Emotion::Angry,
            Emotion::Happy,
        ];
        let evaluation =
            Evaluation::new(&[logits(0), logits(0), logits(3), logits(3)], &labels, 1.0);
        assert_eq!(evaluation.count(), 4);
        assert_eq!(evaluation.accuracy(), 0.75);
        assert_eq!(evaluation.recall(Emotion::Angry), Some(2.0 / 3.0));
        assert_eq!(evaluation.recall(Emotion::Happy), Some(1.0));
        assert_eq!(evaluation.recall(Emotion::Sad), None);
        assert_eq!(evaluation.confused(Emotion::Angry, Emotion::Happy), 1);
    }

    #[test]
    fn equal_logits_lose_the_logarithm_of_the_number_of_classes() {
        let loss = cross_entropy(&[5.0; CLASSES], Emotion::Fear, 1.0);
        assert!((loss - 7f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_temperature_divides_the_logits() {
        let warm = cross_entropy(&logits(2), Emotion::Fear, 2.0);
        let expected = (1f64.exp() + 6.0).ln() - 1.0;
        assert!((warm - expected).abs() < 1e-12);
    }

    #[test]
    fn huge_logits_stay_finite() {
        assert_eq!(
            cross_entropy(&[3e38, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], Emotion::Angry, 1.0),
            0.0
        );
    }
}
