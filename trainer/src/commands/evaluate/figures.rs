//! Figures that several parts of the report have.

use emotion_models::Emotion;
use serde_json::{Map, Value, json};

/// An object with a value for each emotion.
pub(super) fn by_emotion(value: impl Fn(Emotion) -> Option<f64>) -> Map<String, Value> {
    let entry = |emotion: Emotion| (emotion.name().to_owned(), json!(value(emotion)));
    Emotion::ALL.into_iter().map(entry).collect()
}

/// The 95 % interval of a fraction of `count` faces (Wilson 1927).
pub(super) fn interval(fraction: f64, count: usize) -> [f64; 2] {
    const Z: f64 = 1.96;
    let n = count as f64;
    let scale = 1.0 + Z * Z / n;
    let centre = (fraction + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (fraction * (1.0 - fraction) / n + Z * Z / (4.0 * n * n)).sqrt();
    [centre - half, centre + half]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_shrinks_with_the_number_of_faces() {
        // Two standard deviations of 70 % of 3,589 faces are 1.5 points.
        let [low, high] = interval(0.7, 3589);
        assert!(
            (low - 0.6848).abs() < 1e-3 && (high - 0.7148).abs() < 1e-3,
            "{low} {high}"
        );
        let [low, high] = interval(1.0, 10);
        assert!(low < 0.75 && high > 0.999, "{low} {high}");
    }
}
