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
        let row_in = (width_out + weights.taps - 1) * weights.channels_in;
        for (y, out) in out
            .chunks_exact_mut(width_out * weights.channels_out)
            .enumerate()
        {
            let row = Row {
                x: &x[y * row_in..],
                weights,
                row_in,
                out,
                width: width_out,
            };
            row.run(simd);
        }
    }
}

/// One row of output.
struct Row<'a> {
    x: &'a [f32],
    weights: &'a PackedWeights,
    row_in: usize,
    out: &'a mut [f32],
    width: usize,
}

impl Row<'_> {
    /// Walks over the row in tiles whose sums, with their operands, fill the registers: 24 of 32, or 12 of 16.
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let vectors = self.weights.padded_out / S::F32_LANES;
        let widest = if S::REGISTER_COUNT >= 32 { 4 } else { 2 };
        let mut vector = 0;
        while vector < vectors {
            let count = widest.min(vectors - vector);
            match count {
                4 => {
                    let pixel = self.tiles::<S, 6, 4>(simd, 0, vector);
                    let pixel = self.tiles::<S, 3, 4>(simd, pixel, vector);
                    self.tiles::<S, 1, 4>(simd, pixel, vector);
                }
                3 => {
                    let pixel = self.tiles::<S, 8, 3>(simd, 0, vector);
                    let pixel = self.tiles::<S, 3, 3>(simd, pixel, vector);
                    self.tiles::<S, 1, 3>(simd, pixel, vector);
                }
                2 => {
                    let pixel = self.tiles::<S, 6, 2>(simd, 0, vector);
                    let pixel = self.tiles::<S, 3, 2>(simd, pixel, vector);
                    self.tiles::<S, 1, 2>(simd, pixel, vector);
                }
                _ => {
                    let pixel = self.tiles::<S, 8, 1>(simd, 0, vector);
                    let pixel = self.tiles::<S, 3, 1>(simd, pixel, vector);
                    self.tiles::<S, 1, 1>(simd, pixel, vector);
                }
            }
            vector += count;
        }
    }

    /// Computes `VECTORS` vectors of output channels from `pixel` on, for as many times `PIXELS` pixels as there are;
    /// returns the first pixel that is left.
    #[inline(always)]
    fn tiles<S: Simd, const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        mut pixel: usize,
        vector: usize,
    ) -> usize {
        let &PackedWeights {
            ref data,
            taps,
            channels_in,
            channels_out,
            padded_out,
        } = self.weights;
        let run = taps * channels_in;
        let (first, width) = (vector * S::F32_LANES, VECTORS * S::F32_LANES);
        while pixel + PIXELS <= self.width {
            let mut sums = [[simd.splat_f32s(0.0); VECTORS]; PIXELS];
            for (row, weights) in data.chunks_exact(run * padded_out).enumerate() {
                let x = &self.x[row * self.row_in + pixel * channels_in..];
                let mut xs = [&x[..0]; PIXELS];
                for (p, xs) in xs.iter_mut().enumerate() {
                    *xs = &x[p * channels_in..][..run];
                }
                for (i, weights) in weights.chunks_exact(padded_out).take(run).enumerate() {
                    let weights = S::as_simd_f32s(&weights[first..][..width]).0;
                    for (sums, x) in sums.iter_mut().zip(xs) {
                        let x = simd.splat_f32s(x[i]);
                        for (sum, &weight) in sums.iter_mut().zip(weights) {
                            *sum = simd.mul_add_e_f32s(x, weight, *sum);
                        }
                    }
                }
            }
            let out = self.out[pixel * channels_out..].chunks_exact_mut(channels_out);
            for (out, sums) in out.zip(sums) {
                for (v, sum) in sums.into_iter().enumerate() {
                    store(simd, &mut out[first + v * S::F32_LANES..], sum);
                }
            }
            pixel += PIXELS;
        }
        pixel
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
        let Gradient {
            taps,
            channels_in,
            channels_out,
            padded_out,
        } = self.shape;
        let row_in = (self.width_out + taps - 1) * channels_in;
        let (first, width) = (vector * S::F32_LANES, VECTORS * S::F32_LANES);
        let is_whole = first + width <= channels_out;
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; INPUTS];
        for (y, dy) in self
            .dy
            .chunks_exact(self.width_out * channels_out)
            .enumerate()
        {
            let x = &self.x[(y + row) * row_in + input..];
            for (pixel, dy) in dy.chunks_exact(channels_out).enumerate() {
                let x = &x[pixel * channels_in..][..INPUTS];
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
