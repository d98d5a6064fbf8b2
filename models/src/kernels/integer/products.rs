//! Convolutions with a dense kernel, 1×1 or larger.
//!
//! As in [`Correlation`](crate::kernels::Correlation), a kernel row of `k` taps over `C` channels meets `k·C` neighbouring
//! activations, and the sums of some pixels × some vectors of output channels stay in registers.

use aligned_vec::{AVec, avec};

use super::dispatch::{VectorLayout, dispatch};
use super::simd::{IntegerKernel, IntegerSimd};
use super::{QUAD, Requantization};
use crate::Instructions;

/// The weights of a convolution in the order in which the loops read them: `[kernel row, quad of inputs, output channel,
/// 4]`.
#[derive(Debug)]
pub(crate) struct PackedQuads {
    data: AVec<i8>,
    /// What each sum begins with.
    start: AVec<i32>,
    /// [`Requantization`]
    multipliers: AVec<f32>,
    rows: usize,
    /// Quads in a kernel row.
    run: usize,
    channels_in: usize,
    channels_out: usize,
    instructions: Instructions,
}

impl PackedQuads {
    /// Whether convolutions from and to so many channels can be packed.
    pub(crate) fn fits([channels_out, channels_in]: [usize; 2]) -> bool {
        channels_in.is_multiple_of(QUAD) && channels_out.is_multiple_of(8)
    }

    /// Packs `[out, in, taps, taps]`. A sum begins with the bias, a whole number of products' units, less what the zero
    /// point of the input adds to it.
    pub(crate) fn new(
        instructions: Instructions,
        weights: &[i8],
        [channels_out, channels_in]: [usize; 2],
        taps: usize,
        bias: &[i32],
        multipliers: &[f32],
        zero_point: u8,
    ) -> Self {
        assert!(
            Self::fits([channels_out, channels_in]),
            "{channels_in} channels in and {channels_out} out"
        );
        let layout = VectorLayout::of(instructions, Self::bytes(channels_out));
        let area = taps * taps;
        let run = taps * channels_in / QUAD;
        let mut data = avec![0; taps * run * channels_out * QUAD];
        for (index, quad) in data.chunks_exact_mut(QUAD).enumerate() {
            let (place, o) = (index / channels_out, index % channels_out);
            let (row, place) = (place / run, place % run);
            for (i, weight) in quad.iter_mut().enumerate() {
                let input = place * QUAD + i;
                let (column, c) = (input / channels_in, input % channels_in);
                *weight = weights[(o * channels_in + c) * area + row * taps + column];
            }
        }
        // Read with a sign, activations are 128 less than they are.
        let shift = i32::from(zero_point) - if layout.is_signed { 128 } else { 0 };
        let filters = weights.chunks_exact(channels_in * area);
        let start = filters.zip(bias).map(|(filter, bias)| {
            let sum: i32 = filter.iter().copied().map(i32::from).sum();
            bias - shift * sum
        });
        Self {
            data,
            start: AVec::from_iter(0, start),
            multipliers: AVec::from_slice(0, multipliers),
            rows: taps,
            run,
            channels_in,
            channels_out,
            instructions,
        }
    }

    /// The widest vectors whose sums the output channels fill.
    fn bytes(channels_out: usize) -> usize {
        if channels_out.is_multiple_of(16) {
            64
        } else {
            32
        }
    }
}

/// A convolution without padding, and what is done to its result before it is stored.
pub(crate) struct IntegerProducts<'a> {
    /// `[rows, row_in]`, the first value being that which meets the first weight.
    pub(crate) x: &'a [u8],
    /// Values from one row of `x` to the next.
    pub(crate) row_in: usize,
    /// Pixels of `x` from one output to the next, in both directions.
    pub(crate) stride: usize,
    pub(crate) weights: &'a PackedQuads,
    pub(crate) requantization: Requantization<'a>,
    /// `[rows, row_out]`; the first `width_out · channels_out` values of each row are written.
    pub(crate) out: &'a mut [u8],
    /// Values from one row of `out` to the next.
    pub(crate) row_out: usize,
    pub(crate) width_out: usize,
}

impl IntegerProducts<'_> {
    pub(crate) fn run(self) {
        let PackedQuads {
            instructions,
            channels_out,
            ..
        } = *self.weights;
        dispatch(instructions, PackedQuads::bytes(channels_out), self);
    }
}

/// Outputs that are computed one after the other.
#[derive(Clone, Copy)]
struct Line {
    /// Where the inputs of the first begin.
    x: usize,
    /// The row of the first.
    y: usize,
    outputs: usize,
}

impl IntegerKernel for IntegerProducts<'_> {
    #[inline(always)]
    fn run<S: IntegerSimd>(mut self, simd: S) {
        let weights = self.weights;
        let height = self.out.len().div_ceil(self.row_out);
        let vectors = weights.channels_out / S::LANES;
        let is_joined = weights.rows == 1
            && self.stride == 1
            && self.row_in == self.width_out * weights.channels_in;
        // Rows that join each other are one.
        let (lines, outputs) = if is_joined {
            (1, height * self.width_out)
        } else {
            (height, self.width_out)
        };
        let widest = if S::REGISTERS >= 32 { 4 } else { 2 };
        // The weights of some vectors stay in the innermost cache while all rows meet them.
        for vector in (0..vectors).step_by(widest) {
            for y in 0..lines {
                let line = Line {
                    x: y * self.stride * self.row_in,
                    y,
                    outputs,
                };
                self.line(simd, line, vector, widest.min(vectors - vector));
            }
        }
    }
}

