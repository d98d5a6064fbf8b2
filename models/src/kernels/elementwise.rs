//! Loops in which every value, or every channel, is treated alike.

use std::ops::Range;

use pulp::Simd;

use super::batch_norm::Affine;
use super::map::Map;
use super::vector_loop::{VectorLoop, run, run_on};
use crate::Instructions;

/// Stores a value after the addition and max(0, y) that follow it.
#[inline(always)]
pub(super) fn store<S: Simd>(
    simd: S,
    out: &mut S::f32s,
    value: S::f32s,
    add: Option<S::f32s>,
    relu: bool,
) {
    let sum = match add {
        Some(add) => simd.add_f32s(value, add),
        None => value,
    };
    *out = if relu {
        // In this order NaN stays NaN and is seen in the loss.
        simd.max_f32s(simd.splat_f32s(0.0), sum)
    } else {
        sum
    };
}

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

/// Sets `dy` to zero where `y`, the output of a ReLU, is zero.
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

/// The sum of two activations `[pixels, channels]`, each behind its norm if it has one.
pub(crate) struct Add<'a> {
    pub(crate) a: (&'a [f32], Option<Affine<'a>>),
    pub(crate) b: (&'a [f32], Option<Affine<'a>>),
    pub(crate) channels: usize,
    /// Whether max(0, y) follows.
    pub(crate) relu: bool,
    pub(crate) out: &'a mut [f32],
}

impl Add<'_> {
    pub(crate) fn run(self, instructions: Instructions) {
        run_on(instructions, self);
    }
}

impl VectorLoop for Add<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let vectors = self.channels / S::F32_LANES;
        let [a, b] = [self.a.0, self.b.0].map(|x| S::as_simd_f32s(x).0.chunks_exact(vectors));
        let out = S::as_mut_simd_f32s(self.out).0.chunks_exact_mut(vectors);
        for (out, (a, b)) in out.zip(a.zip(b)) {
            for (v, out) in out.iter_mut().enumerate() {
                let a = normed(simd, a[v], self.a.1.as_ref(), v);
                let b = normed(simd, b[v], self.b.1.as_ref(), v);
                store(simd, out, a, Some(b), self.relu);
            }
        }
    }
}

/// A value of the `vector`th vector of channels behind its norm.
#[inline(always)]
fn normed<S: Simd>(simd: S, x: S::f32s, norm: Option<&Affine<'_>>, vector: usize) -> S::f32s {
    let Some(&Affine { scale, shift, relu }) = norm else {
        return x;
    };
    let [scale, shift] = [scale, shift].map(|values| S::as_simd_f32s(values).0[vector]);
    let value = simd.mul_add_e_f32s(scale, x, shift);
    if relu {
        simd.max_f32s(simd.splat_f32s(0.0), value)
    } else {
        value
    }
}

/// `out = 1 / (1 + e⁻ˣ)`
pub(crate) fn sigmoid(x: &[f32], out: &mut [f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = 1.0 / (1.0 + (-x).exp());
    }
}

/// Each channel of an activation times its factor.
pub(crate) struct ScaleChannels<'a> {
    pub(crate) x: &'a [f32],
    /// `[C]`
    pub(crate) factors: &'a [f32],
    /// How `x` lies in memory; `out` lies likewise.
    pub(crate) map: Map,
    /// The rows to compute.
    pub(crate) rows: Range<usize>,
    /// Added to the result; laid out like `out`.
    pub(crate) add: Option<&'a [f32]>,
    /// Whether max(0, y) follows.
    pub(crate) relu: bool,
    /// From the border in front of the first of the rows on.
    pub(crate) out: &'a mut [f32],
}

impl ScaleChannels<'_> {
    pub(crate) fn run(self, instructions: Instructions) {
        run_on(instructions, self);
    }
}

impl VectorLoop for ScaleChannels<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.map.shape[2]
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [_, width, _] = self.map.shape;
        let factors = S::as_simd_f32s(self.factors).0;
        let x = S::as_simd_f32s(self.x).0;
        let add = self.add.map(|add| S::as_simd_f32s(add).0);
        let out = S::as_mut_simd_f32s(self.out).0;
        for (y, row) in self.rows.enumerate() {
            for column in 0..width {
                let from = self.map.at(column, row) / S::F32_LANES;
                let to = self.map.in_band(column, y) / S::F32_LANES;
                for (v, &factor) in factors.iter().enumerate() {
                    let add = add.map(|add| add[to + v]);
                    let scaled = simd.mul_f32s(x[from + v], factor);
                    store(simd, &mut out[to + v], scaled, add, self.relu);
                }
            }
        }
    }
}

/// `sum[c] += Σ a[pixel, c] · b[pixel, c]`
pub(crate) fn add_products(a: &[f32], b: &[f32], sum: &mut [f32]) {
    run(AddProducts { a, b, sum });
}

struct AddProducts<'a> {
    a: &'a [f32],
    b: &'a [f32],
    sum: &'a mut [f32],
}

impl VectorLoop for AddProducts<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.sum.len()
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [a, b] = [self.a, self.b].map(|values| S::as_simd_f32s(values).0);
        let sums = S::as_mut_simd_f32s(self.sum).0;
        let vectors = sums.len();
        for (v, total) in sums.iter_mut().enumerate() {
            let mut sum = simd.splat_f32s(0.0);
            let pixels = a[v..].iter().zip(&b[v..]).step_by(vectors);
            for (&a, &b) in pixels {
                sum = simd.mul_add_e_f32s(a, b, sum);
            }
            *total = simd.add_f32s(*total, sum);
        }
    }
}
