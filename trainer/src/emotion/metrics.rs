//! How well a network does on labelled faces.

use emotion_models::Emotion;

use crate::emotion::calibration::Reliability;

const CLASSES: usize = Emotion::ALL.len();

/// Counts, loss and calibration over a set of faces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassificationMetrics {
    confusion: [[usize; CLASSES]; CLASSES],
    loss_sum: f64,
    reliability: Reliability,
}

impl ClassificationMetrics {
    /// Judges logits `[N][7]` against their N labels, at this temperature.
    pub fn new(logits: &[Vec<f32>], labels: &[Emotion], temperature: f64) -> Self {
        let mut evaluation = Self::default();
        for (logits, &label) in logits.iter().zip(labels) {
            let loss = cross_entropy(logits, label, temperature);
            evaluation.add(&softmax(logits, temperature), label, loss);
        }
        evaluation
    }

    /// Judges probabilities `[N][7]` against their N labels.
    pub fn of_probabilities<'a>(rows: impl IntoIterator<Item = (&'a [f64], Emotion)>) -> Self {
        let mut evaluation = Self::default();
        for (probabilities, label) in rows {
            // A probability of 0 is one that is too small for a number: the loss stays finite.
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

    /// Number of faces of one emotion.
    pub fn labelled(&self, emotion: Emotion) -> usize {
        self.confusion[emotion.label_id()].iter().sum()
    }

    /// Number of faces that were taken for one emotion.
    pub fn predicted(&self, emotion: Emotion) -> usize {
        let column = self.confusion.iter().map(|row| row[emotion.label_id()]);
        column.sum()
    }

    /// Fraction of the faces of one emotion that were recognised; none without such faces.
    pub fn recall(&self, emotion: Emotion) -> Option<f64> {
        fraction(self.confused(emotion, emotion), self.labelled(emotion))
    }

    /// Fraction of the faces taken for one emotion that show it; none when no face was.
    pub fn precision(&self, emotion: Emotion) -> Option<f64> {
        fraction(self.confused(emotion, emotion), self.predicted(emotion))
    }

    /// Harmonic mean of precision and recall, 0 where all were missed; none for an emotion that
    /// neither occurs nor is predicted.
    pub fn f1(&self, emotion: Emotion) -> Option<f64> {
        let right = self.confused(emotion, emotion);
        fraction(2 * right, self.labelled(emotion) + self.predicted(emotion))
    }

    /// Mean F1 of the emotions that occur or are predicted, each with the same weight; NaN without
    /// faces.
    pub fn macro_f1(&self) -> f64 {
        let scores: Vec<f64> = Emotion::ALL
            .into_iter()
            .filter_map(|e| self.f1(e))
            .collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    }

    /// How many faces of `label` were taken for `predicted`.
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
            ClassificationMetrics::new(&[logits(0), logits(0), logits(3), logits(3)], &labels, 1.0);
        assert_eq!(evaluation.count(), 4);
        assert_eq!(evaluation.accuracy(), 0.75);
        assert_eq!(evaluation.recall(Emotion::Angry), Some(2.0 / 3.0));
        assert_eq!(evaluation.recall(Emotion::Happy), Some(1.0));
        assert_eq!(evaluation.recall(Emotion::Sad), None);
        assert_eq!(evaluation.confused(Emotion::Angry, Emotion::Happy), 1);
    }

    /// Twelve faces of three emotions:
    ///
    /// | label \ answer | angry | happy | sad |
    /// |---|---|---|---|
    /// | angry | 3 | 1 | 0 |
    /// | happy | 0 | 5 | 1 |
    /// | sad | 2 | 0 | 0 |
    fn twelve() -> ClassificationMetrics {
        let counts = [(0, 0, 3), (0, 3, 1), (3, 3, 5), (3, 4, 1), (4, 0, 2)];
        let faces = counts
            .into_iter()
            .flat_map(|(label, answer, count)| [(label, answer)].repeat(count));
        let (labels, answers): (Vec<_>, Vec<_>) = faces
            .map(|(label, answer): (usize, usize)| (Emotion::ALL[label], logits(answer)))
            .unzip();
        ClassificationMetrics::new(&answers, &labels, 1.0)
    }

    #[test]
    fn precision_is_the_share_of_right_answers() {
        let evaluation = twelve();
        // Angry: 3 of the 3 + 2 answers; happy: 5 of 1 + 5; sad: 0 of 1.
        assert_eq!(evaluation.precision(Emotion::Angry), Some(3.0 / 5.0));
        assert_eq!(evaluation.precision(Emotion::Happy), Some(5.0 / 6.0));
        assert_eq!(evaluation.precision(Emotion::Sad), Some(0.0));
        assert_eq!(evaluation.precision(Emotion::Fear), None);
    }

    #[test]
    fn f1_is_the_harmonic_mean_of_precision_and_recall() {
        let evaluation = twelve();
        // Angry: precision 3/5, recall 3/4: 2 · 3/5 · 3/4 / (3/5 + 3/4) = 2/3.
        // Happy: 5/6 and 5/6. Sad: recognised never.
        let f1 = [Emotion::Angry, Emotion::Happy, Emotion::Sad, Emotion::Fear]
            .map(|emotion| evaluation.f1(emotion));
        assert_eq!(f1, [Some(2.0 / 3.0), Some(5.0 / 6.0), Some(0.0), None]);
    }

    #[test]
    fn macro_f1_is_the_mean_over_the_emotions_that_occur() {
        // (2/3 + 5/6 + 0) / 3; scikit-learn's f1_score(average="macro") says the same.
        assert!((twelve().macro_f1() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn probabilities_are_judged_as_the_logits_that_they_come_from() {
        let labels = [Emotion::Angry, Emotion::Sad, Emotion::Happy];
        let logits = [logits(0), logits(1), logits(3)];
        let probabilities = logits.each_ref().map(|row| softmax(row, 1.5));
        let rows = probabilities.iter().map(Vec::as_slice).zip(labels);
        let (of_logits, of_probabilities) = (
            ClassificationMetrics::new(&logits, &labels, 1.5),
            ClassificationMetrics::of_probabilities(rows),
        );
        assert_eq!(of_logits.confusion, of_probabilities.confusion);
        assert_eq!(of_logits.reliability, of_probabilities.reliability);
        assert!((of_logits.loss() - of_probabilities.loss()).abs() < 1e-12);
    }

    #[test]
    fn a_label_with_probability_zero_loses_much_but_not_everything() {
        let row = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let evaluation = ClassificationMetrics::of_probabilities([(&row[..], Emotion::Sad)]);
        assert!(evaluation.loss() > 700.0 && evaluation.loss().is_finite());
    }

    #[test]
    fn the_first_of_equals_is_the_answer() {
        assert_eq!(argmax(&[0.5, 2.0, 2.0]), 1);
        assert_eq!(argmax(&[1.0; 7]), 0);
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
