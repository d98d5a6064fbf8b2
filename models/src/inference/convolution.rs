//! Convolutions with their weights in the order in which the loops read them.

use aligned_vec::AVec;

use super::memory::{Band, Operands, Scratch};
use crate::Instructions;
use crate::graph::{Conv2dConfig, FoldedNetwork, Node, Op};
use crate::kernels::{
    Correlation, Depthwise, Map, PackedWeights, PairedWeights, Products, WindowSums, taps_first,
};
use crate::precision::Precision;

/// Values between the halves of a separable convolution: a third of a usual innermost cache, so that weights and the rows
/// that they meet fit as well.
const SCRATCH: usize = 4096;

/// A dense convolution, perhaps of what another one makes of the input.
#[derive(Debug)]
pub(super) struct Convolution {
    front: Option<Front>,
    dense: Dense,
    instructions: Instructions,
}

/// What is computed in front of a 1×1 convolution.
#[derive(Debug)]
enum Front {
    /// The first half of a separable convolution.
    Depthwise {
        /// `[9, C]`.
        taps: AVec<f32>,
        stride: usize,
        /// Rows that pass through it before the second half takes them.
        rows: usize,
    },
    /// Sums for the mean of a convolution's output.
    ///
    /// Every weight meets each pixel of a window that is the input, or the input without its first or last row or column.
    /// So the windows are summed, and the weights meet the sums.
    WindowSums {
        /// Width and height of the kernel.
        taps: usize,
    },
}

#[derive(Debug)]
struct Dense {
    weights: PackedWeights,
    /// The same for bfloat16, where that is used.
    pairs: Option<PairedWeights>,
    bias: Vec<f32>,
    stride: usize,
    /// Zeros in front of a row.
    before: usize,
}

impl Convolution {
    /// The convolution of a node; none if it is another operation. With `averages` it computes the mean of its result.
    pub(super) fn new(
        network: &FoldedNetwork,
        node: &Node,
        averages: bool,
        instructions: Instructions,
        precision: Precision,
    ) -> Option<Self> {
        let input = network.graph().nodes()[*node.inputs.first()?].shape;
        let channels_in = input[2];
        let [height, width, channels_out] = node.shape;
        let channels = [channels_out, channels_in];
        let packing = Packing {
            instructions,
            precision,
            channels,
            width,
        };
        let values = |parameter| network.values(node, parameter);
        let (front, dense) = match node.op {
            Op::Conv2d(Conv2dConfig { kernel, .. }) if averages => {
                let front = Front::WindowSums { taps: kernel };
                let dense = packing.window_sums(values("weight"), values("bias"), kernel);
                (Some(front), dense)
            }
            Op::Conv2d(config) => {
                let dense = packing.dense(values("weight"), values("bias"), &config);
                (None, dense)
            }
            Op::SeparableConv2d(config) => {
                let front = Front::Depthwise {
                    taps: AVec::from_slice(0, &taps_first(values("depthwise.weight"))),
                    stride: config.stride,
                    rows: (SCRATCH / (width * channels_in)).clamp(1, height),
                };
                let (weight, bias) = (values("pointwise.weight"), values("pointwise.bias"));
                let pointwise = Conv2dConfig::pointwise(config.channels);
                (Some(front), packing.dense(weight, bias, &pointwise))
            }
            _ => return None,
        };
        Some(Self {
            front,
            dense,
            instructions,
        })
    }

    /// Whether its rows can be computed apart from each other.
    pub(super) fn is_divisible(&self) -> bool {
        !matches!(self.front, Some(Front::WindowSums { .. }))
    }

    /// The values of scratch memory that it needs.
    pub(super) fn scratch(&self, input: Map, output: Map) -> usize {
        let [_, width, _] = output.shape;
        let [.., channels] = input.shape;
        match self.front {
            Some(Front::Depthwise { rows, .. }) => rows * width * channels,
            Some(Front::WindowSums { taps }) => taps * taps * channels,
            None => 0,
        }
    }

    /// The pairs of bfloat16 that it needs.
    pub(super) fn pairs(&self, input: Map, output: Map) -> usize {
        if self.dense.pairs.is_none() {
            return 0;
        }
        let values = match self.front {
            Some(_) => self.scratch(input, output),
            None => input.len(),
        };
        values.div_ceil(2)
    }

    /// Computes a band of rows; all of them if it is not divisible.
    pub(super) fn run(&self, operands: Operands<'_>, band: Band<'_>, scratch: &mut Scratch) {
        let Operands {
            x, input, output, ..
        } = operands;
        let [_, width_in, channels] = input.shape;
        let Scratch { values, pairs, .. } = scratch;
        match self.front {
            None => self.dense(operands, band, pairs),
            Some(Front::WindowSums { taps }) => {
                let out = &mut values[..taps * taps * channels];
                let sums = WindowSums {
                    x,
                    input,
                    reach: taps / 2,
                    out,
                };
                sums.run(self.instructions);
                self.pointwise(operands, values, band, pairs);
            }
            Some(Front::Depthwise {
                ref taps,
                stride,
                rows: count,
            }) => {
                let [_, width, _] = output.shape;
                let depthwise = Depthwise {
                    width,
                    channels,
                    width_in: width_in + 2,
                    stride,
                    instructions: self.instructions,
                };
                let Band { rows, out } = band;
                let parts = out.chunks_mut(count * output.stride());
                for (first, out) in rows.clone().step_by(count).zip(parts) {
                    let rows = first..rows.end.min(first + count);
                    let between = &mut values[..rows.len() * width * channels];
                    depthwise.correlate(&x[input.padded(0, stride * first)..], taps, between);
                    self.pointwise(operands, between, Band { rows, out }, pairs);
                }
            }
        }
    }

