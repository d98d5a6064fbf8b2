//! Training of networks that recognise emotions, and their evaluation.

pub mod calibration;
pub mod distillation;
pub mod epoch;
pub mod loss;
pub mod metrics;
pub mod people;
pub mod plots;
pub mod recipe;
pub mod reliability;
pub mod task;
pub mod turned;
pub mod unlabelled;
