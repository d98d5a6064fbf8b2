//! Training the face detector.

pub mod annotations;
pub mod assign;
pub mod found;
pub mod light;
pub mod loss;
pub mod sample;
pub mod scenes;
pub mod targets;
pub mod training;
