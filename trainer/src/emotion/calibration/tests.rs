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
