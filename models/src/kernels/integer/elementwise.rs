//! Operations without weights.
//!
//! Plain loops, which the compiler makes vectors of.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{Requantization, saturate};
use crate::Instructions;
use crate::kernels::Map;
use crate::kernels::pool::pool_window;

/// Rounds floats to activations: `x · inverse_scale + zero_point`.
pub(crate) fn quantize(
    instructions: Instructions,
    x: &[f32],
    inverse_scale: f32,
    zero_point: u8,
    out: &mut [u8],
) {
    struct Quantize<'a>(&'a [f32], f32, f32, &'a mut [u8]);
    impl WithSimd for Quantize<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self(x, inverse_scale, zero_point, out) = self;
            for (out, &x) in out.iter_mut().zip(x) {
                *out = saturate(x * inverse_scale + zero_point);
            }
        }
    }
    let kernel = Quantize(x, inverse_scale, f32::from(zero_point), out);
    instructions.dispatch(x.len(), kernel);
}

/// The floats that activations stand for: `scale · (x − zero_point)`.
pub(crate) fn dequantize(
    instructions: Instructions,
    x: &[u8],
    scale: f32,
    zero_point: u8,
    out: &mut [f32],
) {
    struct Dequantize<'a>(&'a [u8], f32, i32, &'a mut [f32]);
    impl WithSimd for Dequantize<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self(x, scale, zero_point, out) = self;
            for (out, &x) in out.iter_mut().zip(x) {
                *out = (i32::from(x) - zero_point) as f32 * scale;
            }
        }
    }
    let kernel = Dequantize(x, scale, i32::from(zero_point), out);
    instructions.dispatch(x.len(), kernel);
}

/// The mean of each channel: `scale · (mean of x − zero_point)`.
pub(crate) fn channel_means(
    instructions: Instructions,
    x: &[u8],
    map: Map,
    scale: f32,
    zero_point: u8,
    out: &mut [f32],
) {
    struct Means<'a>(&'a [u8], Map, f32, f32, &'a mut [f32]);
    impl WithSimd for Means<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            const BLOCK: usize = 32;
            let Self(x, map, scale, zero_point, out) = self;
            let [height, width, channels] = map.shape;
            let count = (height * width) as f32;
            for first in (0..channels).step_by(BLOCK) {
                let block = first..channels.min(first + BLOCK);
                let mut sums = [0_u32; BLOCK];
                for row in 0..height {
                    for column in 0..width {
                        let pixel = &x[map.at(column, row)..][block.clone()];
                        for (sum, &x) in sums.iter_mut().zip(pixel) {
                            *sum += u32::from(x);
                        }
                    }
                }
                for (out, sum) in out[block].iter_mut().zip(sums) {
                    *out = (sum as f32 / count - zero_point) * scale;
                }
            }
        }
    }
    let kernel = Means(x, map, scale, f32::from(zero_point), out);
    instructions.dispatch(map.shape[2], kernel);
}

impl Requantization<'_> {
    /// Stores the values from `first` on, of which `value` gives each before the addition.
    #[inline(always)]
    fn store(&self, first: usize, out: &mut [u8], value: impl Fn(usize) -> f32) {
        let Self {
            add,
            add_multiplier,
            offset,
        } = *self;
        if let Some(add) = add {
            let add = &add[first..][..out.len()];
            for (i, (out, &add)) in out.iter_mut().zip(add).enumerate() {
                *out = saturate(value(i) + f32::from(add) * add_multiplier + offset);
            }
        } else {
            for (i, out) in out.iter_mut().enumerate() {
                *out = saturate(value(i) + offset);
            }
        }
    }
}

/// The sum of two inputs: `x · multiplier` and what [`Requantization::add`] holds.
pub(crate) struct IntegerAdd<'a> {
    pub(crate) x: &'a [u8],
    pub(crate) multiplier: f32,
    pub(crate) requantization: Requantization<'a>,
    /// Laid out like `x`.
    pub(crate) out: &'a mut [u8],
}

