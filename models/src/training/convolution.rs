//! One sample's way through a convolution, dense or separable, forward and backward.

use super::padding::pad;
use crate::Instructions;
use crate::graph::Op;
use crate::kernels::{
    Affine, Correlation, Depthwise, PackedWeights, TAPS, WeightGradient, add_assign, taps_first,
};

/// What kind of convolution it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Every output channel sees every input channel through a kernel of this size.
    Dense(usize),
    /// A 3×3 kernel for each channel, then a 1×1 convolution.
    Separable,
}

/// The shapes of one sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConvolutionGeometry {
    pub(super) kind: Kind,
    /// `[H, W, C]`.
    pub(super) input: [usize; 3],
    /// `[H, W, C]`.
    pub(super) output: [usize; 3],
    /// Step between outputs: 1 or 2.
    pub(super) stride: usize,
    /// Zeros on each side of the input.
    pub(super) border: usize,
}

/// The weights in the orders in which the kernels read them.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    /// `[9, C]`; empty in a dense convolution.
    taps: Vec<f32>,
    dense: PackedWeights,
}

/// Buffers that a worker reuses from one sample to the next.
#[derive(Debug, Default)]
pub(super) struct ConvolutionScratch {
    /// What [`ConvolutionGeometry::arrange`] writes.
    pub(super) arranged: Vec<f32>,
    inner: Vec<f32>,
    spread: Vec<f32>,
}

impl ConvolutionGeometry {
    /// The convolution from one shape to another; none if the operation is another.
    pub(super) fn new(op: &Op, input: [usize; 3], output: [usize; 3]) -> Option<Self> {
        let (kind, stride, border) = match op {
            Op::Conv2d(config) => (Kind::Dense(config.kernel), config.stride, config.border()),
            Op::SeparableConv2d(config) => (Kind::Separable, config.stride, 1),
            _ => return None,
        };
        Some(Self {
            kind,
            input,
            output,
            stride,
            border,
        })
    }

    pub(super) fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    pub(super) fn output_len(&self) -> usize {
        self.output.iter().product()
    }

    /// The values of a depthwise result.
    fn inner_len(&self) -> usize {
        self.output[0] * self.output[1] * self.input[2]
    }

    fn pixels_out(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Every second pixel is all that a 1×1 kernel with stride 2 reads.
    fn subsamples(&self) -> bool {
        self.kind == Kind::Dense(1) && self.stride == 2
    }

    fn depthwise(&self) -> Depthwise {
        Depthwise {
            width: self.output[1],
            channels: self.input[2],
            width_in: self.input[1] + 2 * self.border,
            stride: self.stride,
            instructions: Instructions::best(),
        }
    }

    /// Packs weights, `[out, in, k, k]`, or `[in, 1, 3, 3]` and `[out, in, 1, 1]` in a row.
    pub(super) fn pack(&self, weights: &[f32]) -> Packed {
        let (taps, dense, kernel) = self.split(weights);
        Packed {
            taps: taps_first(taps),
            dense: PackedWeights::new(
                Instructions::best(),
                dense,
                [self.output[2], self.input[2]],
                kernel,
            ),
        }
    }

    /// Packs the same weights for the gradient of the input: turned by 180°, inputs and outputs exchanged.
    pub(super) fn pack_transposed(&self, weights: &[f32]) -> Packed {
        let (taps, dense, kernel) = self.split(weights);
        let channels = self.input[2];
        let turned = taps_first(taps);
        Packed {
            taps: turned
                .chunks_exact(channels)
                .rev()
                .flatten()
                .copied()
                .collect(),
            dense: PackedWeights::transposed(dense, [self.output[2], channels], kernel),
        }
    }

    fn split<'a>(&self, weights: &'a [f32]) -> (&'a [f32], &'a [f32], usize) {
        match self.kind {
            Kind::Dense(kernel) => (&[], weights, kernel),
            Kind::Separable => {
                let (taps, dense) = weights.split_at(TAPS * self.input[2]);
                (taps, dense, 1)
            }
        }
    }

