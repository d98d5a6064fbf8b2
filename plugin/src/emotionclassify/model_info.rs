//! What the statistics say about the weights.

use emotion_analysis::{FaceAnalyzer, Options};

use crate::network_info::NetworkInfo;

/// What `stats` says about the weights.
#[derive(Debug)]
pub(super) struct ModelInfo {
    pub(super) network: NetworkInfo,
    /// The threshold that the weights bring, 0 if none.
    pub(super) threshold: f64,
}

impl ModelInfo {
    pub(super) fn of(analyzer: &FaceAnalyzer) -> Self {
        Self {
            network: NetworkInfo::new(analyzer.weights_id(), analyzer.arithmetic()),
            threshold: analyzer.threshold(&Options::default()),
        }
    }
}
