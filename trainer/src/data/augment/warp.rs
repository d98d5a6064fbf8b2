//! Random rotation, shift, zoom and mirror as one affine warp, as Keras' `ImageDataGenerator`
//! draws them: each amount uniform in its range, both axes on their own, the border repeated.

use rand::RngExt;

use super::{Augmentation, within};

/// Bits behind the point of a position.
const POSITION_BITS: u32 = 16;
/// Bits of a weight between two pixels; twice these and 8 of a pixel fit in 32.
const WEIGHT_BITS: u32 = 11;

/// An affine map from a pixel of the result to a point of the source, both (x, y).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    matrix: [[f32; 2]; 2],
    offset: [f32; 2],
}

impl Warp {
    /// Draws a warp for faces of `size`² pixels.
    pub fn sample(limits: &Augmentation, size: usize, generator: &mut impl RngExt) -> Self {
        let mut within = |limit: f32| within(limit, generator);
        let angle = within(limits.rotation_degrees).to_radians();
        let side = size as f32;
        let (shift_x, shift_y) = (within(limits.shift) * side, within(limits.shift) * side);
        let (zoom_x, zoom_y) = (1.0 + within(limits.zoom), 1.0 + within(limits.zoom));
        let mirrored = generator.random::<bool>() && limits.flip;

        let (sin, cos) = angle.sin_cos();
        let mirror = if mirrored { -1.0 } else { 1.0 };
        let matrix = [
            [cos * zoom_x * mirror, -sin * zoom_y],
            [sin * zoom_x * mirror, cos * zoom_y],
        ];
        let centre = (side - 1.0) / 2.0;
        let offset_of = |row: [f32; 2], shift: f32| centre + shift - (row[0] + row[1]) * centre;
        Self {
            matrix,
            offset: [offset_of(matrix[0], shift_x), offset_of(matrix[1], shift_y)],
        }
    }

    /// Writes the warped `source` to `target`, sampled bilinearly; both hold `size`² pixels.
    ///
    /// # Panics
    ///
    /// When a slice has another length.
    pub fn apply(&self, source: &[u8], size: usize, margins: &mut Margins, target: &mut [u8]) {
        assert_eq!(source.len(), size * size, "pixels of the source");
        assert_eq!(target.len(), size * size, "pixels of the target");
        let margin = self.reach(size);
        let (wide, stride) = margins.around(source, size, margin);
        let fixed = |value: f32| (value * (1 << POSITION_BITS) as f32).round() as i32;
        let [[x_by_column, x_by_row], [y_by_column, y_by_row]] = self.matrix;
        let (step_x, step_y) = (fixed(x_by_column), fixed(y_by_column));
        for (row, line) in target.chunks_exact_mut(size).enumerate() {
            let mut x = fixed(self.offset[0] + x_by_row * row as f32 + margin as f32);
            let mut y = fixed(self.offset[1] + y_by_row * row as f32 + margin as f32);
            for pixel in line {
                let corner = (y >> POSITION_BITS) as usize * stride + (x >> POSITION_BITS) as usize;
                *pixel = between(
                    [&wide[corner..], &wide[corner + stride..]].map(|row| [row[0], row[1]]),
                    weight(x),
                    weight(y),
                );
                x += step_x;
                y += step_y;
            }
        }
    }

    /// How many pixels beyond the border of the source the bilinear samples lie at most.
    fn reach(&self, size: usize) -> usize {
        let last = (size - 1) as f32;
        let mut reach = 0.0_f32;
        for (row, offset) in self.matrix.into_iter().zip(self.offset) {
            for (column, line) in [(0.0, 0.0), (last, 0.0), (0.0, last), (last, last)] {
                let position = offset + row[0] * column + row[1] * line;
                reach = reach.max(-position).max(position - last);
            }
        }
        // One more for the second pixel of a sample, one for the steps' rounding.
        reach.ceil() as usize + 2
    }
}

/// The share of the second pixel at a position.
fn weight(position: i32) -> u32 {
    (position as u32 >> (POSITION_BITS - WEIGHT_BITS)) & ((1 << WEIGHT_BITS) - 1)
}

