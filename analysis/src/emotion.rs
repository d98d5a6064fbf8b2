//! The emotion of a face.

use emotion_models::UNCERTAIN;

/// The emotion of a face on a frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmotionResult {
    /// The label to be shown: one of `labels`, or [`UNCERTAIN`].
    pub label: String,
    /// Index in `labels` of `label`, or of the most probable label where `label` is [`UNCERTAIN`].
    pub label_id: usize,
    /// Probability of the label with the index `label_id`, 0 to 1.
    pub confidence: f64,
    /// Name of the weights.
    pub model_name: String,
    /// The [fingerprint](emotion_models::weights::WeightsId::fingerprint) of the weights; empty if unknown.
    pub weights_id: String,
    /// The threshold, 0 to 1, below which a label is [`UNCERTAIN`], if known; see
    /// [`naming_threshold`](emotion_models::naming_threshold).
    pub threshold: Option<f64>,
    /// All labels that can be shown, in the order of the model.
    pub labels: Vec<String>,
    /// One probability for each of `labels`; they add up to 1.
    pub probabilities: Vec<f64>,
    /// How pleasant the expression is, -1 to 1: the mean of [`Emotion::valence`](emotion_models::Emotion::valence),
    /// weighted with the probabilities. `None` if the model has labels without a valence.
    pub valence: Option<f64>,
    /// How well the face can be judged, 0 (not at all) to 1. Small, cut off, blurred, turned-away, covered and lying faces have
    /// low values.
    pub quality: Option<f64>,
    /// The result of this frame alone; `None` if the face was not classified on it.
    pub raw: Option<RawEmotion>,
}

/// The emotion of a face on one frame alone, before smoothing.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEmotion {
    /// Name of the most probable label.
    pub label: String,
    /// Its probability, 0 to 1.
    pub confidence: f64,
}

impl EmotionResult {
    /// Whether no emotion is probable enough to be named.
    pub fn is_uncertain(&self) -> bool {
        self.label == UNCERTAIN
    }
}
