//! Which nodes are computed together.

use crate::graph::folding::{FoldedNode, FoldedOp};
use crate::layers::{Activation, Padding};

/// A node, and what is done before its output is stored.
pub(super) struct Layer<'a> {
    /// What does most of the work.
    pub(super) node: &'a FoldedNode,
    /// What it reads.
    pub(super) input: usize,
    pub(super) tail: Option<Tail>,
    /// What is added.
    pub(super) add: Option<usize>,
    /// Whether max(0, y) ends it.
    pub(super) relu: bool,
    /// The node whose output it stores.
    pub(super) output: usize,
}

/// A node that is computed with the one in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    Add,
    Average,
}

impl Layer<'_> {
    /// The nodes whose outputs it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = usize> {
        [self.input].into_iter().chain(self.add)
    }
}

/// The layers of a network.
pub(super) fn fuse(nodes: &[FoldedNode]) -> Vec<Layer<'_>> {
    let taken: Vec<_> = (0..nodes.len())
        .map(|index| takes_up(nodes, index))
        .collect();
    let is_taken = |index| taken.iter().flatten().any(|&(before, _)| before == index);
    let mut layers = Vec::new();
    for (index, node) in nodes.iter().enumerate().skip(1) {
        if is_taken(index) {
            continue;
        }
        let (before, tail) = match taken[index] {
            Some((before, tail)) => (before, Some(tail)),
            None => (index, None),
        };
        let adds = matches!(node.op, FoldedOp::Add(_));
        let add = adds.then(|| match tail {
            Some(_) => node.inputs.iter().copied().find(|&other| other != before),
            None => node.inputs.get(1).copied(),
        });
        layers.push(Layer {
            node: &nodes[before],
            input: nodes[before].inputs[0],
            tail,
            add: add.flatten(),
            relu: activation(node) == Activation::Relu,
            output: index,
        });
    }
    layers
}

/// The node that is computed together with the node of this index, which alone reads it.
fn takes_up(nodes: &[FoldedNode], index: usize) -> Option<(usize, Tail)> {
    let node = &nodes[index];
    // The last of several inputs: by then the others are there.
    let before = *node.inputs.iter().max()?;
    let alone = nodes.iter().enumerate().all(|(reader, node)| {
        let times = node.inputs.iter().filter(|&&input| input == before).count();
        times == usize::from(reader == index)
    });
    if !alone || activation(&nodes[before]) != Activation::Linear {
        return None;
    }
    match (&node.op, &nodes[before].op) {
        (
            FoldedOp::Add(_),
            FoldedOp::Conv2d { .. }
            | FoldedOp::SeparableConv2d { .. }
            | FoldedOp::MaxPool
            | FoldedOp::Upsample,
        ) => Some((before, Tail::Add)),
        // The mean of a convolution's output is linear in sums of its input.
        (
            FoldedOp::GlobalAverage,
            FoldedOp::Conv2d {
                stride: 1,
                padding: Padding::Same,
                ..
            },
        ) => Some((before, Tail::Average)),
        _ => None,
    }
}

fn activation(node: &FoldedNode) -> Activation {
    match node.op {
        FoldedOp::Conv2d { activation, .. }
        | FoldedOp::SeparableConv2d { activation, .. }
        | FoldedOp::Add(activation) => activation,
        FoldedOp::Input | FoldedOp::MaxPool | FoldedOp::Upsample | FoldedOp::GlobalAverage => {
            Activation::Linear
        }
    }
}
