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
