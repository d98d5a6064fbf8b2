//! Limits of the augmentation.

use serde::{Deserialize, Serialize};

/// How far faces may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Largest rotation to either side, in degrees.
    pub rotation_degrees: f32,
    /// Largest shift along each axis, as a fraction of the side.
    pub shift: f32,
    /// Largest change of scale along each axis: 0.1 is 0.9 to 1.1.
    pub zoom: f32,
    /// Whether one face in two is mirrored.
    pub flip: bool,
    /// Largest change of the exposure, in stops.
    pub exposure: f32,
    /// Largest change of brightness, contrast and gamma, below 1.
    pub light: f32,
    /// Largest standard deviation of the noise, in grey levels of 0 to 255.
    pub noise: f32,
    /// Share of the faces on which a rectangle is covered.
    pub erasing: f32,
}

impl Augmentation {
    /// Leaves every face as it is.
    pub const NONE: Self = Self {
        rotation_degrees: 0.0,
        shift: 0.0,
        zoom: 0.0,
        flip: false,
        exposure: 0.0,
        light: 0.0,
        noise: 0.0,
        erasing: 0.0,
    };
}
