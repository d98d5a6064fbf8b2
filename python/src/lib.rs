//! The compiled part of the Python package `emotion_faces`.
//!
//! It takes pictures and gives plain values; the Python part in `emotion_faces/` makes them pleasant to use. Pictures are
//! copied while Python's lock is held, and all that computes runs without it. No thread outlives a call, so that a
//! process may fork between calls.

mod engine;
mod errors;
mod face;
mod options;
mod picture;
mod tracker;

use pyo3::prelude::*;

/// The module `emotion_faces._native`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::face::roll_and_yaw;
    #[pymodule_export]
    use crate::tracker::Tracker;
}
