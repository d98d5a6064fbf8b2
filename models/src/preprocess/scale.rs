//! Resamples a part of a picture to the size of a detector's input.

use pulp::{Simd, WithSimd};

use super::area::{AddRow, Taps, WIDEST};
use super::grey::{GreyRows, normalize};
use crate::Instructions;

/// Pixels of a picture: a column and a row, a width and a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first column.
    pub x: usize,
    /// The first row.
    pub y: usize,
    /// Columns, at least one.
    pub width: usize,
    /// Rows, at least one.
    pub height: usize,
}

impl Part {
    /// The whole picture.
    pub fn whole(picture: &impl GreyRows) -> Self {
        Self {
            x: 0,
            y: 0,
            width: picture.width(),
            height: picture.height(),
        }
    }
}

/// Resamples parts of pictures to values in [-1, 1]. It keeps its buffers from one to the next.
///
/// What is reduced is the mean of the area that each output covers, what is enlarged is interpolated between the two
/// nearest pixels, both in each direction by itself.
#[derive(Debug, Clone)]
pub struct Scaler {
    instructions: Instructions,
    /// Size of the pictures, part and output that the taps are for.
    placed: Option<([usize; 2], Part, [usize; 2])>,
    columns: Columns,
    rows: Taps,
    pixels: Vec<u8>,
    /// Rows of the picture that fall into one row of the output, added up.
    sums: Vec<f32>,
}

impl Default for Scaler {
    fn default() -> Self {
        Self {
            instructions: Instructions::best(),
            placed: None,
            columns: Columns::default(),
            rows: Taps::default(),
            pixels: Vec::new(),
            sums: Vec::new(),
        }
    }
}

impl Scaler {
    /// Resamples `part` of `picture` to `[height, width]` values, the rows of which are `stride` values apart in `out`;
    /// what lies between is left alone.
    ///
    /// # Panics
    ///
    /// When the part reaches beyond the picture, or `out` is too short.
    pub fn run(
        &mut self,
        picture: &impl GreyRows,
        part: Part,
        [height, width]: [usize; 2],
        out: &mut [f32],
        stride: usize,
    ) {
        let rows = out.chunks_mut(stride).take(height);
        if (part.height, part.width) == (height, width) {
            let columns = part.x..part.x + width;
            for (y, out) in (part.y..).zip(rows) {
                let pixels = picture.grey(y, columns.clone(), &mut self.pixels);
                let copy = Copy {
                    pixels,
                    out: &mut out[..width],
                };
                self.instructions.dispatch(WIDEST, copy);
            }
            return;
        }

        let picture_size = [picture.height(), picture.width()];
        let key = (picture_size, part, [height, width]);
        if self.placed.replace(key) != Some(key) {
            self.rows.resample(part.y, part.height, height);
            self.columns.place(part.width, width);
            self.sums.resize(part.width + LONGEST, 0.0);
        }
        let columns = part.x..part.x + part.width;
        for (out, (start, weights)) in rows.zip(self.rows.iter()) {
            let sums = &mut self.sums[..part.width];
            for (i, (y, &weight)) in (start..).zip(weights).enumerate() {
                let pixels = picture.grey(y, columns.clone(), &mut self.pixels);
                if i == 0 {
                    let set = SetRow {
                        pixels,
                        weight,
                        sums,
                    };
                    self.instructions.dispatch(WIDEST, set);
                } else {
                    let add = AddRow {
                        pixels,
                        weight,
                        sums,
                    };
                    self.instructions.dispatch(WIDEST, add);
                }
            }
            self.columns.run(&self.sums, &mut out[..width]);
        }
    }
}

/// Grey values as they are.
struct Copy<'a> {
    pixels: &'a [u8],
    out: &'a mut [f32],
}

impl WithSimd for Copy<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, &pixel) in self.out.iter_mut().zip(self.pixels) {
            *out = normalize(f32::from(pixel));
        }
    }
}

/// sums = weight · pixels
struct SetRow<'a> {
    pixels: &'a [u8],
    weight: f32,
    sums: &'a mut [f32],
}

impl WithSimd for SetRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (sum, &pixel) in self.sums.iter_mut().zip(self.pixels) {
            *sum = self.weight * f32::from(pixel);
        }
    }
}

/// Taps with a loop of their own.
const LONGEST: usize = 8;

/// What makes the outputs of a row: as many taps for each, those that are too many with weights of zero.
#[derive(Debug, Clone, Default)]
struct Columns {
    taps: usize,
    /// First pixel of each output.
    starts: Vec<usize>,
    /// `[outputs, taps]`, for values in [-1, 1].
    weights: Vec<f32>,
}

impl Columns {
    fn place(&mut self, pixels: usize, outputs: usize) {
        let mut taps = Taps::default();
        taps.resample(0, pixels, outputs);
        self.taps = taps
            .iter()
            .map(|(_, weights)| weights.len())
            .max()
            .unwrap_or(1);
        self.starts.clear();
        self.weights.clear();
        for (start, weights) in taps.iter() {
            self.starts.push(start);
            self.weights
                .extend(weights.iter().map(|weight| weight * (2.0 / 255.0)));
            self.weights.resize(self.starts.len() * self.taps, 0.0);
        }
    }

    /// `sums` is longer than a row by [`LONGEST`] finite values.
    fn run(&self, sums: &[f32], out: &mut [f32]) {
        match self.taps {
            0..=2 => self.fixed::<2>(sums, out),
            3 => self.fixed::<3>(sums, out),
            4 => self.fixed::<4>(sums, out),
            5 => self.fixed::<5>(sums, out),
            6 => self.fixed::<6>(sums, out),
            _ => self.any(sums, out),
        }
    }

    fn fixed<const TAPS: usize>(&self, sums: &[f32], out: &mut [f32]) {
        if self.taps < TAPS {
            return self.any(sums, out);
        }
        let weights = self.weights.as_chunks::<TAPS>().0;
        for ((out, &start), weights) in out.iter_mut().zip(&self.starts).zip(weights) {
            let sums = &sums[start..][..TAPS];
            let mut value = -1.0;
            for (sum, weight) in sums.iter().zip(weights) {
                value += sum * weight;
            }
            *out = value;
        }
    }

    fn any(&self, sums: &[f32], out: &mut [f32]) {
        let weights = self.weights.chunks_exact(self.taps);
        for ((out, &start), weights) in out.iter_mut().zip(&self.starts).zip(weights) {
            // The taps of the last outputs may end beyond the row, with weights of zero.
            let sums = sums[start..].iter().zip(weights);
            *out = sums.map(|(sum, weight)| sum * weight).sum::<f32>() - 1.0;
        }
    }
}

#[cfg(test)]
mod tests;
