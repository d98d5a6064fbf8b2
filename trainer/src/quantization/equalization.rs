//! Channels scaled to one range (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
//! Correction").
//!
//! A convolution with a channel of its output times f, in front of one with that channel of its input divided by f, gives
//! the same result: ReLU, max-pooling, additions of channels with one factor and means let a positive f pass. Within a
//! separable convolution f may be negative.

use std::collections::{BTreeMap, HashMap};

use emotion_models::graph::{FoldedNetwork, Graph, Node, Op, Quantization};

/// The least range of a channel, as a share of the largest: nearly silent channels are not made loud.
const LEAST_RANGE: f32 = 1e-3;

/// The values of all parameters by name.
#[derive(Debug)]
pub(super) struct ParameterValues(pub(super) HashMap<String, Vec<f32>>);

impl ParameterValues {
    pub(super) fn of(network: &FoldedNetwork) -> Self {
        let graph = network.graph();
        let values = graph.nodes().iter().enumerate().flat_map(|(index, node)| {
            let parameters = graph.parameters_of(index).into_iter();
            parameters.map(move |parameter| {
                let part = parameter.name[node.name.len() + 1..].to_owned();
                (parameter.name, network.values(node, &part).to_vec())
            })
        });
        Self(values.collect())
    }
}

/// By what the channels are multiplied.
#[derive(Debug)]
pub(super) struct Factors {
    /// Those of each node's output.
    pub(super) of: Vec<Vec<f64>>,
    /// Those between the halves of each separable convolution, by node.
    pub(super) between: BTreeMap<usize, Vec<f64>>,
}

impl Factors {
    /// Factors with which the channels of an activation have one range.
    pub(super) fn new(graph: &Graph, ranges: &BTreeMap<String, Vec<[f32; 2]>>) -> Self {
        let nodes = graph.nodes();
        let groups = groups(graph);
        let mut of: Vec<Vec<f64>> = nodes.iter().map(|node| vec![1.0; node.shape[2]]).collect();
        for group in 0..nodes.len() {
            let members: Vec<usize> = (0..nodes.len())
                .filter(|&index| groups[index] == Some(group))
                .collect();
            let stored: Vec<_> = members
                .iter()
                .filter_map(|&index| ranges.get(&nodes[index].name))
                .collect();
            if stored.is_empty() {
                continue;
            }
            let mut shares = vec![0.0_f32; nodes[group].shape[2]];
            for ranges in stored {
                let largest = ranges.iter().copied().map(extent).fold(0.0, f32::max);
                for (share, &range) in shares.iter_mut().zip(ranges) {
                    *share = share.max(extent(range) / largest.max(f32::MIN_POSITIVE));
                }
            }
            let factors: Vec<f64> = shares.into_iter().map(factor).collect();
            for index in members {
                of[index].clone_from(&factors);
            }
        }
        let separable = nodes.iter().enumerate().filter_map(|(index, node)| {
            let ranges = ranges.get(&Quantization::between(node))?;
            let largest = ranges.iter().copied().map(extent).fold(0.0, f32::max);
            let factors = ranges.iter().map(|&[low, high]| {
                let factor = factor(extent([low, high]) / largest.max(f32::MIN_POSITIVE));
                // The longer side of all channels is the upper one.
                if -low > high { -factor } else { factor }
            });
            Some((index, factors.collect()))
        });
        Self {
            of,
            between: separable.collect(),
        }
    }

    /// Changes the parameters and the ranges.
    pub(super) fn apply(
        &self,
        graph: &Graph,
        values: &mut ParameterValues,
        ranges: &mut BTreeMap<String, Vec<[f32; 2]>>,
    ) {
        for (index, node) in graph.nodes().iter().enumerate() {
            if let Some(ranges) = ranges.get_mut(&node.name) {
                scale_ranges(ranges, &self.of[index]);
            }
            if let Op::Conv2d(_) | Op::SeparableConv2d(_) = node.op {
                self.apply_to(index, node, values);
            }
            if let Some(factors) = self.between.get(&index)
                && let Some(ranges) = ranges.get_mut(&Quantization::between(node))
            {
                scale_ranges(ranges, factors);
            }
        }
    }

    fn apply_to(&self, index: usize, node: &Node, ParameterValues(values): &mut ParameterValues) {
        let (mut inputs, outputs) = (&self.of[node.inputs[0]], &self.of[index]);
        if let Some(between) = self.between.get(&index) {
            let taps = values.get_mut(&format!("{}.depthwise.weight", node.name));
            for (c, taps) in taps
                .into_iter()
                .flat_map(|taps| taps.chunks_exact_mut(9))
                .enumerate()
            {
                for tap in taps {
                    *tap = (f64::from(*tap) * between[c] / inputs[c]) as f32;
                }
            }
            inputs = between;
        }
        if let Some(weight) = values.get_mut(&node.op.kernel(&node.name, "weight")) {
            let filter = weight.len() / outputs.len();
            let area = filter / inputs.len();
            for (i, weight) in weight.iter_mut().enumerate() {
                let (o, c) = (i / filter, i % filter / area);
                *weight = (f64::from(*weight) * outputs[o] / inputs[c]) as f32;
            }
        }
        if let Some(bias) = values.get_mut(&node.op.kernel(&node.name, "bias")) {
            for (bias, factor) in bias.iter_mut().zip(outputs) {
                *bias = (f64::from(*bias) * factor) as f32;
            }
        }
    }
}

fn extent([low, high]: [f32; 2]) -> f32 {
    high.max(-low)
}

fn factor(share: f32) -> f64 {
    1.0 / f64::from(share.max(LEAST_RANGE))
}

fn scale_ranges(ranges: &mut [[f32; 2]], factors: &[f64]) {
    for (range, &factor) in ranges.iter_mut().zip(factors) {
        let scaled = range.map(|value| (f64::from(value) * factor) as f32);
        *range = [scaled[0].min(scaled[1]), scaled[0].max(scaled[1])];
    }
}

/// For each node the first of those whose channels have one factor with its own; none where it must be 1.
fn groups(graph: &Graph) -> Vec<Option<usize>> {
    let nodes = graph.nodes();
    let mut first: Vec<usize> = (0..nodes.len()).collect();
    let mut join = |a: usize, b: usize| {
        let (a, b) = (first[a].min(first[b]), first[a].max(first[b]));
        for group in &mut first {
            if *group == b {
                *group = a;
            }
        }
    };
    for (index, node) in nodes.iter().enumerate() {
        match node.op {
            Op::Add(_) => node.inputs.iter().for_each(|&input| join(index, input)),
            Op::MaxPool | Op::Upsample | Op::GlobalAverage | Op::ScaleChannels => {
                join(index, node.inputs[0]);
            }
            _ => {}
        }
    }
    let outputs = graph.outputs();
    let is_fixed = |index: usize| {
        let is_weighed = |node: &Node| match node.op {
            // Neither is linear in what it reads there.
            Op::Sigmoid => node.inputs[0] == index,
            Op::ScaleChannels => node.inputs[1] == index,
            _ => false,
        };
        index == 0 || outputs.contains(&index) || nodes.iter().any(is_weighed)
    };
    let fixed: Vec<usize> = (0..nodes.len())
        .filter(|&index| is_fixed(index))
        .map(|index| first[index])
        .collect();
    first
        .into_iter()
        .map(|group| (!fixed.contains(&group)).then_some(group))
        .collect()
}
