//! Depthwise correlation: each channel with a 3×3 kernel of its own.

use pulp::Simd;

use super::vector_loop::{VectorLoop, run};

/// `out[y, x, c] = Σ weights[r, k, c] · x[y + r, x + k, c]` for one sample.
///
/// `x` is `[height + 2, width + 2, channels]`, `weights` `[9, channels]`, `out` `[height, width, channels]`.
pub(crate) fn depthwise(
    x: &[f32],
    weights: &[f32],
    out: &mut [f32],
    width: usize,
    channels: usize,
) {
    run(Depthwise {
        x,
        weights,
        out,
        width,
        channels,
    });
}

/// Adds `Σ x[y + r, x + k, c] · dy[y, x, c]` over the pixels of one sample to `sum`, shapes as in [`depthwise`].
pub(crate) fn depthwise_weight_gradient(
    x: &[f32],
    dy: &[f32],
    sum: &mut [f32],
    width: usize,
    channels: usize,
) {
    run(WeightGradient {
        x,
        dy,
        sum,
        width,
        channels,
    });
}

struct Depthwise<'a> {
    x: &'a [f32],
    weights: &'a [f32],
    out: &'a mut [f32],
    width: usize,
    channels: usize,
}

impl VectorLoop for Depthwise<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let vectors = self.channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.x).0;
        let weights = S::as_simd_f32s(self.weights).0;
        let out = S::as_mut_simd_f32s(self.out).0;
        let row_in = (self.width + 2) * vectors;
        for (y, out) in out.chunks_exact_mut(self.width * vectors).enumerate() {
            let rows: [&[S::f32s]; 3] = std::array::from_fn(|r| &x[(y + r) * row_in..][..row_in]);
            for v in 0..vectors {
                let weights: [S::f32s; 9] = std::array::from_fn(|tap| weights[tap * vectors + v]);
                for (column, out) in out[v..].iter_mut().step_by(vectors).enumerate() {
                    let mut sum = simd.splat_f32s(0.0);
                    for (row, weights) in rows.iter().zip(weights.as_chunks::<3>().0) {
                        for (k, &weight) in weights.iter().enumerate() {
                            sum = simd.mul_add_e_f32s(row[(column + k) * vectors + v], weight, sum);
                        }
                    }
                    *out = sum;
                }
            }
        }
    }
}

struct WeightGradient<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    sum: &'a mut [f32],
    width: usize,
    channels: usize,
}

impl VectorLoop for WeightGradient<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let vectors = self.channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.x).0;
        let dy = S::as_simd_f32s(self.dy).0;
        let sum = S::as_mut_simd_f32s(self.sum).0;
        let row_in = (self.width + 2) * vectors;
        for v in 0..vectors {
            let mut sums = [simd.splat_f32s(0.0); 9];
            for (y, dy) in dy.chunks_exact(self.width * vectors).enumerate() {
                let rows: [&[S::f32s]; 3] =
                    std::array::from_fn(|r| &x[(y + r) * row_in..][..row_in]);
                for (column, &dy) in dy[v..].iter().step_by(vectors).enumerate() {
                    for (row, sums) in rows.iter().zip(sums.as_chunks_mut::<3>().0) {
                        for (k, sum) in sums.iter_mut().enumerate() {
                            *sum = simd.mul_add_e_f32s(row[(column + k) * vectors + v], dy, *sum);
                        }
                    }
                }
            }
            for (tap, value) in sums.into_iter().enumerate() {
                let total = &mut sum[tap * vectors + v];
                *total = simd.add_f32s(*total, value);
            }
        }
    }
}
