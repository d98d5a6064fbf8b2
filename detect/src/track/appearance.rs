//! Appearance of a face: a coarse image without its brightness and contrast, cheap to extract and to compare.

use emotion_models::preprocess::{GreyRows, Preprocessor, Region};

/// Width and height of the coarse image in pixels.
const SIDE: usize = 16;
/// Weight of a new appearance in the running mean.
const NEW_WEIGHT: f32 = 0.15;

/// The appearance of a face, `[16, 16]` values with mean 0 and length 1; the product of two is their normalised
/// cross-correlation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Appearance(Vec<f32>);

impl Appearance {
    /// Similarity of two faces, -1 to 1: 1 for the same image, about 0 for unrelated ones.
    pub(super) fn similarity(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }

    /// Moves the running mean towards a new appearance.
    pub(super) fn blend(&mut self, new: &Self) {
        for (mean, new) in self.0.iter_mut().zip(&new.0) {
            *mean += NEW_WEIGHT * (new - *mean);
        }
        // Two appearances of one face are never opposite, so their mean is not zero.
        normalize(&mut self.0);
    }
}

/// Extracts appearances. It reuses its buffers.
#[derive(Debug)]
pub(super) struct AppearanceExtractor(Preprocessor);

impl Default for AppearanceExtractor {
    fn default() -> Self {
        Self(Preprocessor::new(SIDE))
    }
}

impl AppearanceExtractor {
    /// The appearance of the face at `region`; none where the image is flat.
    pub(super) fn extract(&mut self, image: &impl GreyRows, region: &Region) -> Option<Appearance> {
        let mut cells = vec![0.0; SIDE * SIDE];
        let square = Region::face(region.x, region.y, region.width, region.height, 0.0);
        self.0.run(image, square, &mut cells).ok()?;
        normalize(&mut cells).then_some(Appearance(cells))
    }
}

/// Subtracts the mean and scales to length 1; returns whether the values vary.
pub(super) fn normalize(cells: &mut [f32]) -> bool {
    let mean = cells.iter().sum::<f32>() / cells.len() as f32;
    for cell in cells.iter_mut() {
        *cell -= mean;
    }
    let length = cells.iter().map(|cell| cell * cell).sum::<f32>().sqrt();
    // The contrast is below one grey level.
    if length < cells.len() as f32 * 1e-4 {
        return false;
    }
    for cell in cells {
        *cell /= length;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use emotion_models::preprocess::GreyImage;

    fn appearance(pixel: impl Fn(usize, usize) -> u8) -> Option<Appearance> {
        let pixels: Vec<u8> = (0..64 * 64).map(|i| pixel(i % 64, i / 64)).collect();
        let image = GreyImage::new(&pixels, 64, 64, 64).unwrap();
        AppearanceExtractor::default().extract(&image, &Region::whole(&image))
    }

    fn rings(x: usize, y: usize) -> u8 {
        let (x, y) = (x as f32 - 30.0, y as f32 - 34.0);
        (80.0 + 60.0 * ((x * x + y * y).sqrt() / 5.0).sin()) as u8
    }

    #[test]
    fn brightness_and_contrast_do_not_change_an_appearance() {
        let plain = appearance(rings).unwrap();
        let dim = appearance(|x, y| rings(x, y) / 2 + 90).unwrap();
        assert!(plain.similarity(&dim) > 0.99);
    }

    #[test]
    fn another_image_differs_and_a_flat_one_has_no_appearance() {
        let plain = appearance(rings).unwrap();
        let stripes = appearance(|x, _| (x * 4) as u8).unwrap();
        assert!(plain.similarity(&stripes) < 0.5);
        assert_eq!(appearance(|_, _| 77), None);
    }

    #[test]
    fn the_mean_moves_towards_new_appearances() {
        let stripes = appearance(|x, _| (x * 4) as u8).unwrap();
        let mut mean = appearance(rings).unwrap();
        for _ in 0..50 {
            mean.blend(&stripes);
        }
        assert!(mean.similarity(&stripes) > 0.99);
    }
}
