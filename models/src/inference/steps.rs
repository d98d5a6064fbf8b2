//! What is computed, one face at a time.

use std::ops::Range;

use aligned_vec::AVec;
use rayon::prelude::*;

use super::{Buffers, Scratch};
use crate::Instructions;
use crate::graph::folding::Kernel;
use crate::kernels::bf16::{PairedWeights, Products};
use crate::kernels::map::Map;
use crate::kernels::maps::{Add, Pool, Upsample, sums};
use crate::kernels::{Correlation, Depthwise, PackedWeights};

/// The values of an output from which its rows are shared between threads: fewer are done before another thread wakes up.
const LARGE: usize = 16_384;

/// A layer in its place.
#[derive(Debug)]
pub(super) struct Step {
    /// That of the node whose output it stores.
    pub(super) name: String,
    /// Multiplications of a weight with an activation.
    pub(super) multiply_adds: u64,
    pub(super) work: Work,
    pub(super) input: Map,
    /// The slot that it reads.
    pub(super) from: usize,
    /// The slot that is added.
    pub(super) add: Option<usize>,
    /// Whether max(0, y) ends it.
    pub(super) relu: bool,
    pub(super) output: Map,
    /// The slot that it writes.
    pub(super) to: usize,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Work {
    Dense(Dense),
    Separable(Separable),
    MaxPool,
    Upsample,
    Average,
    Head(Head),
    /// Nothing but the addition.
    Add,
}

/// A dense convolution.
#[derive(Debug)]
pub(super) struct Dense {
    pub(super) weights: PackedWeights,
    /// The same for bfloat16, where that is to be used.
    pub(super) pairs: Option<PairedWeights>,
    pub(super) bias: Vec<f32>,
    pub(super) stride: usize,
    /// Zeros in front of a row.
    pub(super) before: usize,
}

/// A separable convolution.
#[derive(Debug)]
pub(super) struct Separable {
    /// `[9, C]`.
    pub(super) taps: AVec<f32>,
    pub(super) stride: usize,
    /// Rows that pass through the first half before the second takes them.
    pub(super) rows: usize,
    pub(super) pointwise: Dense,
}

/// A convolution, padded to keep the size, and the mean of its output.
///
/// Every weight meets each pixel of a window that is the input, or the input without its first or last row or column.
/// So the windows are summed, and the weights meet the sums.
#[derive(Debug)]
pub(super) struct Head {
    /// Of a 1×1 convolution whose inputs are the windows' sums.
    dense: Dense,
    /// Width and height of the kernel.
    taps: usize,
}

impl Head {
    /// From weights `[out, in, taps, taps]`.
    pub(super) fn new(
        kernel: &Kernel,
        taps: usize,
        [channels, channels_in]: [usize; 2],
        instructions: Instructions,
    ) -> Self {
        let area = taps * taps;
        let windows = area * channels_in;
        // `[out, window, in]`
        let by_window: Vec<f32> = (0..channels * windows)
            .map(|i| {
                let (o, window, c) = (i / windows, i / channels_in % area, i % channels_in);
                kernel.weight[(o * channels_in + c) * area + window]
            })
            .collect();
        let weights = PackedWeights::new(instructions, &by_window, [channels, windows], 1);
        let dense = Dense {
            bias: weights.pad_bias(&kernel.bias),
            weights,
            pairs: None,
            stride: 1,
            before: 0,
        };
        Self { dense, taps }
    }
}

impl Step {
    /// The values of scratch that it needs.
    pub(super) fn scratch(&self) -> usize {
        let Map([_, _, channels]) = self.input;
        let Map([_, width, _]) = self.output;
        match &self.work {
            Work::Separable(separable) => separable.rows * width * channels,
            Work::Head(Head { taps, .. }) => taps * taps * channels,
            Work::Dense(_) | Work::MaxPool | Work::Upsample | Work::Average | Work::Add => 0,
        }
    }

    /// The pairs of bfloat16 that it needs.
    pub(super) fn pairs(&self) -> usize {
        match &self.work {
            Work::Dense(Dense { pairs: Some(_), .. }) => self.input.len().div_ceil(2),
            Work::Separable(Separable {
                pointwise: Dense { pairs: Some(_), .. },
                ..
            }) => self.scratch().div_ceil(2),
            _ => 0,
        }
    }

    /// Computes the layer, on as many threads as there is scratch memory for.
    pub(super) fn run(&self, instructions: Instructions, buffers: &mut Buffers) {
        let Buffers { slots, scratch } = buffers;
        // The slot is another than those that are read; it is put back below.
        let mut out = std::mem::replace(&mut slots[self.to], AVec::new(0));
        let Map([height, ..]) = self.output;
        let threads = if self.is_divisible() {
            scratch.len()
        } else {
            1
        };
        let rows = height.div_ceil(threads);
        let slots_read = &slots[..];
        let run = |index: usize, out: &mut [f32], scratch: &mut Scratch| {
            let first = index * rows;
            let band = Band {
                rows: first..height.min(first + rows),
                out,
            };
            self.run_band(instructions, slots_read, band, scratch);
        };
        let below = &mut out[self.output.padded(0, 1)..];
        if threads == 1 {
            run(0, below, &mut scratch[0]);
        } else {
            let bands = below.par_chunks_mut(rows * self.output.stride());
            // Below the last band lies a border that may fall into a piece of its own.
            let bands = bands.take(height.div_ceil(rows)).zip(&mut scratch[..]);
            bands
                .enumerate()
                .for_each(|(index, (out, scratch))| run(index, out, scratch));
        }
        slots[self.to] = out;
    }

