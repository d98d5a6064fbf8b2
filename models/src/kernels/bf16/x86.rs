//! AVX-512 with BF16.

use std::arch::x86_64::*;
use std::mem::transmute;

use aligned_vec::AVec;

use super::{Products, pair};
use crate::kernels::packed_weights::PackedWeights;
use crate::precision::Precision;

/// Floats in a vector.
const LANES: usize = 16;

/// Weights as the loops read them: `[kernel row, pair of inputs, output channel]`. Where there are any, the machine has
/// the instructions.
#[derive(Debug)]
pub(crate) struct PairedWeights {
    data: AVec<u32>,
    rows: usize,
    /// Pairs of inputs in a kernel row.
    run: usize,
    /// Pairs from one output to the next.
    step: usize,
    channels_out: usize,
}

impl PairedWeights {
    /// The same weights in pairs; none where they do not fill vectors, have a shape that no loop is compiled for, or the
    /// machine has not the instructions.
    pub(crate) fn new(weights: &PackedWeights) -> Option<Self> {
        let (inputs, step_in) = weights.run();
        let channels_out = weights.padded_out();
        let (run, step) = (inputs / 2, step_in / 2);
        let is_whole = inputs.is_multiple_of(2)
            && step_in.is_multiple_of(2)
            && channels_out.is_multiple_of(LANES)
            && channels_out == weights.channels_out;
        if !is_whole || !is_compiled(run, step) || !Precision::Bf16.is_available() {
            return None;
        }
        let pairs = weights.data().chunks_exact(2 * channels_out);
        let pairs = pairs.flat_map(|inputs| {
            let (low, high) = inputs.split_at(channels_out);
            low.iter().zip(high).map(|(&low, &high)| pair(low, high))
        });
        Some(Self {
            data: AVec::from_iter(0, pairs),
            rows: weights.taps(),
            run,
            step,
            channels_out,
        })
    }

