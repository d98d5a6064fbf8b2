use emotion_models::Emotion;

use super::*;
use crate::emotion::metrics::soft_cross_entropy;

/// The targets of these labels.
fn targets(labels: &[Emotion]) -> Vec<[f32; CLASSES]> {
    let target =
        |label: &Emotion| std::array::from_fn(|class| f32::from(class == label.label_id()));
    labels.iter().map(target).collect()
}

/// Logits that give class 0 the probability 1/2, scaled; and labels that agree half the time.
fn half_right(scale: f32) -> (Vec<Vec<f32>>, Vec<[f32; CLASSES]>) {
    let mut row = vec![0.0; 7];
    row[0] = 6f32.ln() * scale;
    let labels = [
        Emotion::Angry,
        Emotion::Disgust,
        Emotion::Angry,
        Emotion::Sad,
    ];
    (vec![row; 4], targets(&labels))
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
    labels.extend(targets(&[Emotion::Happy]));
    logits.push(vec![0.0, 5.0, 4.5, 0.1, 0.0, 0.0, 1.0]);
    labels.extend(targets(&[Emotion::Fear]));
    let loss = |temperature: f64| -> f64 {
        let rows = logits.iter().zip(&labels);
        rows.map(|(row, target)| soft_cross_entropy(row, target, temperature))
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
    let always_right = fit_temperature(&[certain(3)], &targets(&[Emotion::Happy]));
    let always_wrong = fit_temperature(&[certain(3)], &targets(&[Emotion::Sad]));
    // The slope of certain and right predictions is 0 everywhere, of wrong ones positive.
    assert_eq!(always_right, 1.0);
    assert!((always_wrong - 20.0).abs() < 1e-4, "{always_wrong}");
}

#[test]
fn where_every_temperature_is_as_good_it_is_one() {
    assert_eq!(fit_temperature(&[], &[]), 1.0);
    assert_eq!(
        fit_temperature(&[vec![2.5; 7]], &targets(&[Emotion::Sad])),
        1.0
    );
    let broken = vec![f32::NAN; 7];
    assert_eq!(fit_temperature(&[broken], &targets(&[Emotion::Sad])), 1.0);
}

#[test]
fn targets_between_two_emotions_are_met_as_well() {
    // softmax(0, …, 3·ln 3) is 3/4 for the first of two classes where the others are impossible.
    let mut row = vec![-1e3; 7];
    row[0] = 3.0 * 3f32.ln();
    row[1] = 0.0;
    let target = [0.75, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert!((fit_temperature(&[row], &[target]) - 3.0).abs() < 1e-4);
}
