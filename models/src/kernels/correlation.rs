//! Correlation with a dense kernel, 1×1 or larger: the loop behind every convolution but the depthwise one.
//!
//! A kernel row of `k` taps over `C` channels meets `k·C` contiguous values of the input, so that a `k`×`k` kernel is
//! `k` matrix products. Each is computed in tiles of some pixels × some vectors of output channels that stay in
//! registers.

use pulp::{Simd, WithSimd};

use super::packed_weights::PackedWeights;

/// `out[y, x, :] = Σ weights[r, c, i, :] · x[s·y + r, s·x + c, i]` for one sample with step s, without padding, and what
/// is done to it before it is stored.
pub(crate) struct Correlation<'a> {
    /// `[rows, row_in]`, the first value being that which meets the first weight.
    pub(crate) x: &'a [f32],
    /// Values from one row of `x` to the next.
    pub(crate) row_in: usize,
    /// s.
    pub(crate) stride: usize,
    pub(crate) weights: &'a PackedWeights,
    /// From [`PackedWeights::pad_bias`]; none: no bias is added.
    pub(crate) bias: Option<&'a [f32]>,
    /// Laid out like `out`, to be added.
    pub(crate) add: Option<&'a [f32]>,
    /// Whether max(0, y) follows.
    pub(crate) relu: bool,
    /// `[rows, row_out]`; the first `width_out · channels_out` values of each row are written.
    pub(crate) out: &'a mut [f32],
    /// Values from one row of `out` to the next.
    pub(crate) row_out: usize,
    pub(crate) width_out: usize,
}

impl Correlation<'_> {
    pub(crate) fn run(self) {
        let PackedWeights {
            instructions,
            channels_out,
            ..
        } = *self.weights;
        instructions.dispatch(channels_out, self);
    }
}

impl WithSimd for Correlation<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // With channels and steps that are known, the places of a tile's inputs are constants.
        match (self.weights.channels_in, self.stride * self.weights.pixels) {
            (1, 1) => self.rows::<S, 1, 1>(simd),
            (1, 2) => self.rows::<S, 1, 2>(simd),
            (8, 1) => self.rows::<S, 8, 1>(simd),
            (8, 2) => self.rows::<S, 8, 2>(simd),
            (16, 1) => self.rows::<S, 16, 1>(simd),
            (32, 1) => self.rows::<S, 32, 1>(simd),
            (48, 1) => self.rows::<S, 48, 1>(simd),
            _ => self.rows::<S, ANY, ANY>(simd),
        }
    }
}

/// A number that is not known when the code is compiled.
const ANY: usize = 0;

impl Correlation<'_> {
    #[inline(always)]
    fn rows<S: Simd, const CHANNELS: usize, const STEP: usize>(self, simd: S) {
        let weights = self.weights;
        let len = self.width_out * weights.channels_out / weights.pixels;
        let step = self.stride * self.row_in;
        let vectors = weights.padded_out / S::F32_LANES;
        let widest = if S::REGISTER_COUNT >= 32 { 4 } else { 2 };
        // The weights of some vectors stay in the innermost cache while all rows meet them.
        for vector in (0..vectors).step_by(widest) {
            let count = widest.min(vectors - vector);
            for (y, out) in self.out.chunks_mut(self.row_out).enumerate() {
                let row = Row::<CHANNELS, STEP> {
                    x: &self.x[y * step..],
                    row_in: self.row_in,
                    step: self.stride * weights.pixels,
                    weights,
                    bias: self.bias,
                    add: self.add.map(|add| &add[y * self.row_out..][..len]),
                    relu: self.relu,
                    out: &mut out[..len],
                    width: self.width_out / weights.pixels,
                };
                row.run(simd, vector, count);
            }
        }
    }
}

/// One row of output.
struct Row<'a, const CHANNELS: usize, const STEP: usize> {
    x: &'a [f32],
    row_in: usize,
    /// Pixels of `x` from one output to the next.
    step: usize,
    weights: &'a PackedWeights,
    bias: Option<&'a [f32]>,
    add: Option<&'a [f32]>,
    relu: bool,
    out: &'a mut [f32],
    width: usize,
}

