//! A detected face.

use emotion_models::preprocess::{Landmarks, Region};

/// A detected face on the grid of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectedFace {
    /// Left edge in pixels; may lie outside the image.
    pub x: i32,
    /// Upper edge in pixels; may lie outside the image.
    pub y: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Confidence of the detector, 0 to 1.
    pub confidence: f64,
    /// Its landmarks in pixels, from a detector that finds them.
    pub landmarks: Option<Landmarks>,
}

impl DetectedFace {
    /// The box in pixels.
    pub fn region(&self) -> Region {
        Region::new(
            self.x as f32,
            self.y as f32,
            self.width as f32,
            self.height as f32,
        )
    }
}