    /// Whether its rows can be computed apart from each other, and are enough for several threads.
    fn is_divisible(&self) -> bool {
        let is_large = self.output.size() >= LARGE;
        is_large
            && matches!(
                self.work,
                Work::Dense(_) | Work::Separable(_) | Work::Upsample
            )
    }

    /// Computes a band of rows; a layer that is not divisible is one band.
    fn run_band(
        &self,
        instructions: Instructions,
        slots: &[AVec<f32>],
        band: Band<'_>,
        Scratch { values, pairs }: &mut Scratch,
    ) {
        let x = &slots[self.from];
        let add = self.add.map(|slot| &slots[slot][..]);
        match &self.work {
            Work::Dense(dense) => self.dense(dense, x, add, band, pairs),
            Work::Separable(separable) => {
                let between = (&mut values[..], &mut pairs[..]);
                self.separable(instructions, separable, x, add, band, between);
            }
            Work::MaxPool => Pool {
                x,
                input: self.input,
                add: add.map(|add| &add[self.output.padded(0, 1)..]),
                relu: self.relu,
                out: band.out,
                output: self.output,
            }
            .run(instructions),
            Work::Upsample => Upsample {
                x,
                input: self.input,
                rows: band.rows.clone(),
                add: add.map(|add| &add[self.output.padded(0, band.rows.start + 1)..]),
                relu: self.relu,
                out: band.out,
                output: self.output,
            }
            .run(instructions),
            Work::Average => {
                let whole = self.output.in_band(1);
                sums(instructions, x, self.input, 0, &mut band.out[whole]);
            }
            Work::Head(Head { dense, taps }) => {
                let Map([.., channels]) = self.input;
                let windows = &mut values[..taps * taps * channels];
                sums(instructions, x, self.input, taps / 2, windows);
                self.pointwise(dense, windows, add, band, pairs);
            }
            Work::Add => {
                if let Some(add) = add {
                    let below = self.output.padded(0, 1);
                    Add {
                        a: &x[below..],
                        b: &add[below..],
                        relu: self.relu,
                        out: band.out,
                    }
                    .run(instructions);
                }
            }
        }
    }

    fn dense(
        &self,
        dense: &Dense,
        x: &[f32],
        add: Option<&[f32]>,
        band: Band<'_>,
        pairs: &mut [u32],
    ) {
        let first = 1 - dense.before;
        let begin = dense.stride * band.rows.start + first;
        let end = dense.stride * (band.rows.end - 1) + first + dense.weights.taps();
        let input = Input {
            values: &x[self.input.padded(0, begin)..self.input.padded(0, end)],
            first: self.input.padded(first, 0),
            row: self.input.stride(),
        };
        self.convolve(dense, input, add, band, pairs);
    }

    fn separable(
        &self,
        instructions: Instructions,
        separable: &Separable,
        x: &[f32],
        add: Option<&[f32]>,
        band: Band<'_>,
        (scratch, pairs): (&mut [f32], &mut [u32]),
    ) {
        let Map([_, width_in, channels]) = self.input;
        let Map([_, width, _]) = self.output;
        let depthwise = Depthwise {
            width,
            channels,
            width_in: width_in + 2,
            stride: separable.stride,
            instructions,
        };
        let Band { rows, out } = band;
        let parts = out.chunks_mut(separable.rows * self.output.stride());
        for (first, out) in rows.clone().step_by(separable.rows).zip(parts) {
            let rows = first..rows.end.min(first + separable.rows);
            let x = &x[self.input.padded(0, separable.stride * first)..];
            let between = &mut scratch[..rows.len() * width * channels];
            depthwise.correlate(x, &separable.taps, between);
            let part = Band { rows, out };
            self.pointwise(&separable.pointwise, between, add, part, pairs);
        }
    }

    /// A 1×1 convolution of rows without borders.
    fn pointwise(
        &self,
        dense: &Dense,
        x: &[f32],
        add: Option<&[f32]>,
        band: Band<'_>,
        pairs: &mut [u32],
    ) {
        let Map([_, width, _]) = self.output;
        let [_, channels_in] = dense.weights.channels();
        let row = width * channels_in;
        let input = Input {
            values: &x[..band.rows.len() * row],
            first: 0,
            row,
        };
        self.convolve(dense, input, add, band, pairs);
    }

    /// A convolution to the rows of a band.
    fn convolve(
        &self,
        dense: &Dense,
        input: Input<'_>,
        add: Option<&[f32]>,
        Band { rows, out }: Band<'_>,
        pairs: &mut [u32],
    ) {
        let Map([_, width, _]) = self.output;
        let add = add.map(|add| &add[self.output.span(rows.start, rows.len())]);
        let out = &mut out[self.output.in_band(rows.len())];
        let row_out = self.output.stride();
        match &dense.pairs {
            Some(weights) => {
                weights.round(input.values, pairs);
                Products {
                    x: &pairs[input.first / 2..input.values.len() / 2],
                    row_in: input.row / 2,
                    weights,
                    bias: &dense.bias,
                    add,
                    relu: self.relu,
                    out,
                    row_out,
                    width: width / dense.weights.pixels(),
                }
                .run();
            }
            None => Correlation {
                x: &input.values[input.first..],
                row_in: input.row,
                stride: dense.stride,
                weights: &dense.weights,
                bias: Some(&dense.bias),
                add,
                relu: self.relu,
                out,
                row_out,
                width_out: width,
            }
            .run(),
        }
    }
}

/// Rows of the output that are computed in one go.
struct Band<'a> {
    rows: Range<usize>,
    /// From the border in front of the first one on.
    out: &'a mut [f32],
}

/// What a convolution reads.
struct Input<'a> {
    values: &'a [f32],
    /// The value that meets the first weight.
    first: usize,
    /// Values from one row to the next.
    row: usize,
}
