//! The detectors on real pictures.

mod network;
#[cfg(feature = "cascade")]
mod portrait;
