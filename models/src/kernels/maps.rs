//! The loops that only inference has.

use std::ops::Range;

use pulp::Simd;

use crate::Instructions;
use crate::kernels::map::Map;
use crate::kernels::{VectorLoop, pool_window, run_on};

/// Max-pooling 3×3 with stride 2 and TensorFlow's "same" padding, which never wins, and what is added to it.
pub(crate) struct Pool<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) input: Map,
    /// Laid out like `out`.
    pub(crate) add: Option<&'a [f32]>,
    pub(crate) relu: bool,
    /// From the border in front of the first row on.
    pub(crate) out: &'a mut [f32],
    pub(crate) output: Map,
}

impl Pool<'_> {
    pub(crate) fn run(self, instructions: Instructions) {
        run_on(instructions, self);
    }
}

impl VectorLoop for Pool<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        let Map([.., channels]) = self.input;
        channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Map([height_in, width_in, channels]) = self.input;
        let Map([height, width, _]) = self.output;
        let vectors = channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.x).0;
        let add = self.add.map(|add| S::as_simd_f32s(add).0);
        let out = S::as_mut_simd_f32s(self.out).0;
        for row in 0..height {
            let rows = pool_window(row, height_in);
            for column in 0..width {
                let columns = pool_window(column, width_in);
                let place = self.output.padded(column + 1, row) / S::F32_LANES;
                for v in 0..vectors {
                    let best = largest(simd, x, self.input, [&rows, &columns], v);
                    let add = add.map(|add| add[place + v]);
                    out[place + v] = finish(simd, best, add, self.relu);
                }
            }
        }
    }
}

/// What is done to a value before it is stored.
#[inline(always)]
fn finish<S: Simd>(simd: S, value: S::f32s, add: Option<S::f32s>, relu: bool) -> S::f32s {
    let sum = match add {
        Some(add) => simd.add_f32s(value, add),
        None => value,
    };
    if relu {
        // In this order NaN stays NaN.
        simd.max_f32s(simd.splat_f32s(0.0), sum)
    } else {
        sum
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
    for row in rows.clone() {
        let start = map.padded(columns.start + 1, row + 1) / S::F32_LANES + vector;
        let Map([.., channels]) = map;
        let step = channels / S::F32_LANES;
        for column in 0..columns.len() {
            best = simd.max_f32s(best, x[start + column * step]);
        }
    }
    best
}

/// Each pixel four times, and what is added to it.
pub(crate) struct Upsample<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) input: Map,
    /// Those of the output that are computed.
    pub(crate) rows: Range<usize>,
    /// Laid out like `out`.
    pub(crate) add: Option<&'a [f32]>,
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
        let Map([.., channels]) = self.input;
        channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Map([_, width, channels]) = self.output;
        let vectors = channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.x).0;
        let add = self.add.map(|add| S::as_simd_f32s(add).0);
        let out = S::as_mut_simd_f32s(self.out).0;
        for (y, row) in self.rows.enumerate() {
            for column in 0..width {
                let from = self.input.padded(column / 2 + 1, row / 2 + 1) / S::F32_LANES;
                let to = self.output.padded(column + 1, y) / S::F32_LANES;
                for v in 0..vectors {
                    let add = add.map(|add| add[to + v]);
                    out[to + v] = finish(simd, x[from + v], add, self.relu);
                }
            }
        }
    }
}

/// Writes to `out`, `[2·reach + 1, 2·reach + 1, C]`, for each shift by up to `reach` pixels the sum of the pixels that
/// the shifted picture shows within its frame, over the number of all pixels.
pub(crate) fn sums(instructions: Instructions, x: &[f32], map: Map, reach: usize, out: &mut [f32]) {
    run_on(instructions, Sums { x, map, reach, out });
}

struct Sums<'a> {
    x: &'a [f32],
    map: Map,
    reach: usize,
    out: &'a mut [f32],
}

impl VectorLoop for Sums<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        let Map([.., channels]) = self.map;
        channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Map([height, width, channels]) = self.map;
        let vectors = channels / S::F32_LANES;
        let share = simd.splat_f32s(1.0 / (height * width) as f32);
        let x = S::as_simd_f32s(self.x).0;
        let out = S::as_mut_simd_f32s(self.out).0;
        let shifts = 2 * self.reach + 1;
        let first = 1 - self.reach;
        for (shift, out) in out.chunks_exact_mut(vectors).enumerate() {
            let (down, right) = (first + shift / shifts, first + shift % shifts);
            for (v, out) in out.iter_mut().enumerate() {
                let mut sum = simd.splat_f32s(0.0);
                for row in 0..height {
                    let start = self.map.padded(right, down + row) / S::F32_LANES + v;
                    for column in 0..width {
                        sum = simd.add_f32s(sum, x[start + column * vectors]);
                    }
                }
                *out = simd.mul_f32s(sum, share);
            }
        }
    }
}

/// The sum of two maps; their borders stay zero.
pub(crate) struct Add<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) b: &'a [f32],
    pub(crate) relu: bool,
    pub(crate) out: &'a mut [f32],
}

impl Add<'_> {
    pub(crate) fn run(self, instructions: Instructions) {
        run_on(instructions, self);
    }
}

impl VectorLoop for Add<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.out.len()
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [a, b] = [self.a, self.b].map(|values| S::as_simd_f32s(values).0);
        let out = S::as_mut_simd_f32s(self.out).0;
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = finish(simd, a, Some(b), self.relu);
        }
    }
}
