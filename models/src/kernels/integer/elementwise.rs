//! Operations without weights.
//!
//! Plain loops, which the compiler makes vectors of.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{Requantization, saturate};
use crate::Instructions;
use crate::kernels::Map;
use crate::kernels::pool::pool_window;

/// Calls a function or method with the largest block that divides the channels: with a length that is known, a block is a
/// vector.
macro_rules! by_block {
    ($channels:expr, $function:ident($argument:expr)) => {
        if $channels.is_multiple_of(16) {
            $function::<16>($argument)
        } else if $channels.is_multiple_of(8) {
            $function::<8>($argument)
        } else {
            $function::<1>($argument)
        }
    };
}

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
            let channels = self.1.shape[2];
            by_block!(channels, means(self));
        }
    }
    #[inline(always)]
    fn means<const BLOCK: usize>(Means(x, map, scale, zero_point, out): Means<'_>) {
        let [height, width, channels] = map.shape;
        let count = (height * width) as f32;
        for first in (0..channels).step_by(BLOCK) {
            let mut sums = [0_u32; BLOCK];
            for row in 0..height {
                for column in 0..width {
                    let pixel = &x[map.at(column, row) + first..][..BLOCK];
                    for (sum, &x) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(x);
                    }
                }
            }
            for (out, sum) in out[first..][..BLOCK].iter_mut().zip(sums) {
                *out = (sum as f32 / count - zero_point) * scale;
            }
        }
    }
    let kernel = Means(x, map, scale, f32::from(zero_point), out);
    instructions.dispatch(map.shape[2], kernel);
}

impl Requantization<'_> {
    /// Stores a block of values from `first` on, of which `value` gives each before the addition.
    #[inline(always)]
    fn store<const BLOCK: usize>(
        &self,
        first: usize,
        out: &mut [u8],
        value: impl Fn(usize) -> f32,
    ) {
        let out = &mut out[first..][..BLOCK];
        let mut values = [0.0; BLOCK];
        for (i, to) in values.iter_mut().enumerate() {
            *to = value(i);
        }
        if let Some(add) = self.add {
            for (value, &add) in values.iter_mut().zip(&add[first..][..BLOCK]) {
                *value += f32::from(add) * self.add_multiplier;
            }
        }
        for (out, value) in out.iter_mut().zip(values) {
            *out = saturate(value + self.offset);
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
        by_block!(self.out.len(), add(self));
    }
}

#[inline(always)]
fn add<const BLOCK: usize>(step: IntegerAdd<'_>) {
    for first in (0..step.out.len()).step_by(BLOCK) {
        let x = &step.x[first..][..BLOCK];
        let value = |i: usize| f32::from(x[i]) * step.multiplier;
        step.requantization.store::<BLOCK>(first, step.out, value);
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
        let channels = self.input.shape[2];
        by_block!(channels, max_pool(self));
    }
}

#[inline(always)]
fn max_pool<const BLOCK: usize>(step: IntegerMaxPool<'_>) {
    let IntegerMaxPool {
        x, input, output, ..
    } = step;
    let [height_in, width_in, channels] = input.shape;
    let [height, width, _] = output.shape;
    for row in 0..height {
        let rows = pool_window(row, height_in);
        for column in 0..width {
            let columns = pool_window(column, width_in);
            let place = output.in_band(column, row);
            for first in (0..channels).step_by(BLOCK) {
                let mut best = [0; BLOCK];
                for row in rows.clone() {
                    for column in columns.clone() {
                        let pixel = &x[input.at(column, row) + first..][..BLOCK];
                        for (best, &x) in best.iter_mut().zip(pixel) {
                            *best = x.max(*best);
                        }
                    }
                }
                let value = |i: usize| f32::from(best[i]) * step.multiplier;
                step.requantization
                    .store::<BLOCK>(place + first, step.out, value);
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
        let channels = self.output.shape[2];
        by_block!(channels, upsample(self));
    }
}

#[inline(always)]
fn upsample<const BLOCK: usize>(step: IntegerUpsample<'_>) {
    let [_, width, channels] = step.output.shape;
    for (y, row) in step.rows.clone().enumerate() {
        for column in 0..width {
            let from = step.input.at(column / 2, row / 2);
            let place = step.output.in_band(column, y);
            for first in (0..channels).step_by(BLOCK) {
                let x = &step.x[from + first..][..BLOCK];
                let value = |i: usize| f32::from(x[i]) * step.multiplier;
                step.requantization
                    .store::<BLOCK>(place + first, step.out, value);
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
        let channels = self.map.shape[2];
        by_block!(channels, scale_channels(self));
    }
}

#[inline(always)]
fn scale_channels<const BLOCK: usize>(step: IntegerScale<'_>) {
    let [_, width, channels] = step.map.shape;
    let zero_point = f32::from(step.zero_point);
    for (y, row) in step.rows.clone().enumerate() {
        for column in 0..width {
            let from = step.map.at(column, row);
            let place = step.map.in_band(column, y);
            for first in (0..channels).step_by(BLOCK) {
                let x = &step.x[from + first..][..BLOCK];
                let factors = &step.factors[first..][..BLOCK];
                let value =
                    |i: usize| (f32::from(x[i]) - zero_point) * step.multiplier * factors[i];
                step.requantization
                    .store::<BLOCK>(place + first, step.out, value);
            }
        }
    }
}
