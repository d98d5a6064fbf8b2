//! Settings of the analysis.

use std::time::Duration;

use emotion_detect::interval::Interval;
use emotion_models::preprocess::{DEFAULT_MARGIN, LightCorrection};

use crate::smoothing::SmoothingMethod;

/// How faces are analyzed. It may change from frame to frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How far the crop reaches beyond the face's rectangle on each side, as a fraction of the rectangle's longer side,
    /// in [`MARGINS`](emotion_models::preprocess::MARGINS); a negative margin crops tighter than the rectangle.
    pub margin: f32,
    /// How the light of each crop is corrected.
    pub light: LightCorrection,
    /// Whether the mirror image of each face is classified as well and the mean taken: more accurate, twice the work.
    pub mirror: bool,
    /// How often each face is classified, sooner when it looks different; between, its emotion stays.
    pub interval: Interval,
    /// How results are smoothed over time.
    pub smoothing: SmoothingMethod,
    /// How far back smoothing looks.
    pub window: Duration,
    /// Whether the usual expression of each face is taken for its neutral one.
    pub personalise: bool,
    /// The probability, 0 to 1, below which a label is [`UNCERTAIN`](crate::UNCERTAIN). A smoothed label that was uncertain
    /// is named again a little above it.
    pub threshold: f64,
}

impl Default for Options {
    /// Each face on each frame, adaptive smoothing with a window of one second, and always the most probable label.
    fn default() -> Self {
        Self {
            margin: DEFAULT_MARGIN,
            light: LightCorrection::None,
            mirror: false,
            interval: Interval::Frames(1),
            smoothing: SmoothingMethod::default(),
            window: Duration::from_secs(1),
            personalise: false,
            threshold: 0.0,
        }
    }
}
