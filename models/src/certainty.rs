//! When a label is certain enough to be named.

use crate::preprocess::Quality;

/// The label of a face none of whose emotions is probable enough to be named.
pub const UNCERTAIN: &str = "uncertain";

/// The probability, 0 to 1, from which a label is named on a face of this `quality`, 0 to 1. Below it the face is
/// [`UNCERTAIN`].
///
/// It is the `threshold`, 0 to 1, down to a quality of [`Quality::POOR`], and from there rises evenly to 1 at a quality of 0:
/// confidences are calibrated on whole faces, and the poorer a crop is, the more often a confident answer is wrong.
///
/// A threshold of 0 names every label, whatever the quality.
///
/// ```
/// use emotion_models::naming_threshold;
///
/// assert_eq!(naming_threshold(0.4, 0.8), 0.4);
/// assert_eq!(naming_threshold(0.4, 0.25), 0.7);
/// assert_eq!(naming_threshold(0.4, 0.0), 1.0);
/// assert_eq!(naming_threshold(0.0, 0.1), 0.0);
/// ```
pub fn naming_threshold(threshold: f64, quality: f64) -> f64 {
    if threshold <= 0.0 {
        return 0.0;
    }
    let lacking = (1.0 - quality / f64::from(Quality::POOR)).clamp(0.0, 1.0);
    threshold + (1.0 - threshold) * lacking
}
