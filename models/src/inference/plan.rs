//! From a folded network to the steps that compute it.

use aligned_vec::avec;

use super::convolution::Convolution;
use super::fuse::{Group, groups};
use super::memory::{Buffers, Scratch};
use super::step::Step;
use crate::Instructions;
use crate::graph::{FoldedNetwork, Graph};
use crate::kernels::Map;
use crate::precision::Precision;

/// The steps of a network, and what memory they need.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) instructions: Instructions,
    pub(super) precision: Precision,
    /// `[H, W, C]` of a face.
    pub(super) input: [usize; 3],
    /// Values of all outputs.
    pub(super) logits: usize,
    steps: Vec<Step>,
    /// What each slot holds; the first holds the face.
    slots: Vec<Map>,
    /// What the outputs are and the slots that hold them.
    outputs: Vec<(Map, usize)>,
    scratch: usize,
    pairs: usize,
}

impl Plan {
    pub(super) fn new(
        network: &FoldedNetwork,
        instructions: Instructions,
        precision: Precision,
    ) -> Self {
        let graph = network.graph();
        let nodes = graph.nodes();
        let groups = groups(graph);
        let mut memory = Memory::default();
        // The slot of each node's output.
        let mut slots = vec![0; nodes.len()];
        slots[0] = memory.take(Map::bordered(nodes[0].shape));
        let mut steps = Vec::with_capacity(groups.len());
        for (index, group) in groups.iter().enumerate() {
            let output = Map::bordered(nodes[group.output].shape);
            slots[group.output] = memory.take(output);
            let node = &nodes[group.node];
            let averages = group.averages;
            steps.push(Step {
                name: nodes[group.output].name.clone(),
                multiply_adds: graph.multiply_adds_of(group.node),
                op: node.op,
                convolution: Convolution::new(network, node, averages, instructions, precision),
                input: Map::bordered(nodes[node.inputs[0]].shape),
                from: node.inputs.iter().map(|&input| slots[input]).collect(),
                add: group.add.map(|other| slots[other]),
                relu: group.relu,
                output,
                to: slots[group.output],
            });
            for read in reads(graph, group) {
                let mut later = groups[index + 1..].iter();
                if !later.any(|later| reads(graph, later).any(|other| other == read)) {
                    memory.give_back(slots[read]);
                }
            }
        }
        let outputs = graph.outputs().into_iter();
        let outputs: Vec<_> = outputs
            .map(|index| (Map::bordered(nodes[index].shape), slots[index]))
            .collect();
        Self {
            instructions,
            precision,
            input: nodes[0].shape,
            logits: outputs.iter().map(|(map, _)| map.size()).sum(),
            scratch: steps.iter().map(Step::scratch).max().unwrap_or(0),
            pairs: steps.iter().map(Step::pairs).max().unwrap_or(0),
            steps,
            slots: memory.slots,
            outputs,
        }
    }

    /// Room for one face.
    pub(super) fn buffers(&self) -> Buffers {
        Buffers {
            slots: self.slots.iter().map(|map| avec![0.0; map.len()]).collect(),
            scratch: vec![self.scratch()],
        }
    }

    /// What a thread needs for itself.
    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            values: avec![0.0; self.scratch],
            pairs: avec![0; self.pairs],
        }
    }

    /// The steps in their order, to be run one by one.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Computes the logits of one face.
    pub(super) fn run(&self, buffers: &mut Buffers, face: &[f32], logits: &mut [f32]) {
        let input = Map::bordered(self.input);
        let rows = face.chunks_exact(input.row());
        for (to, from) in input.rows_mut(&mut buffers.slots[0]).zip(rows) {
            to.copy_from_slice(from);
        }
        self.run_prepared(buffers, logits);
    }

    /// The same of the face in the first slot.
    pub(super) fn run_prepared(&self, buffers: &mut Buffers, logits: &mut [f32]) {
        for step in &self.steps {
            step.run(self.instructions, buffers);
        }
        let mut logits = logits;
        for &(map, slot) in &self.outputs {
            for row in map.rows(&buffers.slots[slot]) {
                let (here, rest) = logits.split_at_mut(row.len());
                here.copy_from_slice(row);
                logits = rest;
            }
        }
    }
}

/// The nodes whose outputs a group reads.
fn reads(graph: &Graph, group: &Group) -> impl Iterator<Item = usize> {
    let inputs = &graph.nodes()[group.node].inputs;
    inputs.iter().copied().chain(group.add)
}

/// Slots that are taken and given back.
#[derive(Default)]
struct Memory {
    slots: Vec<Map>,
    free: Vec<usize>,
}

impl Memory {
    /// A slot for maps of this shape: what others have left there, the border of zeros above all, fits.
    fn take(&mut self, map: Map) -> usize {
        match self.free.iter().position(|&slot| self.slots[slot] == map) {
            Some(place) => self.free.swap_remove(place),
            None => {
                self.slots.push(map);
                self.slots.len() - 1
            }
        }
    }

    fn give_back(&mut self, slot: usize) {
        // An operation may read a node twice.
        if !self.free.contains(&slot) {
            self.free.push(slot);
        }
    }
}
