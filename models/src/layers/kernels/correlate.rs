//! Correlation with a dense kernel, 1×1 or larger: the loop behind every convolution but the depthwise one.
//!
//! A kernel row of `k` taps over `C` channels meets `k·C` contiguous values of the input, so that a `k`×`k` kernel is
//! `k` matrix products. Each is computed in tiles of some pixels × some vectors of output channels that stay in
//! registers.

use pulp::{Simd, WithSimd};

use super::vector_loop::{dispatch, lanes};

/// The weights of a correlation in the order in which the loops read them: `[kernel row, tap · input channel, output
/// channel]`, the output channels padded with zeros to whole vectors.
#[derive(Debug, Clone)]
pub(crate) struct PackedWeights {
    data: Vec<f32>,
    taps: usize,
    channels_in: usize,
    channels_out: usize,
    padded_out: usize,
}

impl PackedWeights {
    /// Packs `[out, in, taps, taps]`.
    pub(crate) fn new(
        weights: &[f32],
        channels_out: usize,
        channels_in: usize,
        taps: usize,
    ) -> Self {
        let area = taps * taps;
        Self::pack(taps, channels_in, channels_out, |row, column, i, o| {
            weights[(o * channels_in + i) * area + row * taps + column]
        })
    }

    /// Packs `[out, in, taps, taps]` for the gradient of the input: turned by 180°, inputs and outputs exchanged.
    pub(crate) fn transposed(
        weights: &[f32],
        channels_out: usize,
        channels_in: usize,
        taps: usize,
    ) -> Self {
        let area = taps * taps;
        Self::pack(taps, channels_out, channels_in, |row, column, i, o| {
            weights[(i * channels_in + o) * area + area - 1 - (row * taps + column)]
        })
    }

    fn pack(
        taps: usize,
        channels_in: usize,
        channels_out: usize,
        weight: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Self {
        let padded_out = padded_to_vectors(channels_out);
        let mut data = vec![0.0; taps * taps * channels_in * padded_out];
        for (index, outputs) in data.chunks_exact_mut(padded_out).enumerate() {
            let (tap, i) = (index / channels_in, index % channels_in);
            for (o, value) in outputs[..channels_out].iter_mut().enumerate() {
                *value = weight(tap / taps, tap % taps, i, o);
            }
        }
        Self {
            data,
            taps,
            channels_in,
            channels_out,
            padded_out,
        }
    }
}

fn padded_to_vectors(channels: usize) -> usize {
    channels.next_multiple_of(lanes(channels))
}

/// `out[y, x, :] = Σ weights[r, c, i, :] · x[y + r, x + c, i]` for one sample, without padding.
pub(crate) struct Correlation<'a> {
    /// `[height_out + taps - 1, width_out + taps - 1, channels_in]`.
    pub(crate) x: &'a [f32],
    pub(crate) weights: &'a PackedWeights,
    /// `[height_out, width_out, channels_out]`.
    pub(crate) out: &'a mut [f32],
    pub(crate) width_out: usize,
}

impl Correlation<'_> {
    pub(crate) fn run(self) {
        dispatch(self.weights.channels_out, self);
    }
}

impl WithSimd for Correlation<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            x,
            weights,
            out,
            width_out,
        } = self;
        let vectors = weights.padded_out / S::F32_LANES;
        let row_in = (width_out + weights.taps - 1) * weights.channels_in;
        for (y, out) in out
            .chunks_exact_mut(width_out * weights.channels_out)
            .enumerate()
        {
            let tile = Tile {
                x: &x[y * row_in..],
                weights,
                row_in,
            };
            let mut pixel = 0;
            while pixel < width_out {
                // 6 × 2 accumulators and their operands fill 16 registers, 12 × 2 fill 32.
                let pixels = match width_out - pixel {
                    12.. if vectors == 1 || S::REGISTER_COUNT >= 32 => 12,
                    6.. => 6,
                    3.. => 3,
                    _ => 1,
                };
                let mut vector = 0;
                while vector < vectors {
                    let pair = vectors - vector >= 2;
                    match (pixels, pair) {
                        (12, true) => tile.run::<S, 12, 2>(simd, out, pixel, vector),
                        (12, false) => tile.run::<S, 12, 1>(simd, out, pixel, vector),
                        (6, true) => tile.run::<S, 6, 2>(simd, out, pixel, vector),
                        (6, false) => tile.run::<S, 6, 1>(simd, out, pixel, vector),
                        (3, true) => tile.run::<S, 3, 2>(simd, out, pixel, vector),
                        (3, false) => tile.run::<S, 3, 1>(simd, out, pixel, vector),
                        (_, true) => tile.run::<S, 1, 2>(simd, out, pixel, vector),
                        (_, false) => tile.run::<S, 1, 1>(simd, out, pixel, vector),
                    }
                    vector += if pair { 2 } else { 1 };
                }
                pixel += pixels;
            }
        }
    }
}

/// One row of output.
struct Tile<'a> {
    x: &'a [f32],
    weights: &'a PackedWeights,
    row_in: usize,
}

