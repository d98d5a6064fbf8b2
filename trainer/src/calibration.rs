//! Temperature scaling (Guo et al. 2017): the one number by which logits are divided so that
//! probabilities are as honest as one number can make them. It changes no label.

use emotion_models::Emotion;

use crate::metrics::cross_entropy;

/// The range that is searched.
const RANGE: (f64, f64) = (0.05, 20.0);

/// The temperature with the least cross-entropy for logits `[N][7]` and their N labels, within a
/// thousandth; 1 without faces.
pub fn fit_temperature(logits: &[Vec<f32>], labels: &[Emotion]) -> f32 {
    if labels.is_empty() {
        return 1.0;
    }
    let loss = |log_temperature: f64| -> f64 {
        let temperature = log_temperature.exp();
        logits
            .iter()
            .zip(labels)
            .map(|(row, label)| cross_entropy(row, *label, temperature))
            .sum()
    };
    golden_section(RANGE.0.ln(), RANGE.1.ln(), 1e-3, loss).exp() as f32
}

/// Where between `low` and `high` a function with a single minimum is least, within `tolerance`.
fn golden_section(mut low: f64, mut high: f64, tolerance: f64, f: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let mut left = high - ratio * (high - low);
    let mut right = low + ratio * (high - low);
    let (mut at_left, mut at_right) = (f(left), f(right));
    while high - low > tolerance {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = f(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = f(right);
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!((fit_temperature(&logits, &labels) - 1.0).abs() < 2e-3);
    }

    #[test]
    fn logits_three_times_too_large_get_the_temperature_three() {
        let (logits, labels) = half_right(3.0);
        assert!((fit_temperature(&logits, &labels) - 3.0).abs() < 6e-3);
    }
}
