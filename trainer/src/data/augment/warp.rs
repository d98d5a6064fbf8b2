//! Random rotation, shift, zoom and mirroring as one affine warp, drawn like Keras' `ImageDataGenerator`: each amount
//! uniform in its range, both axes independently, border pixels repeated.

use rand::RngExt;

use super::settings::Augmentation;
use crate::random::symmetric;

/// Fractional bits of a position.
const POSITION_BITS: u32 = 16;
/// Bits of an interpolation weight; twice these and the 8 of a pixel fit in 32.
const WEIGHT_BITS: u32 = 11;

/// Where a face moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Movement {
    /// Rotation in degrees.
    pub angle_degrees: f32,
    /// Shift along x and y, as fractions of the side.
    pub shift: [f32; 2],
    /// Factors of the visible width and height.
    pub zoom: [f32; 2],
    /// Whether left and right are exchanged.
    pub is_mirrored: bool,
}

impl Movement {
    /// The face stays where it is.
    pub const NONE: Self = Self {
        angle_degrees: 0.0,
        shift: [0.0; 2],
        zoom: [1.0; 2],
        is_mirrored: false,
    };
}

/// An affine map from a pixel (x, y) of the result to a point of the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    matrix: [[f32; 2]; 2],
    offset: [f32; 2],
}

impl Warp {
    /// Draws a warp for faces of `size`² pixels.
    pub fn sample(limits: &Augmentation, size: usize, generator: &mut impl RngExt) -> Self {
        let mut within = |limit: f32| symmetric(limit, generator);
        let angle_degrees = within(limits.rotation_degrees);
        let shift = [within(limits.shift), within(limits.shift)];
        let zoom = [1.0 + within(limits.zoom), 1.0 + within(limits.zoom)];
        let scale = 1.0 + within(limits.scale);
        Self::new(
            Movement {
                angle_degrees,
                shift,
                zoom: zoom.map(|zoom| scale * zoom),
                is_mirrored: generator.random::<bool>() && limits.flip,
            },
            size,
        )
    }

    /// The warp of this movement for faces of `size`² pixels.
    pub fn new(movement: Movement, size: usize) -> Self {
        let angle = movement.angle_degrees.to_radians();
        let side = size as f32;
        let [shift_x, shift_y] = movement.shift.map(|shift| shift * side);
        let [zoom_x, zoom_y] = movement.zoom;
        let (sin, cos) = angle.sin_cos();
        let mirror = if movement.is_mirrored { -1.0 } else { 1.0 };
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

    /// Largest distance of a bilinear sample from the source, in pixels.
    fn reach(&self, size: usize) -> usize {
        let last = (size - 1) as f32;
        let mut reach = 0.0_f32;
        for (row, offset) in self.matrix.into_iter().zip(self.offset) {
            for (column, line) in [(0.0, 0.0), (last, 0.0), (0.0, last), (last, last)] {
                let position = offset + row[0] * column + row[1] * line;
                reach = reach.max(-position).max(position - last);
            }
        }
        // One more for the second pixel of a sample, one for rounding.
        reach.ceil() as usize + 2
    }
}

/// The weight of the second pixel at a position.
fn weight(position: i32) -> u32 {
    (position as u32 >> (POSITION_BITS - WEIGHT_BITS)) & ((1 << WEIGHT_BITS) - 1)
}

/// The value between four pixels, with the weights `right` of the right ones and `lower` of the lower ones.
fn between([above, below]: [[u8; 2]; 2], right: u32, lower: u32) -> u8 {
    const ONE: u32 = 1 << WEIGHT_BITS;
    let in_row = |[left, next]: [u8; 2]| u32::from(left) * (ONE - right) + u32::from(next) * right;
    let value = in_row(above) * (ONE - lower) + in_row(below) * lower;
    ((value + (1 << (2 * WEIGHT_BITS - 1))) >> (2 * WEIGHT_BITS)) as u8
}

/// A face with its border repeated around it, so that samples need no bounds check.
#[derive(Debug, Clone, Default)]
pub struct Margins {
    pixels: Vec<u8>,
}

impl Margins {
    /// `source` with `margin` more pixels on each side, and the length of its rows.
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
mod tests;
