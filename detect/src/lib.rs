//! Detects and tracks faces in grey images. Needs no GStreamer.
//!
//! The plugin and the trainer share this crate, so both find the same faces. A [`Detector`] is either our own
//! [network](NetworkDetector) or one of OpenCV's cascades. The cascades are behind the feature `cascade`,
//! because they need OpenCV. [`track`] follows the faces of a stream from frame to frame.

pub mod boxes;
#[cfg(feature = "cascade")]
mod cascade;
mod detector;
mod error;
mod face;
pub mod interval;
mod network;
mod options;
pub mod track;

#[cfg(feature = "cascade")]
pub use cascade::{Cascade, set_threads};
pub use detector::Detector;
pub use error::Error;
pub use face::DetectedFace;
pub use network::{Candidate, NetworkDetector};
pub use options::Options;

/// The examples of the readme are tests.
#[cfg(all(doctest, feature = "built-in-weights"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
