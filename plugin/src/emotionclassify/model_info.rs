//! What the statistics say about the weights.

use emotion_analysis::{FaceAnalyzer, Options};

/// What `stats` says about the weights.
#[derive(Debug)]
pub(super) struct ModelInfo {
    pub(super) name: String,
    pub(super) weights_id: String,
    pub(super) arithmetic: String,
    /// The threshold that the weights bring, 0 if none.
    pub(super) threshold: f64,
}

impl ModelInfo {
    pub(super) fn of(analyzer: &FaceAnalyzer) -> Self {
        let id = analyzer.weights_id();
        Self {
            name: id.name.clone(),
            weights_id: id.fingerprint.clone(),
            arithmetic: analyzer.arithmetic(),
            threshold: analyzer.threshold(&Options::default()),
        }
    }
}
