//! Settings of the analysis.

use std::time::Duration;

use emotion_models::preprocess::{DEFAULT_MARGIN, LightCorrection};

use crate::interval::ClassifyInterval;
use crate::smoothing::SmoothingMethod;

/// How faces are analyzed. It may change from frame to frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How far the crop reaches beyond the face's rectangle on each side, as a fraction of the rectangle's longer side,
    /// in [`MARGINS`](emotion_models::preprocess::MARGINS); a negative margin crops tighter than the rectangle.
    pub margin: f32,
    /// Whether the crop of a tilted face with landmarks is turned upright.
    pub align: bool,
    /// How the light of each crop is corrected.
    pub light: LightCorrection,
    /// Whether the mirror image of each face is classified as well and the mean taken: more accurate, twice the work.
    pub mirror: bool,
    /// How often each face is classified, sooner when it looks different; between, its emotion stays.
    pub interval: ClassifyInterval,
    /// How results are smoothed over time.
    pub smoothing: SmoothingMethod,
    /// How far back smoothing looks.
    pub window: Duration,
    /// Whether the faces are at rest in the second after the first frame with a face, so that their
    /// [baselines](crate::FaceAnalyzer::learn_baseline) are learnt there.
    pub begins_at_rest: bool,
    /// The probability, 0 to 1, below which a label is [`UNCERTAIN`](crate::UNCERTAIN), 0 to name every label; `None` for the
    /// value that the weights bring, or 0 if they bring none. It rises on poor crops: see
    /// [`naming_threshold`](emotion_models::naming_threshold). A smoothed label changes between being named and being
    /// uncertain when it was on the other side clearly or for long.
    pub threshold: Option<f64>,
}

impl Default for Options {
    /// Each face as often as it needs, adaptive smoothing with a window of one second, and the threshold of the weights.
    fn default() -> Self {
        Self {
            margin: DEFAULT_MARGIN,
            align: true,
            light: LightCorrection::None,
            mirror: false,
            interval: ClassifyInterval::default(),
            smoothing: SmoothingMethod::default(),
            window: Duration::from_secs(1),
            begins_at_rest: false,
            threshold: None,
        }
    }
}
