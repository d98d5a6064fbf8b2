//! Augmentation of training faces.
//!
//! Faces are warped, then exposure, tone, noise and erasing follow, in the order in which a face in front of a camera is
//! moved, lit, recorded and covered. A change that is turned off draws no random numbers and costs nothing.

mod augmenter;
mod erasing;
mod exposure;
mod noise;
mod settings;
mod tone;
mod warp;

pub use augmenter::Augmenter;
pub use settings::Augmentation;
pub use warp::Warp;
