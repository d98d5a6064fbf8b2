//! Finds faces in grey pictures, wherever the picture came from.
//!
//! The plugin's element and the trainer share this crate, so that both look at the same faces. A [`Detector`] is
//! either our own [network](NetworkDetector) or one of OpenCV's [cascades](Cascade); the latter stand behind the feature
//! `cascade`, because they need OpenCV.

#[cfg(feature = "cascade")]
mod cascade;
mod detector;
mod error;
mod network;
mod options;
mod search;
pub mod track;

#[cfg(feature = "cascade")]
pub use cascade::{Cascade, set_threads};
pub use detector::Detector;
pub use error::Error;
pub use network::{Candidate, NetworkDetector};
pub use options::Options;

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
