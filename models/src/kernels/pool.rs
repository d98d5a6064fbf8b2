//! Max-pooling over one sample, `[height, width, channels]`.

use std::ops::Range;

use pulp::Simd;

use super::vector_loop::{VectorLoop, run};

/// Max-pooling 3×3 with stride 2 and TensorFlow's "same" padding, which never wins.
pub(crate) struct MaxPool<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    /// `[⌈height/2⌉, ⌈width/2⌉, channels]`.
    pub(crate) out: &'a mut [f32],
    /// For each output, the pixel that it came from.
    pub(crate) winners: &'a mut [u32],
}

impl MaxPool<'_> {
    pub(crate) fn compute(self) {
        run(self);
    }
}

impl VectorLoop for MaxPool<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let vectors = self.channels / S::F32_LANES;
        let width_out = self.width.div_ceil(2);
        let x = S::as_simd_f32s(self.x).0;
        let out = S::as_mut_simd_f32s(self.out).0.chunks_exact_mut(vectors);
        let winners = S::as_mut_simd_u32s(self.winners)
            .0
            .chunks_exact_mut(vectors);
        for (output, (out, winners)) in out.zip(winners).enumerate() {
            let rows = pool_window(output / width_out, self.height);
            let columns = pool_window(output % width_out, self.width);
            for (v, (out, winner)) in out.iter_mut().zip(winners).enumerate() {
                let mut best = simd.splat_f32s(f32::NEG_INFINITY);
                let mut best_pixel = simd.splat_u32s(0);
                for row in rows.clone() {
                    for column in columns.clone() {
                        let pixel = row * self.width + column;
                        let x = x[pixel * vectors + v];
                        let wins = simd.greater_than_f32s(x, best);
                        best = simd.select_f32s(wins, x, best);
                        best_pixel =
                            simd.select_u32s(wins, simd.splat_u32s(pixel as u32), best_pixel);
                    }
                }
                *out = best;
                *winner = best_pixel;
            }
        }
    }
}

/// Adds the gradient of each output to the pixel that it came from.
pub(crate) fn scatter(winners: &[u32], dy: &[f32], channels: usize, dx: &mut [f32]) {
    let pixels = winners
        .chunks_exact(channels)
        .zip(dy.chunks_exact(channels));
    for (winners, dy) in pixels {
        for (c, (&winner, dy)) in winners.iter().zip(dy).enumerate() {
            dx[winner as usize * channels + c] += dy;
        }
    }
}

/// The input positions that window `i` covers, of an axis of `size`. Of an odd number of padding the larger half
/// stands behind.
pub(crate) fn pool_window(i: usize, size: usize) -> Range<usize> {
    let outputs = size.div_ceil(2);
    let padding = ((outputs - 1) * 2 + 3).saturating_sub(size);
    let before = padding / 2;
    (2 * i).saturating_sub(before)..(2 * i + 3 - before).min(size)
}
