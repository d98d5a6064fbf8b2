//! From floats to integers of eight bits, after training.
//!
//! 1. The network answers some pictures, and the [statistics] of its activations are kept, channel by channel.
//! 2. The channels are [scaled](equalization) to one range, which changes neither the network's answers nor its shape.
//! 3. The weights are [rounded](rounding), and the biases take up the mean of what that changes (Nagel et al. 2019). Weights
//!    that stay floats are rounded to half precision.

pub mod equalization;
pub mod rounding;
pub mod statistics;

use std::collections::BTreeMap;

use emotion_models::graph::{
    ActivationScale, Conv2dConfig, FoldedNetwork, Graph, Node, Op, Quantization,
};
use emotion_models::weights::{WeightTensor, WeightTensors};

use equalization::{Factors, ParameterValues};
use rounding::{Filters, round};
use statistics::{ClipMethod, Statistics};

/// A quantised network: the tensors of the folded one, and its integers.
#[derive(Debug)]
pub struct QuantizedNetwork {
    /// Those with integers in the values that these stand for.
    pub tensors: WeightTensors,
    /// The integers.
    pub quantization: Quantization,
}

/// Quantises a network by the statistics of its activations.
pub fn quantize(
    network: &FoldedNetwork,
    statistics: &Statistics,
    clip: ClipMethod,
) -> QuantizedNetwork {
    let graph = network.graph();
    let mut values = ParameterValues::of(network);
    let mut ranges = statistics.ranges(clip);
    let factors = Factors::new(graph, &ranges);
    factors.apply(graph, &mut values, &mut ranges);
    let moments = |name: &str, group: &[f64]| statistics.scaled_moments(name, group);

    let mut quantization = Quantization::default();
    for (index, node) in graph.nodes().iter().enumerate() {
        if !is_integer(graph, node) {
            continue;
        }
        let channels_in = graph.nodes()[node.inputs[0]].shape[2];
        let input = &graph.nodes()[node.inputs[0]];
        let mut inputs = moments(&input.name, &factors.of[node.inputs[0]]);
        let weight = node.op.kernel(&node.name, "weight");
        let bias = node.op.kernel(&node.name, "bias");
        let area = match node.op {
            Op::Conv2d(Conv2dConfig { kernel, .. }) => kernel * kernel,
            _ => 1,
        };
        // What rounding the depthwise weights adds to the mean of each channel.
        let mut shift = vec![0.0; channels_in];
        if matches!(node.op, Op::SeparableConv2d(_)) {
            let name = format!("{}.depthwise.weight", node.name);
            let filters = Filters {
                values: &values.0[&name],
                inputs: 1,
                area: 9,
                is_depthwise: true,
                squares: &[1.0],
            };
            let rounded = round(filters);
            let changes = values.0[&name].iter().zip(rounded.to_floats());
            for (i, (before, after)) in changes.enumerate() {
                let change = f64::from(after) - f64::from(*before);
                shift[i / 9] += change * inputs.means[i / 9];
            }
            quantization.weights.insert(name, rounded);
            inputs = moments(&Quantization::between(node), &factors.between[&index]);
        }
        let filters = Filters {
            values: &values.0[&weight],
            inputs: channels_in,
            area,
            is_depthwise: false,
            squares: &inputs.squares,
        };
        let rounded = round(filters);
        let after = rounded.to_floats();
        if let Some(mut biases) = values.0.remove(&bias) {
            let filter = channels_in * area;
            for (o, bias) in biases.iter_mut().enumerate() {
                let range = o * filter..(o + 1) * filter;
                let before = values.0[&weight][range.clone()].iter();
                let change = before.zip(&after[range]).enumerate();
                let change = change.map(|(i, (&before, &after))| {
                    let (before, after) = (f64::from(before), f64::from(after));
                    let c = i / area;
                    (after - before) * inputs.means[c] + after * shift[c]
                });
                *bias -= change.sum::<f64>() as f32;
            }
            values.0.insert(bias, biases);
        }
        quantization.weights.insert(weight, rounded);
    }
    quantization.activations = activations(graph, &ranges);
    let tensors = graph.parameters().into_iter().map(|parameter| {
        let tensor = |values| WeightTensor {
            shape: parameter.shape.clone(),
            values,
        };
        let tensor = match quantization.weights.get(&parameter.name) {
            Some(integers) => tensor(integers.to_floats()),
            None => {
                let floats = tensor(values.0[&parameter.name].clone());
                // Biases are few, and sums are as exact as they are.
                match parameter.shape.len() {
                    1 => floats,
                    _ => floats.rounded_to_half_precision(),
                }
            }
        };
        (parameter.name, tensor)
    });
    QuantizedNetwork {
        tensors: tensors.collect(),
        quantization,
    }
}

/// Whether a convolution becomes one of integers: not the first one, which few channels make inexact, nor those that answer
/// or weigh channels, which have little to compute.
fn is_integer(graph: &Graph, node: &Node) -> bool {
    let Some(input) = node.inputs.first().map(|&input| &graph.nodes()[input]) else {
        return false;
    };
    let [height, width, channels_in] = input.shape;
    matches!(node.op, Op::Conv2d(_) | Op::SeparableConv2d(_))
        && channels_in.is_multiple_of(4)
        && node.shape[2].is_multiple_of(8)
        && height * width > 1
}

/// The scales of the activations that have a range.
fn activations(
    graph: &Graph,
    ranges: &BTreeMap<String, Vec<[f32; 2]>>,
) -> BTreeMap<String, ActivationScale> {
    let outputs = graph.outputs();
    let is_stored = |name: &str| {
        let mut nodes = graph.nodes().iter().enumerate();
        nodes.all(|(index, node)| {
            let [height, width, _] = node.shape;
            node.name != name || (!outputs.contains(&index) && height * width > 1 && index > 0)
        })
    };
    let stored = ranges.iter().filter(|(name, _)| is_stored(name));
    let scale = |channels: &Vec<[f32; 2]>| {
        let low = channels.iter().map(|range| range[0]).fold(0.0, f32::min);
        let high = channels.iter().map(|range| range[1]).fold(0.0, f32::max);
        let scale = ((high - low) / 255.0).max(1e-6);
        ActivationScale {
            scale,
            zero_point: (-low / scale).round().clamp(0.0, 255.0) as u8,
        }
    };
    stored
        .map(|(name, channels)| (name.clone(), scale(channels)))
        .collect()
}
