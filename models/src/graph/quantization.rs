//! Networks in integers of eight bits: a folded network with the integers of its weights and the scales of its activations
//! (Jacob et al. 2018).

use std::collections::BTreeMap;

use super::nodes::{Error, Graph, Node};
use super::operation::{Activation, Op};

/// The largest sum of two neighbouring weights of one sign: with activations up to 255, their products fit 16 bits.
const LARGEST_PAIR: i32 = 128;

/// How an activation is stored: the integer q, 0 to 255, stands for `scale · (q − zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivationScale {
    /// Positive.
    pub scale: f32,
    /// The integer of 0.
    pub zero_point: u8,
}

/// The weights of a convolution: `weight[o, …] = scales[o] · values[o, …]`.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedWeights {
    /// From -127 to 127, laid out like the parameter. [Neighbours](meet_within_16_bits) that one instruction multiplies do
    /// not exceed 16 bits.
    pub values: Vec<i8>,
    /// One for each output channel, positive.
    pub scales: Vec<f32>,
}

impl QuantizedWeights {
    /// The weights that they stand for.
    pub fn to_floats(&self) -> Vec<f32> {
        let filters = self
            .values
            .chunks_exact(self.values.len() / self.scales.len());
        let scaled = filters
            .zip(&self.scales)
            .flat_map(|(filter, &scale)| filter.iter().map(move |&value| f32::from(value) * scale));
        scaled.collect()
    }
}

/// Whether the products of these weights of one output channel, `[in, kernel, kernel]`, with activations up to 255 fit 16
/// bits where one instruction adds two of them: those of the input channels 2i and 2i + 1, or, of a depthwise convolution,
/// those of its first and last row.
pub fn meet_within_16_bits(filter: &[i8], area: usize, is_depthwise: bool) -> bool {
    meeting_pairs(filter.len(), area, is_depthwise).all(|[a, b]| {
        let [a, b] = [a, b].map(|index| filter.get(index).map_or(0, |&value| i32::from(value)));
        let positive = a.max(0) + b.max(0);
        let negative = a.min(0) + b.min(0);
        positive <= LARGEST_PAIR && negative >= -LARGEST_PAIR
    })
}

/// The indices of weights of one output channel that one instruction multiplies and adds in 16 bits.
pub fn meeting_pairs(
    len: usize,
    area: usize,
    is_depthwise: bool,
) -> impl Iterator<Item = [usize; 2]> {
    let count = if is_depthwise {
        3
    } else {
        len / (2 * area) * area
    };
    (0..count).map(move |index| {
        if is_depthwise {
            [index, 6 + index]
        } else {
            let first = index / area * 2 * area + index % area;
            [first, first + area]
        }
    })
}

/// The integers of a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quantization {
    /// By the name of the parameter. Convolutions whose weights are not here compute in floats.
    pub weights: BTreeMap<String, QuantizedWeights>,
    /// By the name of the node whose output it is, with the addition and the activation behind it; the values between the
    /// halves of a separable convolution by `NODE.depthwise`.
    pub activations: BTreeMap<String, ActivationScale>,
}

impl Quantization {
    /// The name of the values between the halves of a separable convolution.
    pub fn between(node: &Node) -> String {
        format!("{}.depthwise", node.name)
    }

    /// Whether a convolution is one of integers.
    pub(crate) fn is_integer(&self, node: &Node) -> bool {
        matches!(node.op, Op::Conv2d(_) | Op::SeparableConv2d(_))
            && self
                .weights
                .contains_key(&node.op.kernel(&node.name, "weight"))
    }

    /// Checks that the integers fit the graph and each other. An operation that lacks a scale computes in floats.
    pub(super) fn check(&self, graph: &Graph) -> Result<(), Error> {
        let problem = |name: &str, problem: String| {
            Err(Error::Quantization {
                name: name.to_owned(),
                problem,
            })
        };
        for (name, ActivationScale { scale, .. }) in &self.activations {
            if !(scale.is_normal() && *scale > 0.0) {
                return problem(name, format!("expected a positive scale, found {scale}"));
            }
        }
        for node in graph.nodes() {
            if node.op.activation() == Activation::Relu
                && let Some(ActivationScale { zero_point, .. }) = self.activations.get(&node.name)
                && *zero_point != 0
            {
                return problem(
                    &node.name,
                    format!("expected the zero point 0 behind a ReLU, found {zero_point}"),
                );
            }
            if !self.is_integer(node) {
                continue;
            }
            let channels_in = graph.nodes()[node.inputs[0]].shape[2];
            let channels = [node.shape[2], channels_in];
            if !channels_in.is_multiple_of(4) || !node.shape[2].is_multiple_of(8) {
                return problem(
                    &node.name,
                    format!(
                        "integers need channels out and in that are multiples of 8 and 4, found {channels:?}"
                    ),
                );
            }
            let kernel = match node.op {
                Op::Conv2d(config) => config.kernel,
                _ => 1,
            };
            let weight = node.op.kernel(&node.name, "weight");
            let mut needed = vec![(
                weight,
                channels_in * kernel * kernel,
                kernel * kernel,
                false,
            )];
            if matches!(node.op, Op::SeparableConv2d(_)) {
                needed.push((format!("{}.depthwise.weight", node.name), 9, 9, true));
            }
            for (name, filter, area, is_depthwise) in needed {
                let Some(QuantizedWeights { values, scales }) = self.weights.get(&name) else {
                    return problem(&name, "expected integers".to_owned());
                };
                let fits = values.len() == scales.len() * filter
                    && scales.iter().all(|scale| scale.is_normal() && *scale > 0.0)
                    && values
                        .chunks_exact(filter)
                        .all(|filter| meet_within_16_bits(filter, area, is_depthwise));
                if !fits {
                    return problem(
                        &name,
                        "expected positive scales, and neighbouring weights whose sum is within ±128"
                            .to_owned(),
                    );
                }
            }
        }
        Ok(())
    }
}
