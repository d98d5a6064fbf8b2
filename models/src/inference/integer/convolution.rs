//! Convolutions of integers, dense and separable.

use std::ops::Range;

use super::scales::Scales;
use crate::Instructions;
use crate::graph::{Conv2dConfig, FoldedNetwork, Node, Op, Quantization, QuantizedWeights};
use crate::inference::memory::{Band, Scratch};
use crate::kernels::{
    IntegerDepthwise, IntegerProducts, Map, PackedQuads, PackedTaps, Requantization, SLACK,
};

/// Bytes between the halves of a separable convolution: half of a usual innermost cache.
const SCRATCH: usize = 16_384;

/// The largest bias in units of products: the sums stay within 32 bits.
const LARGEST_BIAS: f64 = (1 << 30) as f64;

/// The first half of a separable convolution.
#[derive(Debug)]
struct Front {
    taps: PackedTaps,
    stride: usize,
    /// The zero point of its result.
    offset: f32,
    /// Rows that pass through it before the second half takes them.
    rows: usize,
}

#[derive(Debug)]
pub(super) struct IntegerConvolution {
    front: Option<Front>,
    products: PackedQuads,
    stride: usize,
    /// Zeros in front of a row.
    before: usize,
}

impl IntegerConvolution {
    pub(super) fn new(
        network: &FoldedNetwork,
        node: &Node,
        scales: Scales,
        instructions: Instructions,
    ) -> Option<Self> {
        let quantization = network.quantization()?;
        let weights = |name: &str| quantization.weights.get(name);
        let QuantizedWeights {
            values,
            scales: weight_scales,
        } = weights(&node.op.kernel(&node.name, "weight"))?;
        let [_, width, channels_out] = node.shape;
        let channels_in = network.graph().nodes()[*node.inputs.first()?].shape[2];
        let (front, config, input) = match node.op {
            Op::Conv2d(config) => (None, config, scales.input),
            Op::SeparableConv2d(config) => {
                let between = *quantization.activations.get(&Quantization::between(node))?;
                let depthwise = weights(&format!("{}.depthwise.weight", node.name))?;
                let multiplier = |&scale: &f32| {
                    let product = f64::from(scale) * f64::from(scales.input.scale);
                    bounded(product / f64::from(between.scale))
                };
                let multipliers: Vec<f32> = depthwise.scales.iter().map(multiplier).collect();
                let bias = vec![0; channels_in];
                let zero_point = scales.input.zero_point;
                let [height, ..] = node.shape;
                let front = Front {
                    taps: PackedTaps::new(
                        instructions,
                        &depthwise.values,
                        config.stride,
                        &bias,
                        &multipliers,
                        zero_point,
                    ),
                    stride: config.stride,
                    offset: f32::from(between.zero_point),
                    rows: (SCRATCH / (width * channels_in)).clamp(1, height),
                };
                let pointwise = Conv2dConfig::pointwise(config.channels);
                (Some(front), pointwise, between)
            }
            _ => return None,
        };
        let products = weight_scales
            .iter()
            .map(|&scale| f64::from(scale) * f64::from(input.scale));
        let multiplier = |product: f64| bounded(product / f64::from(scales.output.scale));
        let multipliers: Vec<f32> = products.clone().map(multiplier).collect();
        let bias = network.values(node, node.op.kernel("", "bias").trim_start_matches('.'));
        let bias = products.enumerate().map(|(o, product)| {
            let bias = f64::from(bias.get(o).copied().unwrap_or(0.0)) / product;
            bias.clamp(-LARGEST_BIAS, LARGEST_BIAS).round_ties_even() as i32
        });
        let bias: Vec<i32> = bias.collect();
        Some(Self {
            front,
            products: PackedQuads::new(
                instructions,
                values,
                [channels_out, channels_in],
                config.kernel,
                &bias,
                &multipliers,
                input.zero_point,
            ),
            stride: config.stride,
            before: config.border(),
        })
    }

    pub(super) fn scratch(&self, input: Map, output: Map) -> usize {
        let [_, width, _] = output.shape;
        let [.., channels] = input.shape;
        let front = self.front.as_ref();
        front.map_or(0, |front| front.rows * width * channels + SLACK)
    }

    /// Computes a band of rows of the second map from the first one.
    pub(super) fn run(
        &self,
        x: &[u8],
        [input, output]: [Map; 2],
        requantization: Requantization<'_>,
        Band { rows, out }: Band<'_, u8>,
        scratch: &mut Scratch,
    ) {
        let [_, width, _] = output.shape;
        let [.., channels] = input.shape;
        let row_out = output.stride();
        // What lies in front of the first pixel of a band is its border.
        let within = |rows: usize| output.band(rows);
        let multiply = |x: &[u8], row_in, stride, band: Range<usize>, out: &mut [u8]| {
            IntegerProducts {
                x,
                row_in,
                stride,
                weights: &self.products,
                requantization: Requantization {
                    add: requantization.add.map(|add| &add[band.clone()]),
                    ..requantization
                },
                out: &mut out[band],
                row_out,
                width_out: width,
            }
            .run();
        };
        let Some(front) = &self.front else {
            let first = 1 - self.before;
            let begin = input.padded(first, self.stride * rows.start + first);
            let band = within(rows.len());
            multiply(&x[begin..], input.stride(), self.stride, band, out);
            return;
        };
        let mut done = 0;
        while done < rows.len() {
            let count = front.rows.min(rows.len() - done);
            let values = count * width * channels;
            let between = &mut scratch.bytes[..values + SLACK];
            let begin = input.padded(0, front.stride * (rows.start + done));
            IntegerDepthwise {
                x: &x[begin..],
                row_in: input.stride(),
                weights: &front.taps,
                offset: front.offset,
                out: between,
                width,
            }
            .run();
            let band = within(count);
            let band = band.start + done * row_out..band.end + done * row_out;
            multiply(&between[..values], width * channels, 1, band, out);
            done += count;
        }
    }
}

/// A multiplier with which no sum exceeds 32 bits.
fn bounded(multiplier: f64) -> f32 {
    multiplier.min(1.0) as f32
}
