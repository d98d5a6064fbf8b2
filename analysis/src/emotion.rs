//! What is known about the emotion of a face.

/// The label of a face whose emotion is not sure enough to be named.
pub const UNCERTAIN: &str = "uncertain";

/// What a classifier says of a face.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmotionResult {
    /// Name of the emotion to be shown, or [`UNCERTAIN`].
    pub label: String,
    /// Index in `labels` of `label`, or of the best guess where that is uncertain.
    pub label_id: usize,
    /// Probability of the label with the index `label_id`, 0 to 1.
    pub confidence: f64,
    /// Name of the weights that say so.
    pub model_name: String,
    /// All labels of the model, in its order.
    pub labels: Vec<String>,
    /// One probability for each of `labels`; they add up to 1.
    pub probabilities: Vec<f64>,
    /// How pleasant the expression is, -1 to 1: the mean of
    /// [`Emotion::valence`](emotion_models::Emotion::valence), weighted with `probabilities`.
    pub valence: Option<f64>,
    /// How well the face can be judged, 0 (not at all) to 1.
    pub quality: Option<f64>,
    /// What the network said of this frame alone.
    pub raw: Option<RawEmotion>,
}

/// What a classifier says of a face on one frame alone, before any smoothing.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEmotion {
    /// Name of the most probable emotion.
    pub label: String,
    /// Its probability, 0 to 1.
    pub confidence: f64,
}

impl EmotionResult {
    /// Whether no emotion is sure enough to be named.
    pub fn is_uncertain(&self) -> bool {
        self.label == UNCERTAIN
    }
}
