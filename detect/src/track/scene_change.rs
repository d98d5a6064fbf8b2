//! Detects how much of a frame changed, and cuts to another scene.

use emotion_models::preprocess::GreyRows;

const COLUMNS: usize = 64;
const ROWS: usize = 36;
/// Rows and columns of pixels that are read in each cell.
const SAMPLES: usize = 3;

/// A cell has changed if its brightness differs by more grey levels than noise explains.
const NOISE: f32 = 6.0;
/// Two frames belong to different scenes if their mean difference in grey levels is larger than this ...
const CUT_DIFFERENCE: f32 = 12.0;
/// ... and their normalised cross-correlation is less than this; a change of light alone leaves it high.
const CUT_SIMILARITY: f32 = 0.35;

/// A frame reduced to 64×36 grey values.
#[derive(Debug, Clone, Default)]
pub(super) struct Thumbnail(Vec<f32>);

/// The difference of two frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SceneChange {
    /// The share of the frame that changed, 0 to 1.
    pub(super) share: f32,
    /// Whether the frames belong to different scenes.
    pub(super) is_cut: bool,
}

impl Thumbnail {
    /// Reduces a frame; reads only a few pixels of each cell.
    pub(super) fn of(image: &impl GreyRows) -> Self {
        let (width, height) = (image.width(), image.height());
        let mut row = Vec::new();
        let mut cells = vec![0.0; COLUMNS * ROWS];
        let samples = |count| count * SAMPLES;
        let columns: Vec<usize> = (0..samples(COLUMNS))
            .map(|i| (2 * i + 1) * width / (2 * samples(COLUMNS)))
            .collect();
        for i in 0..samples(ROWS) {
            let y = (2 * i + 1) * height / (2 * samples(ROWS));
            let pixels = image.grey(y, 0..width, &mut row);
            let cells = &mut cells[i / SAMPLES * COLUMNS..][..COLUMNS];
            for (cell, columns) in cells.iter_mut().zip(columns.chunks_exact(SAMPLES)) {
                let sum: u32 = columns.iter().map(|&x| u32::from(pixels[x])).sum();
                *cell += sum as f32 / (SAMPLES * SAMPLES) as f32;
            }
        }
        Self(cells)
    }

    /// The change from `before` to this frame; everything if there is no frame before.
    pub(super) fn change_since(&self, before: &Self) -> SceneChange {
        if before.0.len() != self.0.len() {
            return SceneChange {
                share: 1.0,
                is_cut: false,
            };
        }
        let differences = || self.0.iter().zip(&before.0).map(|(a, b)| (a - b).abs());
        let count = self.0.len() as f32;
        let changed = differences().filter(|d| *d > NOISE).count() as f32;
        let mean = differences().sum::<f32>() / count;
        SceneChange {
            share: changed / count,
            is_cut: mean > CUT_DIFFERENCE && self.similarity(before) < CUT_SIMILARITY,
        }
    }

    /// Normalised cross-correlation; 1 for two flat frames, 0 for a flat and another one.
    fn similarity(&self, other: &Self) -> f32 {
        let count = self.0.len() as f32;
        let mean = |cells: &[f32]| cells.iter().sum::<f32>() / count;
        let (a, b) = (mean(&self.0), mean(&other.0));
        let (mut product, mut left, mut right) = (0.0, 0.0, 0.0);
        for (x, y) in self.0.iter().zip(&other.0) {
            let (x, y) = (x - a, y - b);
            product += x * y;
            left += x * x;
            right += y * y;
        }
        match (left > count, right > count) {
            (true, true) => product / (left * right).sqrt(),
            (false, false) => 1.0,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emotion_models::preprocess::GreyImage;

    const WIDTH: usize = 320;
    const HEIGHT: usize = 180;

    fn thumbnail(pixel: impl Fn(usize, usize) -> f32) -> Thumbnail {
        let pixels: Vec<u8> = (0..WIDTH * HEIGHT)
            .map(|i| pixel(i % WIDTH, i / WIDTH) as u8)
            .collect();
        Thumbnail::of(&GreyImage::new(&pixels, WIDTH, HEIGHT, WIDTH).unwrap())
    }

    fn street(x: usize, y: usize) -> f32 {
        110.0 + 50.0 * (x as f32 / 23.0).sin() + 40.0 * (y as f32 / 17.0).cos()
    }

    fn room(x: usize, y: usize) -> f32 {
        90.0 + 70.0 * ((x + 2 * y) as f32 / 41.0).cos()
    }

    #[test]
    fn the_same_frame_has_not_changed() {
        let change = thumbnail(street).change_since(&thumbnail(street));
        assert_eq!(change.share, 0.0);
        assert!(!change.is_cut);
    }

    #[test]
    fn noise_is_not_a_change_but_a_small_object_is() {
        let noisy = thumbnail(|x, y| street(x, y) + ((x * 7 + y * 13) % 5) as f32 - 2.0);
        assert_eq!(noisy.change_since(&thumbnail(street)).share, 0.0);
        let with_ball = thumbnail(|x, y| {
            let inside = (x as f32 - 100.0).hypot(y as f32 - 80.0) < 12.0;
            street(x, y) * if inside { 0.3 } else { 1.0 }
        });
        let change = with_ball.change_since(&thumbnail(street));
        assert!(change.share > 0.0 && change.share < 0.05, "{change:?}");
    }

    #[test]
    fn another_scene_is_a_cut_but_another_light_is_not() {
        let before = thumbnail(street);
        assert!(thumbnail(room).change_since(&before).is_cut);
        assert!(thumbnail(|_, _| 0.0).change_since(&before).is_cut);
        let dark = thumbnail(|x, y| 0.4 * street(x, y));
        let change = dark.change_since(&before);
        assert!(!change.is_cut && change.share > 0.9, "{change:?}");
    }

    #[test]
    fn a_shifted_frame_is_not_a_cut() {
        let change = thumbnail(|x, y| street(x + 12, y)).change_since(&thumbnail(street));
        assert!(!change.is_cut, "{change:?}");
    }

    #[test]
    fn tiny_frames_have_thumbnails_too() {
        let image = GreyImage::new(&[7], 1, 1, 1).unwrap();
        let change = Thumbnail::of(&image).change_since(&Thumbnail::default());
        assert_eq!(change.share, 1.0);
    }
}