    /// The values between the halves of a separable convolution, if it is one.
    pub(super) fn between(&self, x: &[f32], input: Map, output: Map) -> Option<Vec<f32>> {
        let Some(Front::Depthwise { taps, stride, .. }) = &self.front else {
            return None;
        };
        let [height, width, _] = output.shape;
        let [_, width_in, channels] = input.shape;
        let depthwise = Depthwise {
            width,
            channels,
            width_in: width_in + 2,
            stride: *stride,
            instructions: self.instructions,
        };
        let mut between = AVec::<f32>::from_iter(0, vec![0.0; height * width * channels]);
        depthwise.correlate(x, taps, &mut between);
        Some(between.to_vec())
    }

    /// A convolution of the input.
    fn dense(&self, operands: Operands<'_>, band: Band<'_>, pairs: &mut [u32]) {
        let Dense {
            weights,
            stride,
            before,
            ..
        } = &self.dense;
        let first = 1 - before;
        let begin = stride * band.rows.start + first;
        let end = stride * (band.rows.end - 1) + first + weights.taps();
        let input = operands.input;
        let rows = Rows {
            values: &operands.x[input.padded(0, begin)..input.padded(0, end)],
            first: input.padded(first, 0),
            row: input.stride(),
        };
        self.dense.convolve(rows, operands, band, pairs);
    }

    /// A 1×1 convolution of rows without borders.
    fn pointwise(&self, operands: Operands<'_>, x: &[f32], band: Band<'_>, pairs: &mut [u32]) {
        let [_, channels_in] = self.dense.weights.channels();
        let row = operands.output.shape[1] * channels_in;
        let rows = Rows {
            values: &x[..band.rows.len() * row],
            first: 0,
            row,
        };
        self.dense.convolve(rows, operands, band, pairs);
    }
}

/// What a dense convolution reads.
struct Rows<'a> {
    values: &'a [f32],
    /// The value that meets the first weight.
    first: usize,
    /// Values from one row to the next.
    row: usize,
}

impl Dense {
    /// A convolution to the rows of a band.
    fn convolve(
        &self,
        input: Rows<'_>,
        Operands {
            output, add, relu, ..
        }: Operands<'_>,
        Band { rows, out }: Band<'_>,
        pairs: &mut [u32],
    ) {
        let [_, width, _] = output.shape;
        let add = add.map(|add| &add[output.span(rows.start, rows.len())]);
        let out = &mut out[output.band(rows.len())];
        let row_out = output.stride();
        match &self.pairs {
            Some(weights) => {
                weights.round(input.values, pairs);
                Products {
                    x: &pairs[input.first / 2..input.values.len() / 2],
                    row_in: input.row / 2,
                    weights,
                    bias: &self.bias,
                    add,
                    relu,
                    out,
                    row_out,
                    width: width / self.weights.pixels(),
                }
                .run();
            }
            None => Correlation {
                x: &input.values[input.first..],
                row_in: input.row,
                stride: self.stride,
                weights: &self.weights,
                bias: Some(&self.bias),
                add,
                relu,
                out,
                row_out,
                width_out: width,
            }
            .run(),
        }
    }
}

/// How weights are packed.
struct Packing {
    instructions: Instructions,
    precision: Precision,
    /// Out and in.
    channels: [usize; 2],
    /// Of the output.
    width: usize,
}

impl Packing {
    /// Packs `[out, in, kernel, kernel]`.
    fn dense(&self, weight: &[f32], bias: &[f32], config: &Conv2dConfig) -> Dense {
        let Self {
            instructions,
            channels,
            width,
            ..
        } = *self;
        let Conv2dConfig { kernel, stride, .. } = *config;
        let weights = if stride == 1 {
            PackedWeights::for_rows(instructions, weight, channels, kernel, width)
        } else {
            PackedWeights::new(instructions, weight, channels, kernel)
        };
        // With larger strides most of the rounded inputs would meet no weight.
        let is_paired = stride == 1 && self.precision == Precision::Bf16;
        Dense {
            bias: weights.pad_bias(bias),
            pairs: is_paired.then(|| PairedWeights::new(&weights)).flatten(),
            weights,
            stride,
            before: config.border(),
        }
    }

    /// Packs the same for a 1×1 convolution whose inputs are window sums.
    fn window_sums(&self, weight: &[f32], bias: &[f32], taps: usize) -> Dense {
        let [channels, channels_in] = self.channels;
        let area = taps * taps;
        let windows = area * channels_in;
        // `[out, window, in]`
        let by_window: Vec<f32> = (0..channels * windows)
            .map(|i| {
                let (o, window, c) = (i / windows, i / channels_in % area, i % channels_in);
                weight[(o * channels_in + c) * area + window]
            })
            .collect();
        let weights = PackedWeights::new(self.instructions, &by_window, [channels, windows], 1);
        Dense {
            bias: weights.pad_bias(bias),
            pairs: None,
            weights,
            stride: 1,
            before: 0,
        }
    }
}