    /// Copies a sample as the kernels read it, with its border and without the pixels that nobody reads; `affine` is
    /// applied on the way.
    pub(super) fn arrange(&self, x: &[f32], affine: Option<&Affine<'_>>, out: &mut Vec<f32>) {
        let [_, width, channels] = self.input;
        let row = width * channels;
        let place = |from: &[f32], to: &mut [f32]| match affine {
            Some(affine) => affine.apply(from, to),
            None => to.copy_from_slice(from),
        };
        if self.subsamples() {
            out.resize(self.inner_len(), 0.0);
            let rows = x.chunks_exact(row).step_by(2);
            for (from, to) in rows.zip(out.chunks_exact_mut(self.output[1] * channels)) {
                let pixels = from.chunks_exact(channels).step_by(2);
                for (from, to) in pixels.zip(to.chunks_exact_mut(channels)) {
                    place(from, to);
                }
            }
        } else {
            pad(self.input, self.border, out, x, place);
        }
    }

    /// The output of the sample that [`arrange`](Self::arrange) left in `scratch`.
    pub(super) fn forward(
        &self,
        weights: &Packed,
        scratch: &mut ConvolutionScratch,
        out: &mut [f32],
    ) {
        let x = match self.kind {
            Kind::Dense(_) => &scratch.arranged,
            Kind::Separable => {
                self.correlate_depthwise(weights, &scratch.arranged, &mut scratch.inner);
                &scratch.inner
            }
        };
        self.correlate(&weights.dense, x, out);
    }

    fn correlate_depthwise(&self, weights: &Packed, arranged: &[f32], inner: &mut Vec<f32>) {
        inner.resize(self.inner_len(), 0.0);
        self.depthwise().correlate(arranged, &weights.taps, inner);
    }

    fn correlate(&self, weights: &PackedWeights, x: &[f32], out: &mut [f32]) {
        let (row_in, stride) = self.steps();
        let whole = plain(weights, x, out, self.run(self.output));
        Correlation {
            row_in,
            stride,
            ..whole
        }
        .run();
    }

    /// Values from one row of an arranged sample, or of a depthwise result, to the next, and pixels from one output to
    /// the next, as a dense kernel reads them.
    fn steps(&self) -> (usize, usize) {
        let [_, width, channels] = self.input;
        match self.kind {
            Kind::Dense(kernel) if kernel > 1 => {
                ((width + 2 * self.border) * channels, self.stride)
            }
            _ => (self.run(self.output) * channels, 1),
        }
    }

    /// Pixels that a dense kernel treats as a row: those of a 1×1 kernel have no neighbours, so they all make one.
    fn run(&self, [height, width, _]: [usize; 3]) -> usize {
        match self.kind {
            Kind::Dense(kernel) if kernel > 1 => width,
            _ => height * width,
        }
    }

    fn gradient(&self) -> WeightGradient {
        let kernel = match self.kind {
            Kind::Dense(kernel) => kernel,
            Kind::Separable => 1,
        };
        WeightGradient::new(self.output[2], self.input[2], kernel)
    }

    /// The number of values of a sum of weight gradients.
    pub(super) fn sum_len(&self) -> usize {
        let taps = match self.kind {
            Kind::Dense(_) => 0,
            Kind::Separable => TAPS * self.input[2],
        };
        taps + self.gradient().len()
    }

    /// Writes a sum of weight gradients in the order of [`pack`](Self::pack)'s argument.
    pub(super) fn unpack_sum(&self, sum: &[f32], gradient: &mut [f32]) {
        let taps = sum.len() - self.gradient().len();
        let channels = self.input[2];
        let (depthwise, dense) = gradient.split_at_mut(taps);
        for (i, value) in depthwise.iter_mut().enumerate() {
            *value = sum[i % TAPS * channels + i / TAPS];
        }
        self.gradient().unpack(&sum[taps..], dense);
    }

