//! The loops of batch normalisation over one sample, `[pixels, channels]`.

use pulp::Simd;

use super::vector_loop::{VectorLoop, run};

/// Writes to `mean` and `squares` the mean of each channel, and the sum of its squared distances from it.
pub(crate) fn moments(sample: &[f32], mean: &mut [f32], squares: &mut [f32]) {
    run(Moments {
        sample,
        mean,
        squares,
    });
}

struct Moments<'a> {
    sample: &'a [f32],
    mean: &'a mut [f32],
    squares: &'a mut [f32],
}

impl VectorLoop for Moments<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.mean.len()
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let channels = self.mean.len();
        let vectors = channels / S::F32_LANES;
        let x = S::as_simd_f32s(self.sample).0;
        let inverse_count = simd.splat_f32s(channels as f32 / self.sample.len() as f32);
        let out = S::as_mut_simd_f32s(self.mean)
            .0
            .iter_mut()
            .zip(S::as_mut_simd_f32s(self.squares).0);
        for (v, (mean, squares)) in out.enumerate() {
            *mean = simd.mul_f32s(
                sum(simd, &x[v..], vectors, |sum, x| simd.add_f32s(sum, x)),
                inverse_count,
            );
            let centre = *mean;
            *squares = sum(simd, &x[v..], vectors, |sum, x| {
                let centred = simd.sub_f32s(x, centre);
                simd.mul_add_e_f32s(centred, centred, sum)
            });
        }
    }
}

/// Folds every `step`th vector into four sums, which hides the latency of the addition.
#[inline(always)]
fn sum<S: Simd>(
    simd: S,
    x: &[S::f32s],
    step: usize,
    add: impl Fn(S::f32s, S::f32s) -> S::f32s,
) -> S::f32s {
    let mut sums = [simd.splat_f32s(0.0); 4];
    for x in x.chunks(4 * step) {
        for (sum, &x) in sums.iter_mut().zip(x.iter().step_by(step)) {
            *sum = add(*sum, x);
        }
    }
    let [a, b, c, d] = sums;
    simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d))
}

/// `y = scale · x + shift` per channel, and max(0, y) with `relu`.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a> {
    pub(crate) scale: &'a [f32],
    pub(crate) shift: &'a [f32],
    pub(crate) relu: bool,
}

impl Affine<'_> {
    pub(crate) fn apply(&self, x: &[f32], y: &mut [f32]) {
        if self.relu {
            run(Apply::<true> { affine: self, x, y });
        } else {
            run(Apply::<false> { affine: self, x, y });
        }
    }
}

struct Apply<'a, const RELU: bool> {
    affine: &'a Affine<'a>,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl<const RELU: bool> VectorLoop for Apply<'_, RELU> {
    type Output = ();

    fn channels(&self) -> usize {
        self.affine.scale.len()
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [scale, shift] =
            [self.affine.scale, self.affine.shift].map(|values| S::as_simd_f32s(values).0);
        let vectors = scale.len();
        let zero = simd.splat_f32s(0.0);
        let y = S::as_mut_simd_f32s(self.y).0.chunks_exact_mut(vectors);
        for (y, x) in y.zip(S::as_simd_f32s(self.x).0.chunks_exact(vectors)) {
            for (((y, &x), &scale), &shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
                let value = simd.mul_add_e_f32s(scale, x, shift);
                // In this order NaN stays NaN and is seen in the loss.
                *y = if RELU {
                    simd.max_f32s(zero, value)
                } else {
                    value
                };
            }
        }
    }
}

/// The backward pass of [`Affine`] behind a normalisation by `mean`. g is `dy` behind the activation.
pub(crate) struct AffineGradient<'a> {
    pub(crate) affine: Affine<'a>,
    pub(crate) mean: &'a [f32],
}

