//! Limits of the augmentation.

use serde::{Deserialize, Serialize};

/// How far faces may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Share of the faces of which a mask, a hand, glasses or a bar cover the mouth or the eyes.
    pub cover: f32,
    /// Largest rotation to either side, in degrees.
    pub rotation_degrees: f32,
    /// Largest shift along each axis, as a fraction of the side.
    pub shift: f32,
    /// Largest change of scale along both axes together: 0.1 is 0.9 to 1.1.
    pub scale: f32,
    /// Largest further change of scale along each axis.
    pub zoom: f32,
    /// Whether one face in two is mirrored.
    pub flip: bool,
    /// Largest change of the exposure, in stops.
    pub exposure: f32,
    /// Largest change of brightness, contrast and gamma, below 1.
    pub light: f32,
    /// Share of the faces on which a rectangle is covered.
    pub erasing: f32,
    /// Share of the faces that are blurred, by a lens or by motion.
    pub blur: f32,
    /// Share of the faces that are reduced to between 16 and 47 pixels.
    pub reduce: f32,
    /// Largest standard deviation of the noise, in grey levels of 0 to 255.
    pub noise: f32,
    /// Share of the faces that are compressed as JPEG.
    pub compress: f32,
}

impl Augmentation {
    /// Leaves every face as it is.
    pub const NONE: Self = Self {
        cover: 0.0,
        rotation_degrees: 0.0,
        shift: 0.0,
        scale: 0.0,
        zoom: 0.0,
        flip: false,
        exposure: 0.0,
        light: 0.0,
        erasing: 0.0,
        blur: 0.0,
        reduce: 0.0,
        noise: 0.0,
        compress: 0.0,
    };

    /// The same movements of the face and nothing else.
    pub fn only_moved(&self) -> Self {
        let Self {
            rotation_degrees,
            shift,
            scale,
            zoom,
            flip,
            ..
        } = *self;
        Self {
            rotation_degrees,
            shift,
            scale,
            zoom,
            flip,
            ..Self::NONE
        }
    }
}
