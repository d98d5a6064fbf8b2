//! Trains and evaluates the emotion networks on FER-2013.
//!
//! A run is decided by its settings, its seed and its data alone: every random number has an
//! address of its own ([`random`]), so neither threads nor interruptions change a result. Faces
//! reach the network through `emotion_models::preprocess`, as they do in the plugin.

pub mod average;
pub mod calibration;
pub mod checkpoint;
pub mod cli;
pub mod commands;
pub mod data;
pub mod detector;
pub mod distillation;
pub mod files;
pub mod folder;
pub mod identity;
pub mod interrupt;
#[cfg(feature = "keras")]
pub mod keras;
mod learner;
pub mod light;
pub mod log;
pub mod loss;
pub mod metrics;
pub mod network;
pub mod onnx;
pub mod optimizer;
pub mod params;
pub mod picture;
pub mod plots;
pub mod prediction;
pub mod progress;
pub mod random;
pub mod recipe;
pub mod run;
pub mod schedule;
#[cfg(test)]
mod testing;
pub mod training;
