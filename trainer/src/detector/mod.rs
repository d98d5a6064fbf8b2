//! Training the face detector.

pub mod annotations;
pub mod assign;
pub mod loss;
