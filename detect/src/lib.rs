//! Finds faces in grey pictures, wherever the picture came from.
//!
//! The plugin's element and the trainer's `predict` share this crate, so that both look at the same faces. It stands
//! apart from `emotion-models` because it needs OpenCV.

mod cascade;
pub mod track;

pub use cascade::{Cascade, Error, Options, set_threads};

/// A face and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectedFace {
    /// Left edge in pixels; may lie outside the picture.
    pub x: i32,
    /// Upper edge in pixels; may lie outside the picture.
    pub y: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How sure the detector is, 0 to 1.
    pub confidence: f64,
}
