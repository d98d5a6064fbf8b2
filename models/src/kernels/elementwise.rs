//! Loops over all values of a sample.

use pulp::Simd;

use super::norm::Affine;
use super::vector_loop::{VectorLoop, run};

/// Adds `from` to `to`, value by value.
pub(crate) fn add_assign(to: &mut [f32], from: &[f32]) {
    // Choosing the instruction set takes longer than adding a few values.
    if to.len() < 64 {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from;
        }
    } else {
        run(AddAssign { to, from });
    }
}

struct AddAssign<'a> {
    to: &'a mut [f32],
    from: &'a [f32],
}

impl VectorLoop for AddAssign<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.to.len()
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let to = S::as_mut_simd_f32s(self.to).0;
        for (to, &from) in to.iter_mut().zip(S::as_simd_f32s(self.from).0) {
            *to = simd.add_f32s(*to, from);
        }
    }
}

/// Sets `dy` to zero where `y`, the output of a ReLU, is.
pub(crate) fn mask(y: &[f32], dy: &mut [f32]) {
    run(Mask { y, dy });
}

struct Mask<'a> {
    y: &'a [f32],
    dy: &'a mut [f32],
}

impl VectorLoop for Mask<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.dy.len()
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        let dy = S::as_mut_simd_f32s(self.dy).0;
        for (dy, &y) in dy.iter_mut().zip(S::as_simd_f32s(self.y).0) {
            *dy = simd.select_f32s(simd.greater_than_f32s(y, zero), *dy, zero);
        }
    }
}

/// `out = a + b`, each behind its norm if it has one, and max(0, out) with `relu`. All are `[pixels, channels]`.
pub(crate) fn add(
    (a, norm_a): (&[f32], Option<Affine<'_>>),
    (b, norm_b): (&[f32], Option<Affine<'_>>),
    channels: usize,
    relu: bool,
    out: &mut [f32],
) {
    match norm_a {
        Some(norm) => norm.apply(a, out),
        None => out.copy_from_slice(a),
    }
    run(AddTo {
        to: out,
        from: b,
        norm: norm_b,
        channels,
        relu,
    });
}

struct AddTo<'a> {
    to: &'a mut [f32],
    from: &'a [f32],
    norm: Option<Affine<'a>>,
    channels: usize,
    relu: bool,
}

impl VectorLoop for AddTo<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        let vectors = self.channels / S::F32_LANES;
        let to = S::as_mut_simd_f32s(self.to).0.chunks_exact_mut(vectors);
        let from = S::as_simd_f32s(self.from).0.chunks_exact(vectors);
        for (to, from) in to.zip(from) {
            for (v, (to, &from)) in to.iter_mut().zip(from).enumerate() {
                let mut value = from;
                if let Some(Affine { scale, shift, relu }) = &self.norm {
                    let (scale, shift) = (S::as_simd_f32s(scale).0, S::as_simd_f32s(shift).0);
                    value = simd.mul_add_e_f32s(scale[v], value, shift[v]);
                    if *relu {
                        value = simd.max_f32s(zero, value);
                    }
                }
                value = simd.add_f32s(*to, value);
                // In this order NaN stays NaN and is seen in the loss.
                *to = if self.relu {
                    simd.max_f32s(zero, value)
                } else {
                    value
                };
            }
        }
    }
}
