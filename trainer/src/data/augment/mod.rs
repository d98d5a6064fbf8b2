//! What happens to a face on its way into a training batch.
//!
//! In this order: the warp, then exposure, light, noise and erasing, as something in front of a camera would
//! be moved, lit, recorded and covered. What is off draws no random numbers and costs nothing.

mod erasing;
mod exposure;
mod light;
mod noise;
mod warp;

pub use warp::Warp;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use warp::Margins;

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
    #[serde(default)]
    pub exposure: f32,
    /// Largest change of brightness, contrast and gamma, below 1.
    #[serde(default)]
    pub light: f32,
    /// Largest standard deviation of the noise, in grey levels of 0 to 255.
    #[serde(default)]
    pub noise: f32,
    /// Share of the faces of which a rectangle is covered.
    #[serde(default)]
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

/// Changes one face after the other; it keeps its buffers.
#[derive(Debug, Clone)]
pub struct Augmenter {
    augmentation: Augmentation,
    size: usize,
    margins: Margins,
    face: Vec<u8>,
}

impl Augmenter {
    /// An augmenter for faces of `size`² pixels.
    pub fn new(augmentation: Augmentation, size: usize) -> Self {
        Self {
            augmentation,
            size,
            margins: Margins::default(),
            face: vec![0; size * size],
        }
    }

    /// The changed `face`; the generators alone decide how it is changed. The exposure has one of its own, so that
    /// without it all else stays the same.
    ///
    /// # Panics
    ///
    /// When `face` does not hold `size`² pixels.
    pub fn run<R: RngExt>(
        &mut self,
        face: &[u8],
        generator: &mut R,
        for_exposure: &mut R,
    ) -> &[u8] {
        let Augmentation {
            exposure,
            light,
            noise,
            erasing,
            ..
        } = self.augmentation;
        let warp = Warp::sample(&self.augmentation, self.size, generator);
        warp.apply(face, self.size, &mut self.margins, &mut self.face);
        if exposure > 0.0 {
            exposure::change(exposure, &mut self.face, self.size, for_exposure);
        }
        if light > 0.0 {
            light::change(light, &mut self.face, generator);
        }
        if noise > 0.0 {
            noise::add(noise, &mut self.face, generator);
        }
        if erasing > 0.0 && generator.random::<f32>() < erasing {
            erasing::erase(&mut self.face, self.size, generator);
        }
        &self.face
    }
}

/// Uniform from `-limit` to `limit`.
fn within(limit: f32, generator: &mut impl RngExt) -> f32 {
    limit * (2.0 * generator.random::<f32>() - 1.0)
}

#[cfg(test)]
mod tests;
