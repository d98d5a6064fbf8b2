//! A face, its detection and its emotion.

/// The type of a region of interest that is a face.
pub const ROI_TYPE: &str = "face";

/// The label of a face whose emotion is not certain enough to be named.
pub const UNCERTAIN: &str = "uncertain";

/// A face on a buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Id of the region of interest, unique in the frame after [`assign_ids`](super::assign_ids).
    pub roi_id: i32,
    /// Left edge in pixels; negative where the region begins left of the frame.
    pub x: i32,
    /// Upper edge in pixels; negative where the region begins above the frame.
    pub y: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The detector's results, if there are any.
    pub detection: Option<Detection>,
    /// The track that the face belongs to, if the faces are tracked.
    pub object_id: Option<i32>,
    /// The emotion, if the face is classified.
    pub emotion: Option<EmotionResult>,
}

/// The results of a detector for a face, besides the rectangle.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The detector's confidence, 0 to 1; whether that is a probability depends on the detector.
    pub confidence: f64,
    /// Time since the face was first found, if it is tracked.
    pub age: Option<gst::ClockTime>,
    /// Time since the face was last found; zero while it is found, none if it is not tracked.
    pub lost: Option<gst::ClockTime>,
}

/// The results of a classifier for a face.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmotionResult {
    /// Name of the emotion to show, or [`UNCERTAIN`].
    pub label: String,
    /// Index in `labels` of `label`, or of the best guess if that is uncertain.
    pub label_id: usize,
    /// Probability of the label with the index `label_id`, 0 to 1.
    pub confidence: f64,
    /// Name of the weights.
    pub model_name: String,
    /// All labels of the weights, in their order.
    pub labels: Vec<String>,
    /// One probability for each of `labels`; they add up to 1.
    pub probabilities: Vec<f64>,
    /// How pleasant the expression is, -1 to 1: the mean of
    /// [`Emotion::valence`](emotion_models::Emotion::valence), weighted with `probabilities`.
    pub valence: Option<f64>,
    /// Quality of the crop of the face, 0 (useless) to 1.
    pub quality: Option<f64>,
    /// The result of this frame alone, if the network classified the face on it.
    pub raw: Option<RawEmotion>,
}

/// The result of a classifier on one frame alone, before any smoothing.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEmotion {
    /// Name of the most probable emotion.
    pub label: String,
    /// Its probability, 0 to 1.
    pub confidence: f64,
}

impl EmotionResult {
    /// Whether no emotion is certain enough to be named.
    pub fn is_uncertain(&self) -> bool {
        self.label == UNCERTAIN
    }
}
