//! Applies all changes to one face after the other.

use rand::RngExt;

use super::cover::Cover;
use super::degradation::{Degradation, compress, resized};
use super::settings::Augmentation;
use super::warp::{Margins, Warp};
use super::{erasing, exposure, noise, tone};
use crate::random::Purpose;

/// A changed face.
#[derive(Debug, Clone, Copy)]
pub struct AugmentedFace<'a> {
    /// `size`² pixels.
    pub pixels: &'a [u8],
    /// Its side in pixels.
    pub size: usize,
    /// Whether a cover was drawn over its mouth or its eyes.
    pub is_covered: bool,
}

/// Augments faces; it reuses its buffers.
#[derive(Debug, Clone)]
pub struct Augmenter {
    augmentation: Augmentation,
    size: usize,
    margins: Margins,
    covered: Vec<u8>,
    face: Vec<u8>,
}

impl Augmenter {
    /// An augmenter for faces of `size`² pixels.
    pub fn new(augmentation: Augmentation, size: usize) -> Self {
        Self {
            augmentation,
            size,
            margins: Margins::default(),
            covered: Vec::new(),
            face: Vec::new(),
        }
    }

    /// The changed `face`. The generators alone decide how it is changed. Movements, cover, exposure and degradation have
    /// one each, so that turning one off leaves the others as they are.
    ///
    /// # Panics
    ///
    /// When `face` does not hold `size`² pixels.
    pub fn run<R: RngExt>(
        &mut self,
        face: &[u8],
        generator: impl Fn(Purpose) -> R,
    ) -> AugmentedFace<'_> {
        let augmentation = &self.augmentation;
        let size = self.size;
        let cover = (augmentation.cover > 0.0)
            .then(|| Cover::sample(augmentation.cover, &mut generator(Purpose::Cover)))
            .flatten();
        self.covered.clear();
        self.covered.extend_from_slice(face);
        if let Some(cover) = &cover {
            cover.draw(&mut self.covered, size);
        }

        let warp = Warp::sample(augmentation, size, &mut generator(Purpose::Movement));
        self.face.resize(size * size, 0);
        warp.apply(&self.covered, size, &mut self.margins, &mut self.face);
        let mut changes = generator(Purpose::Augmentation);
        if augmentation.exposure > 0.0 {
            let generator = &mut generator(Purpose::Exposure);
            exposure::change(augmentation.exposure, &mut self.face, size, generator);
        }
        if augmentation.light > 0.0 {
            tone::change(augmentation.light, &mut self.face, &mut changes);
        }
        if augmentation.erasing > 0.0 && changes.random::<f32>() < augmentation.erasing {
            erasing::erase(&mut self.face, size, &mut changes);
        }

        let mut size = size;
        let mut generator = generator(Purpose::Degradation);
        let degradation = Degradation::sample(augmentation, size, &mut generator);
        if let Some(blur) = degradation.blur {
            blur.apply(&mut self.face, size);
        }
        if let Some(reduced) = degradation.size {
            self.face = resized(&self.face, size, reduced);
            size = reduced;
        }
        if augmentation.noise > 0.0 {
            noise::add(augmentation.noise, &mut self.face, &mut generator);
        }
        if let Some(quality) = degradation.quality {
            compress(&mut self.face, size, quality);
        }
        AugmentedFace {
            pixels: &self.face,
            size,
            is_covered: cover.is_some(),
        }
    }
}

#[cfg(test)]
mod tests;
