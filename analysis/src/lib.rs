//! Follows the emotion of each face over time, without GStreamer.
#![expect(missing_docs)]

pub mod baseline;
mod emotion;
pub mod interval;
pub mod labels;
pub mod smoothing;
pub mod tracks;

pub use emotion::{EmotionResult, RawEmotion, UNCERTAIN};