impl WithSimd for IntegerAdd<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let x = &self.x[..self.out.len()];
        let value = |i: usize| f32::from(x[i]) * self.multiplier;
        self.requantization.store(0, self.out, value);
    }
}

/// Max-pooling as [`MaxPool`](crate::kernels::MaxPool) does it, times a multiplier.
pub(crate) struct IntegerMaxPool<'a> {
    pub(crate) x: &'a [u8],
    pub(crate) input: Map,
    pub(crate) multiplier: f32,
    pub(crate) requantization: Requantization<'a>,
    /// From the border in front of the first row on.
    pub(crate) out: &'a mut [u8],
    pub(crate) output: Map,
}

impl WithSimd for IntegerMaxPool<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // With a length that is known, a block is a vector.
        if self.input.shape[2].is_multiple_of(16) {
            self.rows::<16>();
        } else if self.input.shape[2].is_multiple_of(8) {
            self.rows::<8>();
        } else {
            self.rows::<1>();
        }
    }
}

impl IntegerMaxPool<'_> {
    #[inline(always)]
    fn rows<const BLOCK: usize>(self) {
        let [height_in, width_in, channels] = self.input.shape;
        let [height, width, _] = self.output.shape;
        for row in 0..height {
            let rows = pool_window(row, height_in);
            for column in 0..width {
                let columns = pool_window(column, width_in);
                let place = self.output.in_band(column, row);
                for first in (0..channels).step_by(BLOCK) {
                    let mut best = [0; BLOCK];
                    for y in rows.clone() {
                        for x in columns.clone() {
                            let pixel = &self.x[self.input.at(x, y) + first..][..BLOCK];
                            for (best, &x) in best.iter_mut().zip(pixel) {
                                *best = x.max(*best);
                            }
                        }
                    }
                    let out = &mut self.out[place + first..][..BLOCK];
                    let value = |i: usize| f32::from(best[i]) * self.multiplier;
                    self.requantization.store(place + first, out, value);
                }
            }
        }
    }
}

/// Each pixel four times, times a multiplier.
pub(crate) struct IntegerUpsample<'a> {
    pub(crate) x: &'a [u8],
    pub(crate) input: Map,
    pub(crate) multiplier: f32,
    pub(crate) requantization: Requantization<'a>,
    /// The rows of the output to compute.
    pub(crate) rows: Range<usize>,
    /// From the border in front of the first of the rows on.
    pub(crate) out: &'a mut [u8],
    pub(crate) output: Map,
}

impl WithSimd for IntegerUpsample<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [_, width, channels] = self.output.shape;
        for (y, row) in self.rows.clone().enumerate() {
            for column in 0..width {
                let x = &self.x[self.input.at(column / 2, row / 2)..][..channels];
                let place = self.output.in_band(column, y);
                let out = &mut self.out[place..][..channels];
                let value = |i: usize| f32::from(x[i]) * self.multiplier;
                self.requantization.store(place, out, value);
            }
        }
    }
}

/// Each channel less the zero point, times a factor of its own and a multiplier.
pub(crate) struct IntegerScale<'a> {
    pub(crate) x: &'a [u8],
    /// `[C]`
    pub(crate) factors: &'a [f32],
    pub(crate) zero_point: u8,
    pub(crate) multiplier: f32,
    pub(crate) requantization: Requantization<'a>,
    /// How `x` lies in memory; `out` lies likewise.
    pub(crate) map: Map,
    /// The rows to compute.
    pub(crate) rows: Range<usize>,
    /// From the border in front of the first of the rows on.
    pub(crate) out: &'a mut [u8],
}

impl WithSimd for IntegerScale<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [_, width, channels] = self.map.shape;
        let factors = &self.factors[..channels];
        let zero_point = i32::from(self.zero_point);
        for (y, row) in self.rows.clone().enumerate() {
            for column in 0..width {
                let x = &self.x[self.map.at(column, row)..][..channels];
                let place = self.map.in_band(column, y);
                let out = &mut self.out[place..][..channels];
                let value =
                    |i: usize| (i32::from(x[i]) - zero_point) as f32 * self.multiplier * factors[i];
                self.requantization.store(place, out, value);
            }
        }
    }
}
