//! What is known about a face.

/// The type of a region of interest that is a face.
pub const ROI_TYPE: &str = "face";

/// The label of a face whose emotion is not sure enough to be named.
pub const UNCERTAIN: &str = "uncertain";

/// A face as it stands on a buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Id of the region of interest, unique in the frame after [`assign_ids`].
    pub roi_id: i32,
    /// Left edge in pixels; negative where the region begins left of the frame.
    pub x: i32,
    /// Upper edge in pixels; negative where the region begins above the frame.
    pub y: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// What the detector said, if it said anything.
    pub detection: Option<Detection>,
    /// The track that the face belongs to, if the faces are tracked.
    pub object_id: Option<i32>,
    /// The emotion, if the face is classified.
    pub emotion: Option<EmotionResult>,
}

/// What a detector says of a face besides its rectangle.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Detection {
    /// How sure the detector is, 0 to 1; whether that is a probability depends on the detector.
    pub confidence: f64,
    /// How long ago the face was found first, if it is tracked.
    pub age: Option<gst::ClockTime>,
    /// For how long the face is searched and not found; zero while it is found, none if it is not tracked.
    pub lost: Option<gst::ClockTime>,
}

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
