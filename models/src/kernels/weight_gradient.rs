//! The gradient of a correlation's weights.

use pulp::{Simd, WithSimd};

use super::correlation::load;
use super::packed_weights::padded_to_vectors;
use crate::Instructions;

/// The gradient of a correlation's weights, summed over pixels and samples in the order of [`PackedWeights`](super::PackedWeights).
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightGradient {
    taps: usize,
    channels_in: usize,
    channels_out: usize,
    padded_out: usize,
}

impl WeightGradient {
    pub(crate) fn new(channels_out: usize, channels_in: usize, taps: usize) -> Self {
        Self {
            taps,
            channels_in,
            channels_out,
            padded_out: padded_to_vectors(Instructions::best(), channels_out),
        }
    }

    /// The number of values of a sum.
    pub(crate) fn len(self) -> usize {
        self.taps * self.taps * self.channels_in * self.padded_out
    }

    /// Adds one sample's gradient to `sum`: `x`, the width of the output, the row of the input and the stride as in
    /// [`Correlation`](super::Correlation), `dy` the gradient of its output.
    pub(crate) fn add(
        self,
        x: &[f32],
        dy: &[f32],
        (width_out, (row_in, stride)): (usize, (usize, usize)),
        sum: &mut [f32],
    ) {
        let kernel = AddGradient {
            shape: self,
            x,
            row_in,
            stride,
            dy,
            width_out,
            sum,
        };
        Instructions::best().dispatch(self.channels_out, kernel);
    }

    /// Writes the sum to `weights` as `[out, in, taps, taps]`.
    pub(crate) fn unpack(self, sum: &[f32], weights: &mut [f32]) {
        let area = self.taps * self.taps;
        for (index, outputs) in sum.chunks_exact(self.padded_out).enumerate() {
            let (tap, i) = (index / self.channels_in, index % self.channels_in);
            for (o, &value) in outputs[..self.channels_out].iter().enumerate() {
                weights[(o * self.channels_in + i) * area + tap] = value;
            }
        }
    }
}

struct AddGradient<'a> {
    shape: WeightGradient,
    x: &'a [f32],
    row_in: usize,
    stride: usize,
    dy: &'a [f32],
    width_out: usize,
    sum: &'a mut [f32],
}

impl WithSimd for AddGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let run = self.shape.taps * self.shape.channels_in;
        let vectors = self.shape.padded_out / S::F32_LANES;
        let widest = if S::REGISTER_COUNT >= 32 { 4 } else { 2 };
        for row in 0..self.shape.taps {
            let mut vector = 0;
            while vector < vectors {
                let count = widest.min(vectors - vector);
                let mut i = 0;
                while i < run {
                    let left = run - i;
                    // Eight sums and more hide the latency of the multiply-add.
                    i += match (count, left) {
                        (4, 6..) => self.tile::<S, 6, 4>(simd, row, i, vector),
                        (4, 2..) => self.tile::<S, 2, 4>(simd, row, i, vector),
                        (4, _) => self.tile::<S, 1, 4>(simd, row, i, vector),
                        (3, 8..) => self.tile::<S, 8, 3>(simd, row, i, vector),
                        (3, 2..) => self.tile::<S, 2, 3>(simd, row, i, vector),
                        (3, _) => self.tile::<S, 1, 3>(simd, row, i, vector),
                        (2, 8..) if S::REGISTER_COUNT >= 32 => {
                            self.tile::<S, 8, 2>(simd, row, i, vector)
                        }
                        (2, 4..) => self.tile::<S, 4, 2>(simd, row, i, vector),
                        (2, _) => self.tile::<S, 1, 2>(simd, row, i, vector),
                        (_, 8..) => self.tile::<S, 8, 1>(simd, row, i, vector),
                        (_, 3..) => self.tile::<S, 3, 1>(simd, row, i, vector),
                        (_, _) => self.tile::<S, 1, 1>(simd, row, i, vector),
                    };
                }
                vector += count;
            }
        }
    }
}

impl AddGradient<'_> {
    /// Sums `INPUTS` × `VECTORS` weights of a kernel row over all pixels; returns `INPUTS`.
    #[inline(always)]
    fn tile<S: Simd, const INPUTS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        row: usize,
        input: usize,
        vector: usize,
    ) -> usize {
        let WeightGradient {
            taps,
            channels_in,
            channels_out,
            padded_out,
        } = self.shape;
        let (first, width) = (vector * S::F32_LANES, VECTORS * S::F32_LANES);
        let is_whole = first + width <= channels_out;
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; INPUTS];
        for (y, dy) in self
            .dy
            .chunks_exact(self.width_out * channels_out)
            .enumerate()
        {
            let x = &self.x[(self.stride * y + row) * self.row_in + input..];
            for (pixel, dy) in dy.chunks_exact(channels_out).enumerate() {
                let x = &x[self.stride * pixel * channels_in..][..INPUTS];
                let mut vectors = [simd.splat_f32s(0.0); VECTORS];
                if is_whole {
                    vectors.copy_from_slice(S::as_simd_f32s(&dy[first..][..width]).0);
                } else {
                    for (v, vector) in vectors.iter_mut().enumerate() {
                        *vector = load(simd, &dy[first + v * S::F32_LANES..]);
                    }
                }
                for (sums, &x) in sums.iter_mut().zip(x) {
                    let x = simd.splat_f32s(x);
                    for (sum, &dy) in sums.iter_mut().zip(&vectors) {
                        *sum = simd.mul_add_e_f32s(x, dy, *sum);
                    }
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            let start = (row * taps * channels_in + input + i) * padded_out;
            let total = S::as_mut_simd_f32s(&mut self.sum[start..][..padded_out]).0;
            for (total, sum) in total[vector..].iter_mut().zip(sums) {
                *total = simd.add_f32s(*total, sum);
            }
        }
        INPUTS
    }
}
