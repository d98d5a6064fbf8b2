//! Depthwise convolution: each channel with a 3×3 kernel of its own.
//!
//! The three activations of a channel in one column of the kernel are a quad, whose fourth value is zero. Each column is
//! made once and serves all outputs that it meets.

use aligned_vec::{AVec, avec};

use super::dispatch::{VectorLayout, dispatch};
use super::simd::{IntegerKernel, IntegerSimd};
use super::{QUAD, SLACK};
use crate::Instructions;
use crate::kernels::TAPS;

/// Vectors of quads in a vector of bytes.
const VECTORS: usize = 4;

/// The weights of a depthwise convolution in the order in which the loops read them: `[block of channels, kernel column,
/// vector, lane, 4]`.
#[derive(Debug)]
pub(crate) struct PackedTaps {
    data: AVec<i8>,
    /// What each sum begins with, `[block, vector, lane]`.
    start: AVec<i32>,
    /// By which it is multiplied, likewise.
    multipliers: AVec<f32>,
    /// The first channel of each block.
    blocks: Vec<usize>,
    channels: usize,
    /// Neighbouring pixels in a vector, whose channels fill it.
    pixels: usize,
    /// Pixels from one output to the next, in both directions: 1 or 2.
    stride: usize,
    instructions: Instructions,
}

impl PackedTaps {
    /// Packs `[channels, 1, 3, 3]`. A sum begins with the bias, a whole number of products' units, less what the zero point
    /// of the input adds to it.
    pub(crate) fn new(
        instructions: Instructions,
        weights: &[i8],
        stride: usize,
        bias: &[i32],
        multipliers: &[f32],
        zero_point: u8,
    ) -> Self {
        let channels = weights.len() / TAPS;
        let layout = VectorLayout::of(instructions, Self::bytes(channels, stride));
        let block = VECTORS * layout.lanes;
        let is_shared = stride == 1 && block.is_multiple_of(channels);
        let pixels = if is_shared { block / channels } else { 1 };
        let blocks: Vec<usize> = (0..channels)
            .step_by(block)
            .map(|first| first.min(channels.saturating_sub(block)))
            .collect();
        let shift = i32::from(zero_point) - if layout.is_signed { 128 } else { 0 };
        let count = blocks.len() * block;
        let mut packed = Self {
            data: avec![0; count * 3 * QUAD],
            start: avec![0; count],
            multipliers: avec![0.0; count],
            blocks,
            channels,
            pixels,
            stride,
            instructions,
        };
        for (index, &first) in packed.blocks.iter().enumerate() {
            for (place, i) in (0..block).zip(index * block..) {
                let channel = (layout.channel)(place / layout.lanes, place % layout.lanes);
                // Lanes behind the last channel are those of the next pixel, or compute what that overwrites.
                let channel = (first + channel) % channels;
                let taps = &weights[channel * TAPS..][..TAPS];
                let sum: i32 = taps.iter().copied().map(i32::from).sum();
                packed.start[i] = bias[channel] - shift * sum;
                packed.multipliers[i] = multipliers[channel];
                for column in 0..3 {
                    let quad = (index * 3 + column) * block + place;
                    let rows = [taps[column], taps[6 + column], taps[3 + column], 0];
                    packed.data[quad * QUAD..][..QUAD].copy_from_slice(&rows);
                }
            }
        }
        packed
    }

    /// The widest vectors that one pixel fills, or several neighbours.
    fn bytes(channels: usize, stride: usize) -> usize {
        if stride == 1 && SLACK.is_multiple_of(channels) {
            SLACK
        } else {
            channels
        }
    }
}

/// A depthwise convolution without padding.
pub(crate) struct IntegerDepthwise<'a> {
    /// `[rows, row_in]` with its border, and [`SLACK`] behind it.
    pub(crate) x: &'a [u8],
    /// Values from one row of `x` to the next.
    pub(crate) row_in: usize,
    pub(crate) weights: &'a PackedTaps,
    /// Added to the products before they are rounded: the zero point of the output.
    pub(crate) offset: f32,
    /// `[rows, width, channels]`, and [`SLACK`] behind it.
    pub(crate) out: &'a mut [u8],
    pub(crate) width: usize,
}

impl IntegerDepthwise<'_> {
    pub(crate) fn run(self) {
        let PackedTaps {
            instructions,
            channels,
            stride,
            ..
        } = *self.weights;
        dispatch(instructions, PackedTaps::bytes(channels, stride), self);
    }
}

impl IntegerKernel for IntegerDepthwise<'_> {
    #[inline(always)]
    fn run<S: IntegerSimd>(mut self, simd: S) {
        match self.weights.stride {
            1 => self.rows::<S, 1>(simd),
            _ => self.rows::<S, 2>(simd),
        }
    }
}

