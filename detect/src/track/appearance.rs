//! What a face looks like: a coarse picture of it without its brightness and contrast, cheap to take and to compare.

use emotion_models::preprocess::{GreyRows, Preprocessor, Region};

/// Width and height of the picture.
const SIDE: usize = 16;
/// How much of a new look goes into the mean.
const SHARE: f32 = 0.15;

/// A face's looks; the product of two is their normalised cross-correlation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look(Vec<f32>);

impl Look {
    /// How alike two faces look: 1 for the same picture, about 0 for unrelated ones.
    pub(super) fn similarity(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }

    /// Lets the mean of a face's looks move towards a new one.
    pub(super) fn blend(&mut self, new: &Self) {
        for (mean, new) in self.0.iter_mut().zip(&new.0) {
            *mean += SHARE * (new - *mean);
        }
        // Two looks of one face are never opposite, so their mean has a length.
        normalize(&mut self.0);
    }
}

/// Takes looks. It keeps its buffers.
#[derive(Debug)]
pub(super) struct Looker(Preprocessor);

impl Default for Looker {
    fn default() -> Self {
        Self(Preprocessor::new(SIDE))
    }
}

impl Looker {
    /// The look of the face at `region`, or none where the picture is flat.
    pub(super) fn look(&mut self, picture: &impl GreyRows, region: &Region) -> Option<Look> {
        let mut cells = vec![0.0; SIDE * SIDE];
        let square = Region::face(region.x, region.y, region.width, region.height, 0.0);
        self.0.run(picture, square, &mut cells).ok()?;
        normalize(&mut cells).then_some(Look(cells))
    }
}

/// Takes the mean away and makes the length 1; false where nothing is left.
pub(super) fn normalize(cells: &mut [f32]) -> bool {
    let mean = cells.iter().sum::<f32>() / cells.len() as f32;
    for cell in cells.iter_mut() {
        *cell -= mean;
    }
    let length = cells.iter().map(|cell| cell * cell).sum::<f32>().sqrt();
    // Less than one grey level of contrast.
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

    fn look(pixel: impl Fn(usize, usize) -> u8) -> Option<Look> {
        let pixels: Vec<u8> = (0..64 * 64).map(|i| pixel(i % 64, i / 64)).collect();
        let image = GreyImage::new(&pixels, 64, 64, 64).unwrap();
        Looker::default().look(&image, &Region::whole(&image))
    }

    fn rings(x: usize, y: usize) -> u8 {
        let (x, y) = (x as f32 - 30.0, y as f32 - 34.0);
        (80.0 + 60.0 * ((x * x + y * y).sqrt() / 5.0).sin()) as u8
    }

    #[test]
    fn brightness_and_contrast_do_not_change_a_look() {
        let plain = look(rings).unwrap();
        let dim = look(|x, y| rings(x, y) / 2 + 90).unwrap();
        assert!(plain.similarity(&dim) > 0.99);
    }

    #[test]
    fn another_picture_looks_different_and_a_flat_one_has_no_look() {
        let plain = look(rings).unwrap();
        let stripes = look(|x, _| (x * 4) as u8).unwrap();
        assert!(plain.similarity(&stripes) < 0.5);
        assert_eq!(look(|_, _| 77), None);
    }

    #[test]
    fn the_mean_moves_towards_what_is_seen() {
        let stripes = look(|x, _| (x * 4) as u8).unwrap();
        let mut mean = look(rings).unwrap();
        for _ in 0..50 {
            mean.blend(&stripes);
        }
        assert!(mean.similarity(&stripes) > 0.99);
    }
}