    /// Adds the gradient of the weights to `sum`, from the sample in `scratch` and the gradient of its output.
    ///
    /// With `dx` the gradient of the input is written there, or added with `accumulate`.
    pub(super) fn backward(
        &self,
        (weights, transposed): (&Packed, &Packed),
        dy: &[f32],
        scratch: &mut ConvolutionScratch,
        sum: &mut [f32],
        dx: Option<&mut [f32]>,
        accumulate: bool,
    ) {
        let (depthwise_sum, dense_sum) = sum.split_at_mut(sum.len() - self.gradient().len());
        let gradient = self.gradient();
        match self.kind {
            Kind::Dense(kernel) => {
                let geometry = (self.run(self.output), self.steps());
                gradient.add(&scratch.arranged, dy, geometry, dense_sum);
                let Some(dx) = dx else { return };
                if self.subsamples() {
                    self.correlate_transposed(&transposed.dense, dy, &mut scratch.inner);
                    let [_, width, _] = self.input;
                    self.spread(&scratch.inner, (0, width), dx, accumulate);
                } else {
                    let around = kernel - 1 - self.border;
                    if self.stride == 1 {
                        pad(self.output, around, &mut scratch.spread, dy, copy);
                    } else {
                        let [height, width, _] = self.input;
                        let [.., channels] = self.output;
                        let row = width + kernel - 1;
                        let len = (height + kernel - 1) * row * channels;
                        scratch.spread.resize(len, 0.0);
                        self.spread(dy, (around, row), &mut scratch.spread, false);
                    }
                    let target = if accumulate {
                        scratch.inner.resize(dx.len(), 0.0);
                        &mut scratch.inner
                    } else {
                        &mut *dx
                    };
                    let width = self.run(self.input);
                    plain(&transposed.dense, &scratch.spread, target, width).run();
                    if accumulate {
                        add_assign(dx, &scratch.inner);
                    }
                }
            }
            Kind::Separable => {
                self.correlate_depthwise(weights, &scratch.arranged, &mut scratch.inner);
                let geometry = (self.pixels_out(), self.steps());
                gradient.add(&scratch.inner, dy, geometry, dense_sum);
                // What reaches the depthwise half takes the place of its output.
                self.correlate_transposed(&transposed.dense, dy, &mut scratch.inner);
                self.depthwise()
                    .add_gradient(&scratch.arranged, &scratch.inner, depthwise_sum);
                let Some(dx) = dx else { return };
                let [height, width, channels] = self.input;
                let ConvolutionScratch { inner, spread, .. } = &mut *scratch;
                if self.stride == 1 {
                    pad(self.input, 1, spread, inner, copy);
                } else {
                    spread.resize((height + 2) * (width + 2) * channels, 0.0);
                    self.spread(inner, (1, width + 2), spread, false);
                }
                let same = Depthwise {
                    width,
                    channels,
                    width_in: width + 2,
                    stride: 1,
                    instructions: Instructions::best(),
                };
                if accumulate {
                    scratch.inner.resize(dx.len(), 0.0);
                    same.correlate(&scratch.spread, &transposed.taps, &mut scratch.inner);
                    add_assign(dx, &scratch.inner);
                } else {
                    same.correlate(&scratch.spread, &transposed.taps, dx);
                }
            }
        }
    }

    /// What a 1×1 kernel passes back.
    fn correlate_transposed(&self, weights: &PackedWeights, dy: &[f32], out: &mut Vec<f32>) {
        out.resize(self.inner_len(), 0.0);
        plain(weights, dy, out, self.pixels_out()).run();
    }

    /// Puts pixels that were computed with stride 2 back to where they came from: in `out`, with rows of `width` pixels,
    /// that is behind `border` pixels from the left and the top. The pixels between are zero.
    fn spread(
        &self,
        dense: &[f32],
        (border, width): (usize, usize),
        out: &mut [f32],
        accumulate: bool,
    ) {
        let channels = dense.len() / self.pixels_out();
        let row = width * channels;
        if !accumulate {
            out.fill(0.0);
        }
        let rows = out.chunks_exact_mut(row).skip(border).step_by(2);
        for (to, from) in rows.zip(dense.chunks_exact(self.output[1] * channels)) {
            let pixels = to.chunks_exact_mut(channels).skip(border).step_by(2);
            for (to, from) in pixels.zip(from.chunks_exact(channels)) {
                if accumulate {
                    add_assign(to, from);
                } else {
                    copy(from, to);
                }
            }
        }
    }
}

/// A correlation of rows without gaps, `width_out` outputs each, and nothing but that.
fn plain<'a>(
    weights: &'a PackedWeights,
    x: &'a [f32],
    out: &'a mut [f32],
    width_out: usize,
) -> Correlation<'a> {
    let [channels_out, channels_in] = weights.channels();
    Correlation {
        x,
        row_in: (width_out + weights.taps() - 1) * channels_in,
        stride: 1,
        weights,
        bias: None,
        add: None,
        relu: false,
        out,
        row_out: width_out * channels_out,
        width_out,
    }
}

fn copy(from: &[f32], to: &mut [f32]) {
    to.copy_from_slice(from);
}
