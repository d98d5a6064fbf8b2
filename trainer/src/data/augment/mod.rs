//! Augmentation of training faces.
//!
//! Faces are covered and moved, then lit, then recorded: exposure, tone, erasing, blur, reduction, noise and compression follow, in
//! the order in which they happen to a face in front of a camera. A change that is turned off draws no random numbers and costs nothing.

mod augmenter;
pub(crate) mod cover;
pub(crate) mod degradation;
mod erasing;
mod exposure;
mod noise;
mod settings;
mod tone;
mod warp;

pub use augmenter::{AugmentedFace, Augmenter};
pub use settings::Augmentation;
pub use warp::{Margins, Movement, Warp};
