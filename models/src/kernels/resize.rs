//! Changes of width and height: enlarging, and averages over windows.

use std::ops::Range;

use pulp::Simd;

use super::elementwise::{add_assign, store};
use super::map::Map;
use super::vector_loop::{VectorLoop, run_on};
use crate::Instructions;

/// Each pixel four times.
pub(crate) struct Upsample<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) input: Map,
    /// The rows of the output to compute.
    pub(crate) rows: Range<usize>,
    /// Added to the result; laid out like `out`.
    pub(crate) add: Option<&'a [f32]>,
    /// Whether max(0, y) follows.
    pub(crate) relu: bool,
    /// From the border in front of the first of the rows on.
    pub(crate) out: &'a mut [f32],
    pub(crate) output: Map,
}

impl Upsample<'_> {
    pub(crate) fn run(self, instructions: Instructions) {
        run_on(instructions, self);
    }
}

impl VectorLoop for Upsample<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.input.shape[2]
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [_, width, channels] = self.output.shape;
        let vectors = channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.x).0;
        let add = self.add.map(|add| S::as_simd_f32s(add).0);
        let out = S::as_mut_simd_f32s(self.out).0;
        for (y, row) in self.rows.enumerate() {
            for column in 0..width {
                let from = self.input.at(column / 2, row / 2) / S::F32_LANES;
                let to = self.output.in_band(column, y) / S::F32_LANES;
                for v in 0..vectors {
                    let add = add.map(|add| add[to + v]);
                    store(simd, &mut out[to + v], x[from + v], add, self.relu);
                }
            }
        }
    }
}

/// Adds the gradient of an enlarged map, `[2H, 2W, C]` with rows of `row` values, to that of its input.
pub(crate) fn add_upsample_gradient(dy: &[f32], row: usize, channels: usize, dx: &mut [f32]) {
    for (dx, dy) in dx.chunks_exact_mut(row / 2).zip(dy.chunks_exact(2 * row)) {
        for dy in dy.chunks_exact(row) {
            let pairs = dy.chunks_exact(2 * channels);
            for (dx, pair) in dx.chunks_exact_mut(channels).zip(pairs) {
                let (left, right) = pair.split_at(channels);
                add_assign(dx, left);
                add_assign(dx, right);
            }
        }
    }
}

/// Sums over windows: for each shift of a picture by up to `reach` pixels, the sum of the pixels that it shows within its
/// frame, divided by the number of all pixels. Without a reach that is the mean.
pub(crate) struct WindowSums<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) input: Map,
    /// At most the border.
    pub(crate) reach: usize,
    /// `[2·reach + 1, 2·reach + 1, C]`.
    pub(crate) out: &'a mut [f32],
}

impl WindowSums<'_> {
    pub(crate) fn run(self, instructions: Instructions) {
        run_on(instructions, self);
    }
}

impl VectorLoop for WindowSums<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.input.shape[2]
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [height, width, channels] = self.input.shape;
        let vectors = channels / S::F32_LANES;
        let share = simd.splat_f32s(1.0 / (height * width) as f32);
        let x = S::as_simd_f32s(self.x).0;
        let out = S::as_mut_simd_f32s(self.out).0;
        let shifts = 2 * self.reach + 1;
        let first = self.input.border() - self.reach;
        for (shift, out) in out.chunks_exact_mut(vectors).enumerate() {
            let (down, right) = (first + shift / shifts, first + shift % shifts);
            for (v, out) in out.iter_mut().enumerate() {
                let mut sum = simd.splat_f32s(0.0);
                for row in 0..height {
                    let start = self.input.padded(right, down + row) / S::F32_LANES + v;
                    for column in 0..width {
                        sum = simd.add_f32s(sum, x[start + column * vectors]);
                    }
                }
                *out = simd.mul_f32s(sum, share);
            }
        }
    }
}