impl<const CHANNELS: usize, const STEP: usize> Row<'_, CHANNELS, STEP> {
    /// Computes `count` vectors of output channels in tiles whose sums, with their operands, fill the registers: 24 of
    /// 32, or 12 of 16.
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S, vector: usize, count: usize) {
        match (count, self.width) {
            (4, 6..) => self.tiles::<S, 6, 4>(simd, vector),
            (4, 3..) => self.tiles::<S, 3, 4>(simd, vector),
            (4, _) => self.tiles::<S, 1, 4>(simd, vector),
            (3, 8..) => self.tiles::<S, 8, 3>(simd, vector),
            (3, 3..) => self.tiles::<S, 3, 3>(simd, vector),
            (3, _) => self.tiles::<S, 1, 3>(simd, vector),
            (2, 11..) if S::REGISTER_COUNT >= 32 => self.tiles::<S, 11, 2>(simd, vector),
            (2, 6..) => self.tiles::<S, 6, 2>(simd, vector),
            (2, 3..) => self.tiles::<S, 3, 2>(simd, vector),
            (2, _) => self.tiles::<S, 1, 2>(simd, vector),
            // Whichever leaves fewer pixels to be computed twice.
            (_, width @ 12..) if width.next_multiple_of(12) < width.next_multiple_of(11) => {
                self.tiles::<S, 12, 1>(simd, vector);
            }
            (_, 11..) => self.tiles::<S, 11, 1>(simd, vector),
            (_, 3..) => self.tiles::<S, 3, 1>(simd, vector),
            (_, _) => self.tiles::<S, 1, 1>(simd, vector),
        }
    }

    /// Computes `VECTORS` vectors of output channels for the whole row, `PIXELS` pixels at a time. The last pixels are
    /// computed twice where they do not fill a tile.
    #[inline(always)]
    fn tiles<S: Simd, const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        vector: usize,
    ) {
        let mut pixel = 0;
        loop {
            let mut sums = self.start::<S, PIXELS, VECTORS>(simd, vector);
            if CHANNELS == ANY {
                self.sum_any(simd, pixel, vector, &mut sums);
            } else {
                self.sum(simd, pixel, vector, &mut sums);
            }
            self.finish(simd, pixel, vector, sums);
            pixel += PIXELS;
            if pixel == self.width {
                break;
            }
            pixel = pixel.min(self.width - PIXELS);
        }
    }

    #[inline(always)]
    fn start<S: Simd, const PIXELS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        vector: usize,
    ) -> [[S::f32s; VECTORS]; PIXELS] {
        let mut start = [simd.splat_f32s(0.0); VECTORS];
        if let Some(bias) = self.bias {
            start.copy_from_slice(&S::as_simd_f32s(bias).0[vector..][..VECTORS]);
        }
        [start; PIXELS]
    }

    /// Adds the products of a tile, with channels and steps that are known.
    #[inline(always)]
    fn sum<S: Simd, const PIXELS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        pixel: usize,
        vector: usize,
        sums: &mut [[S::f32s; VECTORS]; PIXELS],
    ) {
        let PackedWeights {
            ref data,
            columns,
            padded_out,
            ..
        } = *self.weights;
        let vectors = padded_out / S::F32_LANES;
        let mut weights = &S::as_simd_f32s(data).0[vector..];
        for row in 0..self.weights.rows {
            for column in 0..columns {
                let first = row * self.row_in + (pixel * STEP + column) * CHANNELS;
                let x = &self.x[first..].as_chunks::<CHANNELS>().0[..(PIXELS - 1) * STEP + 1];
                for i in 0..CHANNELS {
                    let here = &weights[i * vectors..][..VECTORS];
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let x = simd.splat_f32s(x[p * STEP][i]);
                        for (sum, &weight) in sums.iter_mut().zip(here) {
                            *sum = simd.mul_add_e_f32s(x, weight, *sum);
                        }
                    }
                }
                weights = weights.get(CHANNELS * vectors..).unwrap_or_default();
            }
        }
    }

    /// The same with any channels and steps.
    #[inline(always)]
    fn sum_any<S: Simd, const PIXELS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        pixel: usize,
        vector: usize,
        sums: &mut [[S::f32s; VECTORS]; PIXELS],
    ) {
        let PackedWeights {
            ref data,
            columns,
            channels_in,
            padded_out,
            ..
        } = *self.weights;
        let run = columns * channels_in;
        let vectors = padded_out / S::F32_LANES;
        let pixel_in = self.step * channels_in;
        for (row, weights) in data.chunks_exact(run * padded_out).enumerate() {
            let x = &self.x[row * self.row_in + pixel * pixel_in..];
            let mut xs = [&x[..0]; PIXELS];
            for (p, xs) in xs.iter_mut().enumerate() {
                *xs = &x[p * pixel_in..][..run];
            }
            let weights = S::as_simd_f32s(weights).0.chunks_exact(vectors);
            for (i, weights) in weights.take(run).enumerate() {
                let weights = &weights[vector..][..VECTORS];
                for (sums, x) in sums.iter_mut().zip(xs) {
                    let x = simd.splat_f32s(x[i]);
                    for (sum, &weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_e_f32s(x, weight, *sum);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn finish<S: Simd, const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        pixel: usize,
        vector: usize,
        sums: [[S::f32s; VECTORS]; PIXELS],
    ) {
        let zero = simd.splat_f32s(0.0);
        let channels = self.weights.channels_out;
        if channels.is_multiple_of(S::F32_LANES) {
            let vectors = channels / S::F32_LANES;
            let outputs = pixel * vectors..(pixel + PIXELS) * vectors;
            let add = self.add.map(|add| &S::as_simd_f32s(add).0[outputs.clone()]);
            let out = &mut S::as_mut_simd_f32s(self.out).0[outputs];
            for (p, (out, sums)) in out.chunks_exact_mut(vectors).zip(sums).enumerate() {
                for (v, mut sum) in sums.into_iter().enumerate() {
                    if let Some(add) = add {
                        sum = simd.add_f32s(sum, add[p * vectors + vector + v]);
                    }
                    if self.relu {
                        // In this order NaN stays NaN.
                        sum = simd.max_f32s(zero, sum);
                    }
                    out[vector + v] = sum;
                }
            }
            return;
        }
        let first = vector * S::F32_LANES;
        for (p, sums) in sums.into_iter().enumerate() {
            let (start, end) = ((pixel + p) * channels, (pixel + p + 1) * channels);
            for (v, mut sum) in sums.into_iter().enumerate() {
                let place = start + first + v * S::F32_LANES..end;
                if let Some(add) = self.add {
                    sum = simd.add_f32s(sum, load(simd, &add[place.clone()]));
                }
                if self.relu {
                    sum = simd.max_f32s(zero, sum);
                }
                store(simd, &mut self.out[place], sum);
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
pub(super) fn load<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    match S::as_simd_f32s(values).0 {
        [first, ..] => *first,
        [] => simd.partial_load_f32s(values),
    }
}
