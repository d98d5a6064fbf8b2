//! Random rotation, shift, zoom and mirror as one affine warp, as Keras' `ImageDataGenerator`
//! draws them: each amount uniform in its range, both axes on their own, the border repeated.

use rand::RngExt;
use serde::{Deserialize, Serialize};

/// How far faces may be moved.
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
}

impl Augmentation {
    /// Leaves every face as it is.
    pub const NONE: Self = Self {
        rotation_degrees: 0.0,
        shift: 0.0,
        zoom: 0.0,
        flip: false,
    };

    /// Draws one warp for faces of `size`² pixels.
    pub fn sample(&self, size: usize, generator: &mut impl RngExt) -> Warp {
        let mut within = |limit: f32| limit * (2.0 * generator.random::<f32>() - 1.0);
        let angle = within(self.rotation_degrees).to_radians();
        let side = size as f32;
        let (shift_x, shift_y) = (within(self.shift) * side, within(self.shift) * side);
        let (zoom_x, zoom_y) = (1.0 + within(self.zoom), 1.0 + within(self.zoom));
        let mirrored = generator.random::<bool>() && self.flip;

        let (sin, cos) = angle.sin_cos();
        let mirror = if mirrored { -1.0 } else { 1.0 };
        let matrix = [
            [cos * zoom_x * mirror, -sin * zoom_y],
            [sin * zoom_x * mirror, cos * zoom_y],
        ];
        let centre = (side - 1.0) / 2.0;
        let offset_of = |row: [f32; 2], shift: f32| centre + shift - (row[0] + row[1]) * centre;
        Warp {
            matrix,
            offset: [offset_of(matrix[0], shift_x), offset_of(matrix[1], shift_y)],
        }
    }
}

/// An affine map from a pixel of the result to a point of the source, both (x, y).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    matrix: [[f32; 2]; 2],
    offset: [f32; 2],
}

impl Warp {
    /// Writes the warped `source` to `target`, sampled bilinearly; both hold `size`² pixels.
    ///
    /// # Panics
    ///
    /// When a slice has another length.
    pub fn apply(&self, source: &[u8], size: usize, target: &mut [u8]) {
        assert_eq!(source.len(), size * size, "pixels of the source");
        assert_eq!(target.len(), size * size, "pixels of the target");
        let last = (size - 1) as f32;
        let [[x_by_column, x_by_row], [y_by_column, y_by_row]] = self.matrix;
        for (row, line) in target.chunks_exact_mut(size).enumerate() {
            let start_x = self.offset[0] + x_by_row * row as f32;
            let start_y = self.offset[1] + y_by_row * row as f32;
            for (column, pixel) in line.iter_mut().enumerate() {
                let x = (start_x + x_by_column * column as f32).clamp(0.0, last);
                let y = (start_y + y_by_column * column as f32).clamp(0.0, last);
                *pixel = sample(source, size, x, y);
            }
        }
    }
}

/// The value at (x, y), which lies inside the picture.
fn sample(source: &[u8], size: usize, x: f32, y: f32) -> u8 {
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(size - 1), (top + 1).min(size - 1));
    let (part_x, part_y) = (x - left as f32, y - top as f32);
    let at = |row: usize, column: usize| f32::from(source[row * size + column]);
    let upper = at(top, left) + part_x * (at(top, right) - at(top, left));
    let lower = at(bottom, left) + part_x * (at(bottom, right) - at(bottom, left));
    (upper + part_y * (lower - upper) + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    const SIZE: usize = 48;

    fn gradient() -> Vec<u8> {
        (0..SIZE * SIZE)
            .map(|index| (index % SIZE * 5) as u8)
            .collect()
    }

    fn warped(augmentation: Augmentation, stream: u64, source: &[u8]) -> Vec<u8> {
        let mut generator = generator(1, Purpose::Augmentation, stream);
        let mut target = vec![0; SIZE * SIZE];
        augmentation
            .sample(SIZE, &mut generator)
            .apply(source, SIZE, &mut target);
        target
    }

    #[test]
    fn no_augmentation_leaves_every_pixel() {
        assert_eq!(warped(Augmentation::NONE, 0, &gradient()), gradient());
    }

    #[test]
    fn a_flip_gives_the_face_or_its_exact_mirror_image() {
        let flip = Augmentation {
            flip: true,
            ..Augmentation::NONE
        };
        let mirrored: Vec<u8> = gradient()
            .chunks(SIZE)
            .flat_map(|row| row.iter().rev().copied())
            .collect();
        let results: Vec<_> = (0..40)
            .map(|stream| warped(flip, stream, &gradient()))
            .collect();
        assert!(results.contains(&gradient()));
        assert!(results.contains(&mirrored));
        assert!(
            results
                .iter()
                .all(|face| *face == gradient() || *face == mirrored)
        );
    }

    #[test]
    fn a_shift_moves_a_gradient_by_at_most_its_fraction_of_the_side() {
        let shift = Augmentation {
            shift: 0.1,
            ..Augmentation::NONE
        };
        let mut farthest = 0.0_f32;
        for stream in 0..200 {
            let face = warped(shift, stream, &gradient());
            let moved = (f32::from(face[24 * SIZE + 24]) - 24.0 * 5.0) / 5.0;
            farthest = farthest.max(moved.abs());
        }
        assert!(farthest <= 4.8 + 0.1, "{farthest}");
        assert!(farthest >= 4.3, "{farthest}");
    }

    #[test]
    fn a_rotation_keeps_the_centre_and_turns_the_rest_by_at_most_its_angle() {
        let rotation = Augmentation {
            rotation_degrees: 10.0,
            ..Augmentation::NONE
        };
        for stream in 0..50 {
            let mut generator = generator(1, Purpose::Augmentation, stream);
            let Warp { matrix, offset } = rotation.sample(SIZE, &mut generator);
            let centre = 23.5;
            assert!(((matrix[0][0] + matrix[0][1]) * centre + offset[0] - centre).abs() < 1e-4);
            assert!(matrix[1][0].atan2(matrix[0][0]).abs() <= 10.0_f32.to_radians());
            let determinant = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0];
            assert!((determinant - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn what_lies_outside_repeats_the_border() {
        let border: Vec<u8> = (0..SIZE * SIZE)
            .map(|index| if index % SIZE == 0 { 200 } else { 10 })
            .collect();
        let warp = Warp {
            matrix: [[1.0, 0.0], [0.0, 1.0]],
            offset: [-4.0, 0.0],
        };
        let mut target = vec![0; SIZE * SIZE];
        warp.apply(&border, SIZE, &mut target);
        assert_eq!(target[..6], [200, 200, 200, 200, 200, 10]);
    }
}