impl Tile<'_> {
    /// Computes `PIXELS` × `VECTORS` outputs from `pixel` and `vector` on.
    #[inline(always)]
    fn run<S: Simd, const PIXELS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        out: &mut [f32],
        pixel: usize,
        vector: usize,
    ) {
        let PackedWeights {
            channels_in,
            channels_out,
            padded_out,
            taps,
            ..
        } = *self.weights;
        let run = taps * channels_in;
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; PIXELS];
        for (row, weights) in self.weights.data.chunks_exact(run * padded_out).enumerate() {
            let first = row * self.row_in + pixel * channels_in;
            let x: [&[f32]; PIXELS] =
                std::array::from_fn(|p| &self.x[first + p * channels_in..][..run]);
            for (i, weights) in weights.chunks_exact(padded_out).enumerate() {
                let weights = &S::as_simd_f32s(weights).0[vector..][..VECTORS];
                for (sums, x) in sums.iter_mut().zip(x) {
                    let x = simd.splat_f32s(x[i]);
                    for (sum, &weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_e_f32s(x, weight, *sum);
                    }
                }
            }
        }
        for (p, sums) in sums.into_iter().enumerate() {
            let out = &mut out[(pixel + p) * channels_out..][..channels_out];
            for (v, sum) in sums.into_iter().enumerate() {
                store(simd, &mut out[(vector + v) * S::F32_LANES..], sum);
            }
        }
    }
}

#[inline(always)]
fn store<S: Simd>(simd: S, out: &mut [f32], value: S::f32s) {
    match S::as_mut_simd_f32s(out).0 {
        [first, ..] => *first = value,
        [] => simd.partial_store_f32s(out, value),
    }
}

#[inline(always)]
fn load<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    match S::as_simd_f32s(values).0 {
        [first, ..] => *first,
        [] => simd.partial_load_f32s(values),
    }
}

/// The gradient of a correlation's weights, summed over pixels and samples in the order of [`PackedWeights`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gradient {
    taps: usize,
    channels_in: usize,
    channels_out: usize,
    padded_out: usize,
}

impl Gradient {
    pub(crate) fn new(channels_out: usize, channels_in: usize, taps: usize) -> Self {
        Self {
            taps,
            channels_in,
            channels_out,
            padded_out: padded_to_vectors(channels_out),
        }
    }

    /// The number of values of a sum.
    pub(crate) fn len(self) -> usize {
        self.taps * self.taps * self.channels_in * self.padded_out
    }

    /// Adds one sample's gradient to `sum`: `x` as in [`Correlation`], `dy` the gradient of its output.
    pub(crate) fn add(self, x: &[f32], dy: &[f32], width_out: usize, sum: &mut [f32]) {
        let kernel = AddGradient {
            shape: self,
            x,
            dy,
            width_out,
            sum,
        };
        dispatch(self.channels_out, kernel);
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
    shape: Gradient,
    x: &'a [f32],
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
        for row in 0..self.shape.taps {
            let mut vector = 0;
            while vector < vectors {
                let pair = vectors - vector >= 2;
                let mut i = 0;
                while i < run {
                    let left = run - i;
                    // Eight sums and more hide the latency of the multiply-add.
                    i += match (pair, left) {
                        (true, 12..) if S::REGISTER_COUNT >= 32 => {
                            self.tile::<S, 12, 2>(simd, row, i, vector)
                        }
                        (true, 4..) => self.tile::<S, 4, 2>(simd, row, i, vector),
                        (true, _) => self.tile::<S, 1, 2>(simd, row, i, vector),
                        (false, 8..) => self.tile::<S, 8, 1>(simd, row, i, vector),
                        (false, 3..) => self.tile::<S, 3, 1>(simd, row, i, vector),
                        (false, _) => self.tile::<S, 1, 1>(simd, row, i, vector),
                    };
                }
                vector += if pair { 2 } else { 1 };
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
        let Gradient {
            taps,
            channels_in,
            channels_out,
            padded_out,
        } = self.shape;
        let row_in = (self.width_out + taps - 1) * channels_in;
        let lanes = S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; INPUTS];
        for (y, dy) in self
            .dy
            .chunks_exact(self.width_out * channels_out)
            .enumerate()
        {
            let x = &self.x[(y + row) * row_in + input..];
            for (pixel, dy) in dy.chunks_exact(channels_out).enumerate() {
                let x = &x[pixel * channels_in..][..INPUTS];
                let dy: [S::f32s; VECTORS] =
                    std::array::from_fn(|v| load(simd, &dy[(vector + v) * lanes..]));
                for (sums, &x) in sums.iter_mut().zip(x) {
                    let x = simd.splat_f32s(x);
                    for (sum, dy) in sums.iter_mut().zip(dy) {
                        *sum = simd.mul_add_e_f32s(x, dy, *sum);
                    }
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            let first = (row * taps * channels_in + input + i) * padded_out;
            let total = S::as_mut_simd_f32s(&mut self.sum[first..][..padded_out]).0;
            for (total, sum) in total[vector..].iter_mut().zip(sums) {
                *total = simd.add_f32s(*total, sum);
            }
        }
        INPUTS
    }
}