    /// Rounds values to pairs, half as many. A last one without a partner is left out.
    pub(crate) fn round(&self, values: &[f32], pairs: &mut [u32]) {
        let (whole, rest) = values.as_chunks();
        let (vectors, last) = pairs[..values.len() / 2].as_chunks_mut();
        // SAFETY: the machine has the instructions, for there are weights.
        unsafe { round(whole, vectors) };
        for (to, [low, high]) in last.iter_mut().zip(rest.as_chunks().0) {
            *to = pair(*low, *high);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn round(values: &[[f32; LANES]], pairs: &mut [[u32; LANES / 2]]) {
    for (values, pairs) in values.iter().zip(pairs) {
        let rounded = _mm512_cvtneps_pbh(floats(values));
        // SAFETY: both are 32 bytes that may have any value.
        *pairs = unsafe { transmute::<__m256bh, [u32; LANES / 2]>(rounded) };
    }
}

pub(crate) fn multiply(products: Products<'_>) {
    // SAFETY: the machine has the instructions, for there are weights.
    unsafe { compiled(products) }
}

macro_rules! compile {
    ($([$run:literal, $step:literal]),*) => {
        fn is_compiled(run: usize, step: usize) -> bool {
            [$(($run, $step)),*].contains(&(run, step))
        }

        /// With runs and steps that are known, the places of a tile's inputs are constants.
        #[target_feature(enable = "avx512f,avx512bf16")]
        fn compiled(products: Products<'_>) {
            let PairedWeights { run, step, .. } = *products.weights;
            match (run, step) {
                $(($run, $step) => Loops::<$run, $step>(products).run(),)*
                _ => unreachable!("no weights are made for {run} pairs, {step} apart"),
            }
        }
    };
}

// The pointwise convolutions of the networks, and pairs of pixels with 3×3 taps of 8 channels. Of 8 channels alone there are
// too few products to make up for the rounding.
compile!(
    [8, 8],
    [16, 16],
    [24, 24],
    [32, 32],
    [64, 64],
    [128, 128],
    [16, 8]
);

struct Loops<'a, const RUN: usize, const STEP: usize>(Products<'a>);

/// Outputs that are computed one after the other.
#[derive(Clone, Copy)]
struct Line {
    /// Where the inputs of the first begin.
    x: usize,
    /// The row of the first.
    y: usize,
    outputs: usize,
}

impl<const RUN: usize, const STEP: usize> Loops<'_, RUN, STEP> {
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn run(mut self) {
        let Products {
            row_in,
            row_out,
            width,
            weights,
            ..
        } = self.0;
        let height = self.0.out.len().div_ceil(row_out);
        let vectors = weights.channels_out / LANES;
        // Rows that join each other are one.
        let (lines, outputs) = if RUN == STEP && row_in == width * STEP {
            (1, height * width)
        } else {
            (height, width)
        };
        // The weights of some vectors stay in the innermost cache while all rows meet them.
        for vector in (0..vectors).step_by(4) {
            for y in 0..lines {
                let line = Line {
                    x: y * row_in,
                    y,
                    outputs,
                };
                match (vectors - vector, outputs) {
                    (4.., 6..) => self.tiles::<6, 4>(line, vector),
                    (4.., _) => self.tiles::<1, 4>(line, vector),
                    (3, 8..) => self.tiles::<8, 3>(line, vector),
                    (3, _) => self.tiles::<1, 3>(line, vector),
                    (2, 11..) => self.tiles::<11, 2>(line, vector),
                    (2, _) => self.tiles::<1, 2>(line, vector),
                    (_, 22..) => self.tiles::<22, 1>(line, vector),
                    (_, 6..) => self.tiles::<6, 1>(line, vector),
                    (_, _) => self.tiles::<1, 1>(line, vector),
                }
            }
        }
    }

    /// Computes `VECTORS` vectors of output channels, `PIXELS` outputs at a time. The last ones are computed twice where
    /// they do not fill a tile.
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn tiles<const PIXELS: usize, const VECTORS: usize>(&mut self, line: Line, vector: usize) {
        let mut pixel = 0;
        loop {
            let sums = self.sums::<PIXELS, VECTORS>(line.x + pixel * STEP, vector);
            self.store(line.y * self.0.width + pixel, vector, sums);
            pixel += PIXELS;
            if pixel >= line.outputs {
                break;
            }
            pixel = pixel.min(line.outputs - PIXELS);
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn sums<const PIXELS: usize, const VECTORS: usize>(
        &self,
        first: usize,
        vector: usize,
    ) -> [[__m512; VECTORS]; PIXELS] {
        let Products {
            x,
            row_in,
            weights,
            bias,
            ..
        } = self.0;
        let vectors = weights.channels_out / LANES;
        let mut start = [_mm512_setzero_ps(); VECTORS];
        for (start, bias) in start.iter_mut().zip(&bias.as_chunks().0[vector..]) {
            *start = floats(bias);
        }
        let mut sums = [start; PIXELS];
        let mut here = &weights.data.as_chunks::<LANES>().0[vector..];
        for row in 0..weights.rows {
            let x = &x[first + row * row_in..][..(PIXELS - 1) * STEP + RUN];
            for i in 0..RUN {
                let weights = &here[i * vectors..][..VECTORS];
                for (p, sums) in sums.iter_mut().enumerate() {
                    let x = bf16s(&[x[p * STEP + i]; LANES]);
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = _mm512_dpbf16_ps(*sum, x, bf16s(weights));
                    }
                }
            }
            here = here.get(RUN * vectors..).unwrap_or_default();
        }
        sums
    }

    /// Stores a tile whose first output is that of this number.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn store<const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        first: usize,
        vector: usize,
        sums: [[__m512; VECTORS]; PIXELS],
    ) {
        let Products {
            row_out,
            width,
            relu,
            ..
        } = self.0;
        let channels = self.0.weights.channels_out;
        let (mut y, mut x) = (first / width, first % width);
        for sums in sums {
            let place = y * row_out + x * channels + vector * LANES;
            let place = place..place + VECTORS * LANES;
            let add = self.0.add.map(|add| add[place.clone()].as_chunks().0);
            let out = self.0.out[place].as_chunks_mut().0;
            for (v, mut sum) in sums.into_iter().enumerate() {
                if let Some(add) = add {
                    sum = _mm512_add_ps(sum, floats(&add[v]));
                }
                if relu {
                    // In this order NaN stays NaN.
                    sum = _mm512_max_ps(_mm512_setzero_ps(), sum);
                }
                // SAFETY: both are 64 bytes that may have any value.
                out[v] = unsafe { transmute::<__m512, [f32; LANES]>(sum) };
            }
            x += 1;
            if x == width {
                (y, x) = (y + 1, 0);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn floats(values: &[f32; LANES]) -> __m512 {
    // SAFETY: both are 64 bytes that may have any value.
    unsafe { transmute::<[f32; LANES], __m512>(*values) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn bf16s(pairs: &[u32; LANES]) -> __m512bh {
    // SAFETY: both are 64 bytes that may have any value.
    unsafe { transmute::<[u32; LANES], __m512bh>(*pairs) }
}
