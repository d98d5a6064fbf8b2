//! Everything between a grey crop of a face and calibrated probabilities.
//!
//! The trainer and the plugin share this crate, so that a network is served exactly as it was trained: the same
//! [labels](Emotion), the same [preprocessing](preprocess), the same [graph], the same [weights] file. It depends neither
//! on GStreamer nor on OpenCV, and on Candle only with the cargo feature `training`.
//!
//! A network is described once, as a [`graph`], and run by two executors: [`inference`] and `training`.
//!
//! [`Classifier`] is the short way through it:
//!
//! ```
//! use emotion_models::{Classifier, preprocess::{GreyImage, Preprocessor, Region}};
//!
//! let picture = vec![128; 100 * 80];
//! let image = GreyImage::new(&picture, 100, 80, 100)?;
//! let mut classifier = Classifier::embedded()?;
//! let size = classifier.metadata().input_size;
//! let mut face = vec![0.0; size * size];
//! Preprocessor::new(size).run(&image, Region::face(30.0, 20.0, 40.0, 40.0, 0.0), &mut face)?;
//! let scores = classifier.classify(&face)?;
//! let (label_id, confidence) = scores[0].best();
//! println!("{} {:.0} %", classifier.metadata().labels[label_id], 100.0 * confidence);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod atomic_file;
mod certainty;
mod classifier;
mod emotion;
pub mod graph;
pub mod hash;
#[cfg(feature = "image-files")]
pub mod image_file;
pub mod inference;
mod instructions;
mod kernels;
mod precision;
pub mod preprocess;
pub mod regular_file;
#[cfg(feature = "training")]
pub mod training;
pub mod weights;

pub use certainty::{UNCERTAIN, naming_threshold};
pub use classifier::{Classifier, Scores};
pub use emotion::Emotion;
pub use graph::face_net;
pub use instructions::Instructions;
pub use weights::{Metadata, Weights};

/// The examples of the readme are tests.
#[cfg(all(doctest, feature = "built-in-weights"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
