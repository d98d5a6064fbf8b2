//! Metrics against what people see: their votes instead of one label.

use crate::data::{CLASSES, Faces};
use crate::emotion::metrics::{ClassificationMetrics, argmax};
use crate::emotion::reliability::Reliability;

/// The largest share of the named faces whose name the majority may contradict.
const CONTRADICTED: f64 = 1.0 / 8.0;

/// Agreement with the majority of the votes, and with their shares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeopleMetrics {
    majority: ClassificationMetrics,
    reliability: Reliability,
    loss_sum: f64,
    /// Confidence of the faces with a majority, and whether it is the label.
    predictions: Vec<(f64, bool)>,
}

/// The faces with a majority whose label is named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamedFaces {
    /// Their share.
    pub share: f64,
    /// The share of them whose label the majority contradicts; NaN if none is named.
    pub contradicted: f64,
}

impl PeopleMetrics {
    /// The metrics of probabilities `[N][7]` for N faces; none if no face has votes.
    pub fn new(probabilities: &[[f64; CLASSES]], faces: &Faces) -> Option<Self> {
        let rows = || {
            let rows = probabilities.iter().enumerate();
            rows.filter_map(|(row, probabilities)| Some((probabilities, faces.votes(row)?)))
        };
        let majorities = || rows().filter_map(|(p, votes)| Some((p, votes.majority()?)));
        let mut metrics = Self {
            majority: ClassificationMetrics::of_probabilities(
                majorities().map(|(probabilities, majority)| (&probabilities[..], majority)),
            ),
            ..Self::default()
        };
        for (probabilities, shares) in rows().filter_map(|(p, votes)| Some((p, votes.shares()?))) {
            let answer = argmax(probabilities);
            metrics
                .reliability
                .add(probabilities[answer], shares[answer]);
            let surprise =
                |(p, share): (&f64, f32)| -f64::from(share) * p.max(f64::MIN_POSITIVE).ln();
            metrics.loss_sum += probabilities.iter().zip(shares).map(surprise).sum::<f64>();
        }
        let predictions = majorities().map(|(probabilities, majority)| {
            let answer = argmax(probabilities);
            (probabilities[answer], answer == majority.label_id())
        });
        metrics.predictions = predictions.collect();
        (metrics.reliability.total().count() > 0).then_some(metrics)
    }

    /// Metrics against the majority, of the faces that have one.
    pub fn majority(&self) -> &ClassificationMetrics {
        &self.majority
    }

    /// Confidence against the share of the votes for the predicted emotion, of the faces that have votes for any emotion.
    pub fn reliability(&self) -> &Reliability {
        &self.reliability
    }

    /// Mean cross-entropy against the shares of the votes, in nats.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.reliability.total().count() as f64
    }

    /// The faces that are named from this confidence on.
    pub fn named(&self, threshold: f64) -> NamedFaces {
        named(&self.predictions, threshold)
    }

    /// The least confidence, in hundredths, from which the majority contradicts at most one label in eight; none if no
    /// confidence is enough.
    pub fn threshold(&self) -> Option<f64> {
        threshold(&self.predictions)
    }
}

fn named(predictions: &[(f64, bool)], threshold: f64) -> NamedFaces {
    let named = predictions
        .iter()
        .filter(|(confidence, _)| *confidence >= threshold);
    let count = named.clone().count() as f64;
    let wrong = named.filter(|(_, is_right)| !is_right).count();
    NamedFaces {
        share: count / predictions.len() as f64,
        contradicted: wrong as f64 / count,
    }
}

/// The least threshold in hundredths from which at most [`CONTRADICTED`] of the predictions are wrong.
fn threshold(predictions: &[(f64, bool)]) -> Option<f64> {
    let thresholds = (0..100).map(|hundredths| f64::from(hundredths) / 100.0);
    let mut thresholds =
        thresholds.filter(|&threshold| named(predictions, threshold).contradicted <= CONTRADICTED);
    thresholds.next()
}

#[cfg(test)]
mod tests {
    use emotion_models::Emotion;

    use super::*;
    use crate::data::{FACE_SIZE, Votes};

    /// Faces with these votes.
    fn faces(votes: &[[u8; CLASSES + 3]]) -> Faces {
        let mut faces = Faces::default();
        for _ in votes {
            faces.push(&[0; FACE_SIZE * FACE_SIZE], Emotion::Angry);
        }
        faces.set_votes(
            votes
                .iter()
                .map(|&counts| Some(Votes::new(counts)))
                .collect(),
        );
        faces
    }

    fn sure(emotion: Emotion, confidence: f64) -> [f64; CLASSES] {
        let mut probabilities = [(1.0 - confidence) / 6.0; CLASSES];
        probabilities[emotion.label_id()] = confidence;
        probabilities
    }

    #[test]
    fn agreement_counts_faces_with_a_majority_and_calibration_all_with_votes() {
        let faces = faces(&[
            [0, 0, 0, 8, 0, 0, 2, 0, 0, 0],
            [0, 0, 0, 5, 0, 0, 5, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 2, 8, 0],
        ]);
        let probabilities = [
            sure(Emotion::Happy, 0.6),
            sure(Emotion::Neutral, 0.6),
            sure(Emotion::Sad, 0.9),
        ];
        let metrics = PeopleMetrics::new(&probabilities, &faces).unwrap();
        assert_eq!(
            (metrics.majority().count(), metrics.majority().accuracy()),
            (1, 1.0)
        );
        assert_eq!(metrics.reliability().total().count(), 2);
        // Both have a confidence of 0.6; people gave 0.8 and 0.5 of their votes.
        let error = metrics.reliability().expected_calibration_error();
        assert!((error - 0.05).abs() < 1e-6, "{error}");
        let rest = 0.4_f64 / 6.0;
        let expected =
            -(0.8 * 0.6_f64.ln() + 0.2 * rest.ln() + 0.5 * 0.6_f64.ln() + 0.5 * rest.ln()) / 2.0;
        assert!(
            (metrics.loss() - expected).abs() < 1e-6,
            "{}",
            metrics.loss()
        );
    }

    #[test]
    fn without_votes_there_are_no_metrics() {
        let mut faces = Faces::default();
        faces.push(&[0; FACE_SIZE * FACE_SIZE], Emotion::Angry);
        assert_eq!(
            PeopleMetrics::new(&[sure(Emotion::Angry, 0.9)], &faces),
            None
        );
    }

    #[test]
    fn the_threshold_is_the_least_from_which_one_name_in_eight_is_wrong() {
        let mut predictions = vec![(0.395, false), (0.405, false)];
        predictions.extend([(0.5, true); 7]);
        // From 0.40 on, one of eight is wrong; below, two of nine.
        assert_eq!(threshold(&predictions), Some(0.40));
        assert_eq!(threshold(&[(0.99, false)]), None);
        assert_eq!(threshold(&[(0.2, true)]), Some(0.0));
    }
}
