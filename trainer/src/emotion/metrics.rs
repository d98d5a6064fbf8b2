//! Metrics of a network on labelled faces.

use emotion_models::Emotion;

use crate::data::CLASSES;
use crate::emotion::reliability::Reliability;

/// Counts, loss and calibration over a set of faces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassificationMetrics {
    confusion: [[usize; CLASSES]; CLASSES],
    loss_sum: f64,
    reliability: Reliability,
}

impl ClassificationMetrics {
    /// The metrics of logits `[N][7]` at this temperature, for N labels.
    pub fn new(logits: &[Vec<f32>], labels: &[Emotion], temperature: f64) -> Self {
        let mut evaluation = Self::default();
        for (logits, &label) in logits.iter().zip(labels) {
            let loss = cross_entropy(logits, label, temperature);
            evaluation.add(&softmax(logits, temperature), label, loss);
        }
        evaluation
    }

    /// The metrics of probabilities `[N][7]`, each with its label.
    pub fn of_probabilities<'a>(rows: impl IntoIterator<Item = (&'a [f64], Emotion)>) -> Self {
        let mut evaluation = Self::default();
        for (probabilities, label) in rows {
            // Keeps the loss finite when a probability was rounded to 0.
            let probability = probabilities[label.label_id()].max(f64::MIN_POSITIVE);
            evaluation.add(probabilities, label, -probability.ln());
        }
        evaluation
    }

    fn add(&mut self, probabilities: &[f64], label: Emotion, loss: f64) {
        let answer = argmax(probabilities);
        let label = label.label_id();
        self.confusion[label][answer] += 1;
        self.loss_sum += loss;
        self.reliability.add(probabilities[answer], answer == label);
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

    /// Number of faces labelled with one emotion.
    pub fn labelled(&self, emotion: Emotion) -> usize {
        self.confusion[emotion.label_id()].iter().sum()
    }

    /// Number of faces predicted as one emotion.
    pub fn predicted(&self, emotion: Emotion) -> usize {
        let column = self.confusion.iter().map(|row| row[emotion.label_id()]);
        column.sum()
    }

    /// Fraction of the faces of one emotion that were predicted correctly; none without such faces.
    pub fn recall(&self, emotion: Emotion) -> Option<f64> {
        fraction(self.confused(emotion, emotion), self.labelled(emotion))
    }

    /// Fraction of correct predictions of one emotion; none if it was never predicted.
    pub fn precision(&self, emotion: Emotion) -> Option<f64> {
        fraction(self.confused(emotion, emotion), self.predicted(emotion))
    }

    /// Harmonic mean of precision and recall; none for an emotion that neither occurs nor is predicted.
    pub fn f1(&self, emotion: Emotion) -> Option<f64> {
        let right = self.confused(emotion, emotion);
        fraction(2 * right, self.labelled(emotion) + self.predicted(emotion))
    }

    /// Unweighted mean of the F1 of all emotions that occur or are predicted; NaN without faces.
    pub fn macro_f1(&self) -> f64 {
        let scores: Vec<f64> = Emotion::ALL
            .into_iter()
            .filter_map(|e| self.f1(e))
            .collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    }

    /// Unweighted mean of the recalls of the emotions that occur; NaN without faces.
    pub fn macro_recall(&self) -> f64 {
        let recalls: Vec<f64> = Emotion::ALL
            .into_iter()
            .filter_map(|emotion| self.recall(emotion))
            .collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    }

    /// Number of faces of `label` that were predicted as `predicted`.
    pub fn confused(&self, label: Emotion, predicted: Emotion) -> usize {
        self.confusion[label.label_id()][predicted.label_id()]
    }

    /// The predictions by their confidence.
    pub fn reliability(&self) -> &Reliability {
        &self.reliability
    }
}

fn fraction(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// softmax(logits / temperature), in double precision.
pub fn softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp = |&logit: &f32| ((f64::from(logit) - f64::from(largest)) / temperature).exp();
    let exps: Vec<f64> = logits.iter().map(exp).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|exp| exp / sum).collect()
}

/// The negative logarithm of the probability of the label in `softmax(logits / temperature)`.
pub fn cross_entropy(logits: &[f32], label: Emotion, temperature: f64) -> f64 {
    let mut target = [0.0; CLASSES];
    target[label.label_id()] = 1.0;
    soft_cross_entropy(logits, &target, temperature)
}

/// The cross-entropy of `softmax(logits / temperature)` against target probabilities that sum to 1, in nats.
pub fn soft_cross_entropy(logits: &[f32], target: &[f32; CLASSES], temperature: f64) -> f64 {
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
    let targets = logits.iter().zip(target);
    let expected: f64 = targets
        .map(|(&logit, &share)| scaled(logit) * f64::from(share))
        .sum();
    sum.ln() + largest - expected
}

/// Index of the largest value, the first of equals.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    let larger = |best, index| {
        if values[index] > values[best] {
            index
        } else {
            best
        }
    };
    (1..values.len()).fold(0, larger)
}

#[cfg(test)]
mod tests;
