//! Figures of the face detector.

mod curves;
mod precision_recall;

pub use curves::curves;
pub use precision_recall::precision_recall;
