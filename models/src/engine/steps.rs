//! What is computed, one face at a time.

use std::ops::Range;

use aligned_vec::AVec;

use super::Buffers;
use super::bf16::{PairedWeights, Products};
use super::kernels::{Add, Pool, Upsample, sums};
use super::map::Map;
use crate::Instructions;
use crate::folded::Kernel;
use crate::layers::kernels::{Correlation, Depthwise, PackedWeights};

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

    pub(super) fn run(&self, instructions: Instructions, buffers: &mut Buffers) {
        // The slot is another than those that are read; it is put back below.
        let mut out = std::mem::replace(&mut buffers.slots[self.to], AVec::new(0));
        let Buffers {
            slots,
            scratch,
            pairs,
        } = buffers;
        let x = &slots[self.from];
        let add = self.add.map(|slot| &slots[slot][..]);
        match &self.work {
            Work::Dense(dense) => self.dense(dense, x, add, &mut out, pairs),
            Work::Separable(separable) => {
                let between = (&mut scratch[..], &mut pairs[..]);
                self.separable(instructions, separable, x, add, &mut out, between);
            }
            Work::MaxPool => Pool {
                x,
                input: self.input,
                add,
                relu: self.relu,
                out: &mut out,
                output: self.output,
            }
            .run(instructions),
            Work::Upsample => Upsample {
                x,
                input: self.input,
                add,
                relu: self.relu,
                out: &mut out,
                output: self.output,
            }
            .run(instructions),
            Work::Average => {
                let whole = self.output.span(0, 1);
                sums(instructions, x, self.input, 0, &mut out[whole]);
            }
            Work::Head(Head { dense, taps }) => {
                let Map([.., channels]) = self.input;
                let sums_len = taps * taps * channels;
                sums(
                    instructions,
                    x,
                    self.input,
                    taps / 2,
                    &mut scratch[..sums_len],
                );
                self.pointwise(dense, (scratch, 1), add, (&mut out, 0), pairs);
            }
            Work::Add => {
                if let Some(add) = add {
                    Add {
                        a: x,
                        b: add,
                        relu: self.relu,
                        out: &mut out,
                    }
                    .run(instructions);
                }
            }
        }
        buffers.slots[self.to] = out;
    }

    fn dense(
        &self,
        dense: &Dense,
        x: &[f32],
        add: Option<&[f32]>,
        out: &mut [f32],
        pairs: &mut [u32],
    ) {
        let Map([height, _, _]) = self.output;
        let first = 1 - dense.before;
        let input = Input {
            values: x,
            first: self.input.padded(first, first),
            row: self.input.stride(),
        };
        self.convolve(dense, input, add, (out, 0..height), pairs);
    }

    fn separable(
        &self,
        instructions: Instructions,
        separable: &Separable,
        x: &[f32],
        add: Option<&[f32]>,
        out: &mut [f32],
        (scratch, pairs): (&mut [f32], &mut [u32]),
    ) {
        let Map([_, width_in, channels]) = self.input;
        let Map([height, width, _]) = self.output;
        let depthwise = Depthwise {
            width,
            channels,
            width_in: width_in + 2,
            stride: separable.stride,
            instructions,
        };
        for first in (0..height).step_by(separable.rows) {
            let rows = separable.rows.min(height - first);
            let x = &x[self.input.padded(0, separable.stride * first)..];
            let between = &mut scratch[..rows * width * channels];
            depthwise.correlate(x, &separable.taps, between);
            self.pointwise(
                &separable.pointwise,
                (between, rows),
                add,
                (out, first),
                pairs,
            );
        }
    }

    /// A 1×1 convolution of rows without borders, so many, to those from `first` on.
    fn pointwise(
        &self,
        dense: &Dense,
        (x, rows): (&[f32], usize),
        add: Option<&[f32]>,
        (out, first): (&mut [f32], usize),
        pairs: &mut [u32],
    ) {
        let Map([_, width, _]) = self.output;
        let [_, channels_in] = dense.weights.channels();
        let input = Input {
            values: x,
            first: 0,
            row: width * channels_in,
        };
        self.convolve(dense, input, add, (out, first..first + rows), pairs);
    }

    /// A convolution to these rows.
    fn convolve(
        &self,
        dense: &Dense,
        input: Input<'_>,
        add: Option<&[f32]>,
        (out, rows): (&mut [f32], Range<usize>),
        pairs: &mut [u32],
    ) {
        let Map([_, width, _]) = self.output;
        let span = self.output.span(rows.start, rows.len());
        let add = add.map(|add| &add[span.clone()]);
        let (out, row_out) = (&mut out[span], self.output.stride());
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

/// What a convolution reads.
struct Input<'a> {
    values: &'a [f32],
    /// The value that meets the first weight.
    first: usize,
    /// Values from one row to the next.
    row: usize,
}