impl IntegerProducts<'_> {
    /// Computes `count` vectors of output channels in tiles whose sums, with their operands, fill the registers.
    #[inline(always)]
    fn line<S: IntegerSimd>(&mut self, simd: S, line: Line, vector: usize, count: usize) {
        let many = S::REGISTERS >= 32;
        match (count, line.outputs) {
            (4, 6..) => self.tiles::<S, 6, 4>(simd, line, vector),
            (4, 3..) => self.tiles::<S, 3, 4>(simd, line, vector),
            (4, _) => self.tiles::<S, 1, 4>(simd, line, vector),
            (3, 8..) => self.tiles::<S, 8, 3>(simd, line, vector),
            (3, 3..) => self.tiles::<S, 3, 3>(simd, line, vector),
            (3, _) => self.tiles::<S, 1, 3>(simd, line, vector),
            (2, 11..) if many => self.tiles::<S, 11, 2>(simd, line, vector),
            (2, 6..) => self.tiles::<S, 6, 2>(simd, line, vector),
            (2, 3..) => self.tiles::<S, 3, 2>(simd, line, vector),
            (2, _) => self.tiles::<S, 1, 2>(simd, line, vector),
            (_, 11..) => self.tiles::<S, 11, 1>(simd, line, vector),
            (_, 3..) => self.tiles::<S, 3, 1>(simd, line, vector),
            (_, _) => self.tiles::<S, 1, 1>(simd, line, vector),
        }
    }

    /// Computes `VECTORS` vectors of output channels, `PIXELS` outputs at a time. The last ones are computed twice where
    /// they do not fill a tile.
    #[inline(always)]
    fn tiles<S: IntegerSimd, const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        line: Line,
        vector: usize,
    ) {
        let step = self.stride * self.weights.channels_in;
        let mut pixel = 0;
        loop {
            let sums = self.sum::<S, PIXELS, VECTORS>(simd, line.x + pixel * step, step, vector);
            self.store(simd, line.y * self.width_out + pixel, vector, sums);
            pixel += PIXELS;
            if pixel >= line.outputs {
                break;
            }
            pixel = pixel.min(line.outputs - PIXELS);
        }
    }

    #[inline(always)]
    fn sum<S: IntegerSimd, const PIXELS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        first: usize,
        step: usize,
        vector: usize,
    ) -> [[S::Sums; VECTORS]; PIXELS] {
        let PackedQuads {
            ref data,
            ref start,
            rows,
            run,
            channels_out,
            ..
        } = *self.weights;
        let mut begin = [simd.sums(&start[vector * S::LANES..]); VECTORS];
        for (v, begin) in begin.iter_mut().enumerate() {
            *begin = simd.sums(&start[(vector + v) * S::LANES..]);
        }
        let mut sums = [begin; PIXELS];
        for row in 0..rows {
            let x = &self.x[first + row * self.row_in..];
            let mut xs = [&x.as_chunks::<QUAD>().0[..0]; PIXELS];
            for (p, xs) in xs.iter_mut().enumerate() {
                *xs = &x[p * step..].as_chunks().0[..run];
            }
            let weights = &data[row * run * channels_out * QUAD..];
            for quad in 0..run {
                let weights = &weights[(quad * channels_out + vector * S::LANES) * QUAD..];
                let weights = &weights[..VECTORS * S::LANES * QUAD];
                let mut here = [simd.weights(weights); VECTORS];
                for (v, here) in here.iter_mut().enumerate() {
                    *here = simd.weights(&weights[v * S::LANES * QUAD..]);
                }
                for (sums, x) in sums.iter_mut().zip(&xs) {
                    let x = simd.splat_quad(x[quad]);
                    for (sum, &weights) in sums.iter_mut().zip(&here) {
                        *sum = simd.dot(*sum, x, weights);
                    }
                }
            }
        }
        sums
    }

    /// Stores a tile whose first output is that of this number.
    #[inline(always)]
    fn store<S: IntegerSimd, const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        first: usize,
        vector: usize,
        sums: [[S::Sums; VECTORS]; PIXELS],
    ) {
        let Requantization {
            add,
            add_multiplier,
            offset,
        } = self.requantization;
        let channels = self.weights.channels_out;
        let multipliers = &self.weights.multipliers[vector * S::LANES..][..VECTORS * S::LANES];
        let offset = simd.splat_float(offset);
        let add_multiplier = simd.splat_float(add_multiplier);
        let (mut y, mut x) = (first / self.width_out, first % self.width_out);
        for sums in sums {
            let place = y * self.row_out + x * channels + vector * S::LANES;
            let place = place..place + VECTORS * S::LANES;
            let add = add.map(|add| &add[place.clone()]);
            let out = &mut self.out[place];
            for (v, sum) in sums.into_iter().enumerate() {
                let lanes = v * S::LANES;
                let multiplier = simd.floats(&multipliers[lanes..]);
                let mut value = simd.mul(simd.to_floats(sum), multiplier);
                if let Some(add) = add {
                    let added = simd.bytes_to_floats(&add[lanes..]);
                    value = simd.add(value, simd.mul(added, add_multiplier));
                }
                simd.store(simd.add(value, offset), &mut out[lanes..]);
            }
            x += 1;
            if x == self.width_out {
                (y, x) = (y + 1, 0);
            }
        }
    }
}