impl IntegerDepthwise<'_> {
    #[inline(always)]
    fn rows<S: IntegerSimd, const STRIDE: usize>(&mut self, simd: S) {
        let row_out = self.width * self.weights.channels;
        let height = (self.out.len() - SLACK) / row_out;
        for y in 0..height {
            for block in 0..self.weights.blocks.len() {
                self.row::<S, STRIDE>(simd, y, block);
            }
        }
    }

    /// Computes a block of channels of a row.
    #[inline(always)]
    fn row<S: IntegerSimd, const STRIDE: usize>(&mut self, simd: S, y: usize, block: usize) {
        let PackedTaps {
            ref data,
            ref start,
            ref multipliers,
            ref blocks,
            channels,
            pixels,
            ..
        } = *self.weights;
        let size = VECTORS * S::LANES;
        let first = blocks[block];
        let mut taps = [[simd.weights(data); VECTORS]; 3];
        for (column, taps) in taps.iter_mut().enumerate() {
            let quads = &data[(block * 3 + column) * size * QUAD..][..size * QUAD];
            for (v, taps) in taps.iter_mut().enumerate() {
                *taps = simd.weights(&quads[v * S::LANES * QUAD..]);
            }
        }
        let start = &start[block * size..][..size];
        let mut begin = [simd.sums(start); VECTORS];
        for (v, begin) in begin.iter_mut().enumerate() {
            *begin = simd.sums(&start[v * S::LANES..]);
        }
        let finish = Finish {
            simd,
            multipliers: &multipliers[block * size..][..size],
            offset: simd.splat_float(self.offset),
        };
        let x = &self.x[y * STRIDE * self.row_in + first..];
        let out = &mut self.out[y * self.width * channels + first..];
        let rows = [x, &x[2 * self.row_in..], &x[self.row_in..]];
        let column = |index: usize| {
            let at = index * channels;
            let [top, bottom, middle] = rows;
            [&top[at..], &bottom[at..], &middle[at..]]
        };
        if pixels > 1 {
            for pixel in (0..self.width).step_by(pixels) {
                let mut sums = begin;
                for (k, &taps) in taps.iter().enumerate() {
                    sums = dot(simd, sums, quads(simd, column(pixel + k)), taps);
                }
                finish.store(sums, &mut out[pixel * channels..]);
            }
        } else if STRIDE == 1 {
            let quads = quads(simd, column(0));
            let mut second = dot(simd, begin, quads, taps[0]);
            let quads = self::quads(simd, column(1));
            let mut third = dot(simd, second, quads, taps[1]);
            second = dot(simd, begin, quads, taps[0]);
            for pixel in 0..self.width {
                let quads = self::quads(simd, column(pixel + 2));
                let done = dot(simd, third, quads, taps[2]);
                third = dot(simd, second, quads, taps[1]);
                second = dot(simd, begin, quads, taps[0]);
                finish.store(done, &mut out[pixel * channels..]);
            }
        } else {
            let mut first = dot(simd, begin, quads(simd, column(0)), taps[0]);
            for pixel in 0..self.width {
                let middle = quads(simd, column(2 * pixel + 1));
                let last = quads(simd, column(2 * pixel + 2));
                let done = dot(simd, dot(simd, first, middle, taps[1]), last, taps[2]);
                first = dot(simd, begin, last, taps[0]);
                finish.store(done, &mut out[pixel * channels..]);
            }
        }
    }
}

/// The quads of a column, of which the rows are given in the order of [`IntegerSimd::interleave`].
#[inline(always)]
fn quads<S: IntegerSimd>(simd: S, [top, bottom, middle]: [&[u8]; 3]) -> [S::Bytes; VECTORS] {
    simd.interleave([
        simd.activations(top),
        simd.activations(bottom),
        simd.activations(middle),
    ])
}

#[inline(always)]
fn dot<S: IntegerSimd>(
    simd: S,
    mut sums: [S::Sums; VECTORS],
    quads: [S::Bytes; VECTORS],
    taps: [S::Bytes; VECTORS],
) -> [S::Sums; VECTORS] {
    for v in 0..VECTORS {
        sums[v] = simd.dot(sums[v], quads[v], taps[v]);
    }
    sums
}

/// From sums to stored activations.
struct Finish<'a, S: IntegerSimd> {
    simd: S,
    multipliers: &'a [f32],
    offset: S::Floats,
}

impl<S: IntegerSimd> Finish<'_, S> {
    #[inline(always)]
    fn store(&self, sums: [S::Sums; VECTORS], out: &mut [u8]) {
        let simd = self.simd;
        let mut values = [self.offset; VECTORS];
        for (v, value) in values.iter_mut().enumerate() {
            let multiplier = simd.floats(&self.multipliers[v * S::LANES..]);
            let product = simd.mul(simd.to_floats(sums[v]), multiplier);
            *value = simd.add(product, self.offset);
        }
        simd.store_interleaved(values, out);
    }
}
