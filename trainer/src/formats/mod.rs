//! Weights for and from other programs.

#[cfg(feature = "keras")]
pub mod keras;
pub mod onnx;
pub mod pytorch;
