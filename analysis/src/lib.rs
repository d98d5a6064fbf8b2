//! Follows the emotion of each face over time.
//!
//! A network classifies single frames, and single frames flicker. This crate turns its answers into emotions that people
//! can read. A [`FaceAnalyzer`] takes the faces of each frame of a stream and
//!
//! 1. finds the history of each face, by the id of its track or by how far rectangles overlap ([`FaceMatcher`]);
//! 2. classifies the faces that are due, all in one run of the network ([`ClassifyInterval`]);
//! 3. subtracts what a face shows at rest, if that was learnt ([`FaceAnalyzer::learn_baseline`]);
//! 4. smooths the probabilities of each face over time, with hysteresis ([`Smoother`]);
//! 5. shows labels under other names or in groups ([`Renaming`], [`LabelGroups`]);
//! 6. calls a face [`UNCERTAIN`] whose best label is less probable than a threshold.
//!
//! What people do in the room, in zones and at lines, is counted by [`zones`].
//!
//! [`PictureAnalyzer`] and [`VideoAnalyzer`] also find the faces, with a detector of `emotion_detect`; the analyzer itself
//! leaves to the caller where they are. The crate knows neither GStreamer nor OpenCV.
//! Rectangles are in pixels of a grey picture, times are since the start of the stream.
//!
//! ```
//! use std::time::Duration;
//!
//! use emotion_analysis::{FaceAnalyzer, FacePosition, Options, Renaming};
//! use emotion_models::{Classifier, preprocess::{GreyImage, Region}};
//!
//! let mut analyzer = FaceAnalyzer::new(Classifier::embedded()?);
//! analyzer.set_renaming(&Renaming::parse("angry+disgust+fear+sad=negative")?);
//! let options = Options { threshold: Some(0.4), ..Options::default() };
//!
//! let pixels = vec![128; 320 * 240];
//! let image = GreyImage::new(&pixels, 320, 240, 320)?;
//! let face = FacePosition {
//!     object_id: Some(7),
//!     region: Region::new(100.0, 60.0, 90.0, 90.0),
//!     landmarks: None,
//! };
//! for frame in 0..3 {
//!     let time = Duration::from_millis(40 * frame);
//!     let results = analyzer.analyze(&image, &[face], Some(time), &options)?;
//!     for change in &results.changes {
//!         println!("{time:?}: face {} shows {}", change.id, change.new);
//!     }
//!     assert_eq!(results.faces[0].id, 7);
//!     assert_eq!(results.faces[0].emotion.labels, ["negative", "happy", "surprise", "neutral"]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analyzer;
mod baseline;
mod batch;
mod classification;
mod emotion;
mod history;
mod interval;
mod labels;
mod matcher;
mod options;
mod picture;
mod smoothing;
mod time_mean;
mod video;
pub mod zones;

pub use emotion_detect::interval::{Interval, InvalidInterval};

pub use analyzer::{FaceAnalyzer, FaceResult, FrameResults, LabelChange};
pub use emotion::{EmotionResult, RawEmotion};
pub use emotion_models::UNCERTAIN;
pub use interval::{ClassifyInterval, InvalidClassifyInterval};
pub use labels::{LabelGroups, Renaming, RenamingError};
pub use matcher::{FaceMatcher, FacePosition, MatchedFace};
pub use options::Options;
pub use picture::{AnalyzedFace, PictureAnalyzer};
pub use smoothing::{SmoothedEmotion, Smoother, SmoothingMethod, SmoothingOptions};
pub use video::VideoAnalyzer;

/// The examples of the readme are tests.
#[cfg(all(doctest, feature = "built-in-weights"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
