//! Which nodes are computed together.

use super::operations::{can_add, can_average};
use crate::graph::{Activation, Graph, Op};

/// Nodes whose results are computed in one go.
pub(super) struct Group {
    /// The node that does most of the work.
    pub(super) node: usize,
    /// Whether the mean of its result is computed.
    pub(super) averages: bool,
    /// The node whose output is added to its result.
    pub(super) add: Option<usize>,
    /// Whether max(0, y) ends it.
    pub(super) relu: bool,
    /// The node whose output it stores.
    pub(super) output: usize,
}

/// The groups of a network in the order of their computation.
pub(super) fn groups(graph: &Graph) -> Vec<Group> {
    let nodes = graph.nodes();
    let taken: Vec<_> = (0..nodes.len())
        .map(|index| takes_up(graph, index))
        .collect();
    let is_taken = |index| taken.iter().flatten().any(|&before| before == index);
    let mut groups = Vec::new();
    for (index, node) in nodes.iter().enumerate().skip(1) {
        if is_taken(index) {
            continue;
        }
        let mut group = Group {
            node: index,
            averages: false,
            add: None,
            relu: node.op.activation() == Activation::Relu,
            output: index,
        };
        if let Some(before) = taken[index] {
            group.node = before;
            group.averages = node.op == Op::GlobalAverage;
            group.add = node.inputs.iter().copied().find(|&other| other != before);
        }
        groups.push(group);
    }
    groups
}

/// The node that is computed together with this one, which alone reads it.
fn takes_up(graph: &Graph, index: usize) -> Option<usize> {
    let node = &graph.nodes()[index];
    // The last of several inputs: by then the others are there.
    let before = *node.inputs.iter().max()?;
    let op = &graph.nodes()[before].op;
    let is_alone = graph.reads(index, before) == (1, 1) && op.activation() == Activation::Linear;
    let fits = match node.op {
        Op::Add(_) => can_add(op),
        Op::GlobalAverage => can_average(op),
        _ => false,
    };
    (is_alone && fits).then_some(before)
}
