use super::*;
use crate::emotion::metrics::cross_entropy;

/// Logits that give class 0 the probability 1/2, scaled; and labels that agree half the time.
fn half_right(scale: f32) -> (Vec<Vec<f32>>, Vec<Emotion>) {
    let mut row = vec![0.0; 7];
    row[0] = 6f32.ln() * scale;
    let labels = [
        Emotion::Angry,
        Emotion::Disgust,
        Emotion::Angry,
        Emotion::Sad,
    ];
    (vec![row; 4], labels.to_vec())
}

#[test]
fn probabilities_that_are_right_keep_their_temperature() {
    let (logits, labels) = half_right(1.0);
    assert!((fit_temperature(&logits, &labels) - 1.0).abs() < 1e-5);
}

#[test]
fn logits_three_times_too_large_get_the_temperature_three() {
    let (logits, labels) = half_right(3.0);
    assert!((fit_temperature(&logits, &labels) - 3.0).abs() < 1e-5);
}

#[test]
fn no_other_temperature_has_less_cross_entropy() {
    let (mut logits, mut labels) = half_right(2.0);
    logits.push(vec![3.0, -1.0, 0.5, 8.0, 0.0, 2.0, -4.0]);
    labels.push(Emotion::Happy);
    logits.push(vec![0.0, 5.0, 4.5, 0.1, 0.0, 0.0, 1.0]);
    labels.push(Emotion::Fear);
    let loss = |temperature: f64| -> f64 {
        let rows = logits.iter().zip(&labels);
        rows.map(|(row, &label)| cross_entropy(row, label, temperature))
            .sum()
    };
    let fitted = f64::from(fit_temperature(&logits, &labels));
    for step in -400..=400 {
        let other = fitted * (f64::from(step) / 200.0).exp();
        assert!(loss(fitted) <= loss(other) + 1e-9, "{other}");
    }
}

#[test]
fn extreme_logits_get_a_temperature_within_the_range() {
    let certain = |class: usize| {
        let mut row = vec![-3e38; 7];
        row[class] = 3e38;
        row
    };
    let always_right = fit_temperature(&[certain(3)], &[Emotion::Happy]);
    let always_wrong = fit_temperature(&[certain(3)], &[Emotion::Sad]);
    // The slope of certain and right predictions is 0 everywhere, of wrong ones positive.
    assert_eq!(always_right, 1.0);
    assert!((always_wrong - 20.0).abs() < 1e-4, "{always_wrong}");
}

#[test]
fn where_every_temperature_is_as_good_it_is_one() {
    assert_eq!(fit_temperature(&[], &[]), 1.0);
    assert_eq!(fit_temperature(&[vec![2.5; 7]], &[Emotion::Sad]), 1.0);
    let broken = vec![f32::NAN; 7];
    assert_eq!(fit_temperature(&[broken], &[Emotion::Sad]), 1.0);
}

fn reliability(predictions: &[(f64, bool)]) -> Reliability {
    let mut reliability = Reliability::default();
    for &(confidence, right) in predictions {
        reliability.add(confidence, right);
    }
    reliability
}

#[test]
fn the_calibration_error_weighs_the_gap_of_each_bin_by_its_predictions() {
    // Three in bin 9 (0.6 to 0.667), two of them right: |2/3 − 0.65| = 1/60, weight 3/4.
    // One in bin 13 (0.867 to 0.933), wrong: |0 − 0.9|, weight 1/4.
    let reliability = reliability(&[(0.65, true), (0.64, true), (0.66, false), (0.9, false)]);
    let expected = 0.75 / 60.0 + 0.25 * 0.9;
    assert!((reliability.expected_calibration_error() - expected).abs() < 1e-12);
    let counts = reliability.bins().map(|bin| bin.count());
    assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0]);
}

#[test]
fn a_confidence_of_exactly_one_is_in_the_last_bin_and_of_zero_in_the_first() {
    let reliability = reliability(&[(1.0, true), (0.0, false)]);
    assert_eq!(reliability.bins()[BINS - 1].accuracy(), Some(1.0));
    assert_eq!(reliability.bins()[0].accuracy(), Some(0.0));
    assert_eq!(reliability.expected_calibration_error(), 0.0);
}

#[test]
fn an_edge_belongs_to_the_bin_below_it() {
    let reliability = reliability(&[(1.0 / 15.0, true), (0.2, true)]);
    assert_eq!(reliability.bins()[0].count(), 1);
    assert_eq!(reliability.bins()[2].count(), 1);
}

#[test]
fn an_empty_bin_has_neither_accuracy_nor_confidence_nor_part_in_the_error() {
    let reliability = reliability(&[(0.5, true), (0.5, false)]);
    assert_eq!(reliability.bins()[0].accuracy(), None);
    assert_eq!(reliability.bins()[0].confidence(), None);
    assert_eq!(reliability.expected_calibration_error(), 0.0);
    let nothing = Reliability::default();
    assert!(nothing.expected_calibration_error().is_nan());
}
