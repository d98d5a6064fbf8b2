//! Depthwise correlation: each channel with a 3×3 kernel of its own.

use pulp::Simd;

use super::vector_loop::{VectorLoop, run};

/// The number of weights of a channel.
pub(crate) const TAPS: usize = 9;

/// The shapes of one sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Depthwise {
    /// Width of the output.
    pub(crate) width: usize,
    pub(crate) channels: usize,
    /// Width of the input, its border included: at least `stride · (width - 1) + 3`.
    pub(crate) width_in: usize,
    /// Step between outputs.
    pub(crate) stride: usize,
}

impl Depthwise {
    /// `out[y, x, c] = Σ weights[r, k, c] · x[s·y + r, s·x + k, c]` with stride s.
    ///
    /// `x` is `[height_in, width_in, channels]` with its border, `weights` `[9, channels]`, `out` `[height, width,
    /// channels]`.
    pub(crate) fn correlate(self, x: &[f32], weights: &[f32], out: &mut [f32]) {
        run(Correlate {
            shape: self,
            x,
            weights,
            out,
        });
    }

    /// Adds `Σ x[s·y + r, s·x + k, c] · dy[y, x, c]` over the pixels of one sample to `sum`, shapes as in
    /// [`correlate`](Self::correlate).
    pub(crate) fn add_gradient(self, x: &[f32], dy: &[f32], sum: &mut [f32]) {
        run(AddGradient {
            shape: self,
            x,
            dy,
            sum,
        });
    }

    /// The three rows of `x` that meet output row `y`.
    #[inline(always)]
    fn rows<T>(self, x: &[T], y: usize, vectors: usize) -> [&[T]; 3] {
        let row = self.width_in * vectors;
        std::array::from_fn(|r| &x[(y * self.stride + r) * row..][..row])
    }
}

struct Correlate<'a> {
    shape: Depthwise,
    x: &'a [f32],
    weights: &'a [f32],
    out: &'a mut [f32],
}

impl VectorLoop for Correlate<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.shape.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Depthwise {
            width,
            channels,
            stride,
            ..
        } = self.shape;
        let vectors = channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.x).0;
        let weights = S::as_simd_f32s(self.weights).0;
        let out = S::as_mut_simd_f32s(self.out).0;
        for (y, out) in out.chunks_exact_mut(width * vectors).enumerate() {
            let rows = self.shape.rows(x, y, vectors);
            for v in 0..vectors {
                let weights: [S::f32s; TAPS] =
                    std::array::from_fn(|tap| weights[tap * vectors + v]);
                for (column, out) in out[v..].iter_mut().step_by(vectors).enumerate() {
                    let mut sum = simd.splat_f32s(0.0);
                    for (row, weights) in rows.iter().zip(weights.as_chunks::<3>().0) {
                        for (k, &weight) in weights.iter().enumerate() {
                            let x = row[(column * stride + k) * vectors + v];
                            sum = simd.mul_add_e_f32s(x, weight, sum);
                        }
                    }
                    *out = sum;
                }
            }
        }
    }
}

struct AddGradient<'a> {
    shape: Depthwise,
    x: &'a [f32],
    dy: &'a [f32],
    sum: &'a mut [f32],
}

impl VectorLoop for AddGradient<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.shape.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Depthwise {
            width,
            channels,
            stride,
            ..
        } = self.shape;
        let vectors = channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.x).0;
        let dy = S::as_simd_f32s(self.dy).0;
        let sum = S::as_mut_simd_f32s(self.sum).0;
        for v in 0..vectors {
            let mut sums = [simd.splat_f32s(0.0); TAPS];
            for (y, dy) in dy.chunks_exact(width * vectors).enumerate() {
                let rows = self.shape.rows(x, y, vectors);
                for (column, &dy) in dy[v..].iter().step_by(vectors).enumerate() {
                    for (row, sums) in rows.iter().zip(sums.as_chunks_mut::<3>().0) {
                        for (k, sum) in sums.iter_mut().enumerate() {
                            let x = row[(column * stride + k) * vectors + v];
                            *sum = simd.mul_add_e_f32s(x, dy, *sum);
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
