//! Training the face detector.
//!
//! [`annotations`] become [`images`] in memory, these are cut up into [`sample`]s, and [`targets`] say what the network
//! is to answer there. [`validation`] compares what it finds on whole pictures with the truth, and [`calibration`] makes
//! its scores honest. [`evaluation`] says how good the detector is that came of it.

pub mod annotations;
pub mod assign;
pub mod calibration;
pub mod epoch;
pub mod evaluation;
pub mod images;
pub mod light;
pub mod loss;
mod mapping;
pub mod matching;
pub mod plots;
pub mod sample;
pub mod settings;
pub mod targets;
pub mod task;
pub mod validation;
