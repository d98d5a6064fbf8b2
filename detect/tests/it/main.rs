//! The detectors on real pictures.

mod network;
mod portrait;
