//! Applies all changes to one face after the other.

use rand::RngExt;

use super::settings::Augmentation;
use super::warp::{Margins, Warp};
use super::{erasing, exposure, noise, tone};

/// Augments faces; it reuses its buffers.
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

    /// The changed `face`. The generators alone decide how it is changed. The exposure has its own one, so that turning
    /// it off changes nothing else.
    ///
    /// # Panics
    ///
    /// When `face` does not hold `size`² pixels.
    pub fn run<R: RngExt>(
        &mut self,
        face: &[u8],
        generator: &mut R,
        exposure_generator: &mut R,
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
            exposure::change(exposure, &mut self.face, self.size, exposure_generator);
        }
        if light > 0.0 {
            tone::change(light, &mut self.face, generator);
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

#[cfg(test)]
mod tests;