impl AffineGradient<'_> {
    /// Adds Σ g to `plain` and Σ g · (x − mean) to `centred`.
    pub(crate) fn add_sums(&self, x: &[f32], dy: &[f32], plain: &mut [f32], centred: &mut [f32]) {
        if self.affine.relu {
            run(AddSums::<true> {
                gradient: self,
                x,
                dy,
                plain,
                centred,
            });
        } else {
            run(AddSums::<false> {
                gradient: self,
                x,
                dy,
                plain,
                centred,
            });
        }
    }

    /// `dx = scale · (g − mean_g − (x − mean) · slope)`
    pub(crate) fn input(
        &self,
        x: &[f32],
        dy: &[f32],
        mean_g: &[f32],
        slope: &[f32],
        dx: &mut [f32],
    ) {
        if self.affine.relu {
            run(InputGradient::<true> {
                gradient: self,
                x,
                dy,
                mean_g,
                slope,
                dx,
            });
        } else {
            run(InputGradient::<false> {
                gradient: self,
                x,
                dy,
                mean_g,
                slope,
                dx,
            });
        }
    }
}

/// `dy` where `scale · x + shift` was positive; the derivative of ReLU at 0 is 0.
#[inline(always)]
fn gate<S: Simd, const RELU: bool>(
    simd: S,
    x: S::f32s,
    scale: S::f32s,
    shift: S::f32s,
    dy: S::f32s,
) -> S::f32s {
    if !RELU {
        return dy;
    }
    let zero = simd.splat_f32s(0.0);
    let value = simd.mul_add_e_f32s(scale, x, shift);
    simd.select_f32s(simd.greater_than_f32s(value, zero), dy, zero)
}

struct AddSums<'a, const RELU: bool> {
    gradient: &'a AffineGradient<'a>,
    x: &'a [f32],
    dy: &'a [f32],
    plain: &'a mut [f32],
    centred: &'a mut [f32],
}

impl<const RELU: bool> VectorLoop for AddSums<'_, RELU> {
    type Output = ();

    fn channels(&self) -> usize {
        self.gradient.mean.len()
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let AffineGradient { affine, mean } = self.gradient;
        let [x, dy, mean, scale, shift] = [self.x, self.dy, mean, affine.scale, affine.shift]
            .map(|values| S::as_simd_f32s(values).0);
        let vectors = mean.len();
        let plain = S::as_mut_simd_f32s(self.plain).0;
        let centred = S::as_mut_simd_f32s(self.centred).0;
        for v in 0..vectors {
            let mut sums = [simd.splat_f32s(0.0); 2];
            for (&x, &dy) in x[v..]
                .iter()
                .step_by(vectors)
                .zip(dy[v..].iter().step_by(vectors))
            {
                let g = gate::<S, RELU>(simd, x, scale[v], shift[v], dy);
                sums[0] = simd.add_f32s(sums[0], g);
                sums[1] = simd.mul_add_e_f32s(g, simd.sub_f32s(x, mean[v]), sums[1]);
            }
            plain[v] = simd.add_f32s(plain[v], sums[0]);
            centred[v] = simd.add_f32s(centred[v], sums[1]);
        }
    }
}

struct InputGradient<'a, const RELU: bool> {
    gradient: &'a AffineGradient<'a>,
    x: &'a [f32],
    dy: &'a [f32],
    mean_g: &'a [f32],
    slope: &'a [f32],
    dx: &'a mut [f32],
}

impl<const RELU: bool> VectorLoop for InputGradient<'_, RELU> {
    type Output = ();

    fn channels(&self) -> usize {
        self.gradient.mean.len()
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let AffineGradient { affine, mean } = self.gradient;
        let [mean, scale, shift, mean_g, slope] =
            [mean, affine.scale, affine.shift, self.mean_g, self.slope]
                .map(|values| S::as_simd_f32s(values).0);
        let vectors = mean.len();
        let [x, dy] =
            [self.x, self.dy].map(|values| S::as_simd_f32s(values).0.chunks_exact(vectors));
        let dx = S::as_mut_simd_f32s(self.dx).0.chunks_exact_mut(vectors);
        for (dx, (x, dy)) in dx.zip(x.zip(dy)) {
            for v in 0..vectors {
                let g = gate::<S, RELU>(simd, x[v], scale[v], shift[v], dy[v]);
                let projected = simd.mul_f32s(simd.sub_f32s(x[v], mean[v]), slope[v]);
                let rest = simd.sub_f32s(simd.sub_f32s(g, mean_g[v]), projected);
                dx[v] = simd.mul_f32s(scale[v], rest);
            }
        }
    }
}
