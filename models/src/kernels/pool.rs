//! Max-pooling.

use std::ops::Range;

use pulp::Simd;

use super::elementwise::store;
use super::map::Map;
use super::vector_loop::{VectorLoop, run_on};
use crate::Instructions;

/// Max-pooling 3×3 with stride 2 and TensorFlow's "same" padding, which is never the largest.
pub(crate) struct MaxPool<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) input: Map,
    /// Added to the result; laid out like `out`.
    pub(crate) add: Option<&'a [f32]>,
    /// Whether max(0, y) follows.
    pub(crate) relu: bool,
    /// From the border in front of the first row on.
    pub(crate) out: &'a mut [f32],
    pub(crate) output: Map,
    /// For each output the index of the pixel that it came from; without borders. None: not wanted.
    pub(crate) argmax: Option<&'a mut [u32]>,
}

impl MaxPool<'_> {
    pub(crate) fn run(self, instructions: Instructions) {
        run_on(instructions, self);
    }
}

impl VectorLoop for MaxPool<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.input.shape[2]
    }

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        match self.argmax.take() {
            Some(argmax) => self.rows::<S, true>(simd, argmax),
            None => self.rows::<S, false>(simd, &mut []),
        }
    }
}

impl MaxPool<'_> {
    #[inline(always)]
    fn rows<S: Simd, const ARGMAX: bool>(self, simd: S, argmax: &mut [u32]) {
        let [height_in, width_in, channels] = self.input.shape;
        let [height, width, _] = self.output.shape;
        let vectors = channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.x).0;
        let add = self.add.map(|add| S::as_simd_f32s(add).0);
        let out = S::as_mut_simd_f32s(self.out).0;
        let argmax = S::as_mut_simd_u32s(argmax).0;
        for row in 0..height {
            let rows = pool_window(row, height_in);
            for column in 0..width {
                let columns = pool_window(column, width_in);
                let place = self.output.in_band(column, row) / S::F32_LANES;
                for v in 0..vectors {
                    let window = [&rows, &columns];
                    let best = if ARGMAX {
                        let (best, pixel) = largest_and_pixel(simd, x, self.input, window, v);
                        argmax[place + v] = pixel;
                        best
                    } else {
                        largest(simd, x, self.input, window, v)
                    };
                    let add = add.map(|add| add[place + v]);
                    store(simd, &mut out[place + v], best, add, self.relu);
                }
            }
        }
    }
}

/// The largest values in a window of at least one pixel.
#[inline(always)]
fn largest<S: Simd>(
    simd: S,
    x: &[S::f32s],
    map: Map,
    [rows, columns]: [&Range<usize>; 2],
    vector: usize,
) -> S::f32s {
    let mut best = simd.splat_f32s(f32::NEG_INFINITY);
    let step = map.shape[2] / S::F32_LANES;
    for row in rows.clone() {
        let start = map.at(columns.start, row) / S::F32_LANES + vector;
        for column in 0..columns.len() {
            best = simd.max_f32s(best, x[start + column * step]);
        }
    }
    best
}

/// The same with the indices of their pixels; of equals the first.
#[inline(always)]
fn largest_and_pixel<S: Simd>(
    simd: S,
    x: &[S::f32s],
    map: Map,
    [rows, columns]: [&Range<usize>; 2],
    vector: usize,
) -> (S::f32s, S::u32s) {
    let mut best = simd.splat_f32s(f32::NEG_INFINITY);
    let mut best_pixel = simd.splat_u32s(0);
    let [_, width, _] = map.shape;
    for row in rows.clone() {
        for column in columns.clone() {
            let x = x[map.at(column, row) / S::F32_LANES + vector];
            let is_larger = simd.greater_than_f32s(x, best);
            best = simd.select_f32s(is_larger, x, best);
            let pixel = simd.splat_u32s((row * width + column) as u32);
            best_pixel = simd.select_u32s(is_larger, pixel, best_pixel);
        }
    }
    (best, best_pixel)
}

/// Adds the gradient of each output to the pixel that it came from.
pub(crate) fn scatter(argmax: &[u32], dy: &[f32], channels: usize, dx: &mut [f32]) {
    let pixels = argmax.chunks_exact(channels).zip(dy.chunks_exact(channels));
    for (argmax, dy) in pixels {
        for (c, (&pixel, dy)) in argmax.iter().zip(dy).enumerate() {
            dx[pixel as usize * channels + c] += dy;
        }
    }
}

/// The input positions that window `i` covers, of an axis of `size`. Of an odd number of padding the larger half
/// stands behind.
pub(super) fn pool_window(i: usize, size: usize) -> Range<usize> {
    let outputs = size.div_ceil(2);
    let padding = ((outputs - 1) * 2 + 3).saturating_sub(size);
    let before = padding / 2;
    (2 * i).saturating_sub(before)..(2 * i + 3 - before).min(size)
}