/// The value inside four pixels, of which the right ones count `right` and the lower ones `lower`.
fn between([above, below]: [[u8; 2]; 2], right: u32, lower: u32) -> u8 {
    const ONE: u32 = 1 << WEIGHT_BITS;
    let in_row = |[left, next]: [u8; 2]| u32::from(left) * (ONE - right) + u32::from(next) * right;
    let value = in_row(above) * (ONE - lower) + in_row(below) * lower;
    ((value + (1 << (2 * WEIGHT_BITS - 1))) >> (2 * WEIGHT_BITS)) as u8
}

/// A face whose border is repeated around it, so that no sample needs to be checked against it.
#[derive(Debug, Clone, Default)]
pub struct Margins {
    pixels: Vec<u8>,
}

impl Margins {
    /// `source` with `margin` pixels on each side, and the length of its rows.
    fn around(&mut self, source: &[u8], size: usize, margin: usize) -> (&[u8], usize) {
        let stride = size + 2 * margin;
        self.pixels.resize(stride * stride, 0);
        for (y, wide) in self.pixels.chunks_exact_mut(stride).enumerate() {
            let row = y.saturating_sub(margin).min(size - 1);
            let row = &source[row * size..][..size];
            wide[..margin].fill(row[0]);
            wide[margin..][..size].copy_from_slice(row);
            wide[margin + size..].fill(row[size - 1]);
        }
        (&self.pixels, stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use crate::testing::random_faces;

    const SIZE: usize = 48;

    fn gradient() -> Vec<u8> {
        (0..SIZE * SIZE)
            .map(|index| (index % SIZE * 5) as u8)
            .collect()
    }

    fn warped(augmentation: Augmentation, stream: u64, source: &[u8]) -> Vec<u8> {
        let mut generator = generator(1, Purpose::Augmentation, stream);
        let mut target = vec![0; SIZE * SIZE];
        let warp = Warp::sample(&augmentation, SIZE, &mut generator);
        warp.apply(source, SIZE, &mut Margins::default(), &mut target);
        target
    }

    /// The formula, pixel by pixel: bilinear, with positions held inside the source.
    fn reference(warp: &Warp, source: &[u8], column: usize, row: usize) -> f64 {
        let position = |axis: usize| {
            let [by_column, by_row] = warp.matrix[axis].map(f64::from);
            let position =
                f64::from(warp.offset[axis]) + by_column * column as f64 + by_row * row as f64;
            position.clamp(0.0, (SIZE - 1) as f64)
        };
        let (x, y) = (position(0), position(1));
        let mut value = 0.0;
        for (line, share) in [(y.floor(), 1.0 - y.fract()), (y.ceil(), y.fract())] {
            let at = |x: f64| f64::from(source[line as usize * SIZE + x as usize]);
            value += share * ((1.0 - x.fract()) * at(x.floor()) + x.fract() * at(x.ceil()));
        }
        value
    }

    #[test]
    fn every_pixel_is_what_the_formula_says() {
        let far = Augmentation {
            rotation_degrees: 90.0,
            shift: 0.5,
            zoom: 0.9,
            flip: true,
            ..Augmentation::NONE
        };
        let faces = random_faces(1, 1);
        let (source, mut target) = (faces.pixels(0), vec![0; SIZE * SIZE]);
        let mut margins = Margins::default();
        for stream in 0..60 {
            let warp = Warp::sample(&far, SIZE, &mut generator(1, Purpose::Augmentation, stream));
            warp.apply(source, SIZE, &mut margins, &mut target);
            for (index, &pixel) in target.iter().enumerate() {
                let expected = reference(&warp, source, index % SIZE, index / SIZE);
                let error = (f64::from(pixel) - expected).abs();
                assert!(error < 1.0, "{pixel} at {index}, expected {expected}");
            }
        }
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
            let Warp { matrix, offset } = Warp::sample(&rotation, SIZE, &mut generator);
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
        warp.apply(&border, SIZE, &mut Margins::default(), &mut target);
        assert_eq!(target[..6], [200, 200, 200, 200, 200, 10]);
    }
}
