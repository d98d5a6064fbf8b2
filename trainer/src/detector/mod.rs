//! Training and evaluation of the face detector.
//!
//! [`annotations`] are loaded as [`images`] and cut into [`sample`]s. [`targets`] are what the network should output for a
//! sample. [`validation`] runs the network on whole images, [`matching`] compares its boxes with the faces, [`calibration`]
//! turns scores into probabilities, and [`evaluation`] measures a finished detector.

pub mod annotations;
pub mod assign;
pub mod calibration;
pub mod epoch;
pub mod evaluation;
pub mod images;
pub mod loss;
pub mod made;
pub mod matching;
pub mod photometric;
pub mod plots;
pub mod sample;
pub mod settings;
pub mod targets;
pub mod task;
mod transform;
pub mod validation;
