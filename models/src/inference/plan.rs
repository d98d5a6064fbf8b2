//! The steps that compute a network, and their memory.

use std::collections::HashSet;

use aligned_vec::{AVec, avec};

use super::memory::{Buffers, Scratch, ScratchSizes};
use super::planner::Planner;
use super::step::{SlotIndex, Step, Work};
use crate::Instructions;
use crate::graph::FoldedNetwork;
use crate::kernels::{Map, SLACK};
use crate::precision::Precision;

/// Outputs that need not be wanted; further ones always are.
const MAX_OUTPUTS: usize = 8;

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
    /// What each slot of bytes holds, and the zero point of its border.
    bytes: Vec<(Map, u8)>,
    outputs: Vec<Output>,
    scratch: ScratchSizes,
}

/// An output of the network.
#[derive(Debug)]
struct Output {
    map: Map,
    /// The slot that holds it.
    slot: usize,
    /// The indices of the steps that compute it, rising.
    steps: Vec<usize>,
}

impl Plan {
    pub(super) fn new(
        network: &FoldedNetwork,
        instructions: Instructions,
        precision: Precision,
    ) -> Self {
        let nodes = network.graph().nodes();
        let mut planner = Planner::new(network, instructions, precision);
        planner.push_all();
        let outputs = network.graph().outputs().into_iter();
        let outputs: Vec<_> = outputs
            .map(|index| (Map::bordered(nodes[index].shape), planner.float(index)))
            .collect();
        let scratch = planner.steps.iter().map(Step::scratch);
        Self {
            instructions,
            precision,
            input: nodes[0].shape,
            logits: outputs.iter().map(|(map, _)| map.size()).sum(),
            scratch: scratch.fold(ScratchSizes::default(), |all, step| all.max(&step)),
            outputs: outputs
                .into_iter()
                .map(|(map, slot)| Output {
                    map,
                    slot,
                    steps: steps_of(&planner.steps, SlotIndex::Float(slot)),
                })
                .collect(),
            steps: planner.steps,
            slots: planner.floats.slots,
            bytes: planner.bytes.slots,
        }
    }

    /// Number of outputs.
    pub(super) fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Room for one face.
    pub(super) fn buffers(&self) -> Buffers {
        let bytes = self.bytes.iter();
        let bytes = bytes.map(|&(map, zero_point)| filled(map.len() + SLACK, zero_point));
        Buffers {
            slots: self.slots.iter().map(|map| avec![0.0; map.len()]).collect(),
            bytes: bytes.collect(),
            scratch: vec![self.scratch()],
        }
    }

    /// What a thread needs for itself.
    pub(super) fn scratch(&self) -> Scratch {
        let ScratchSizes {
            values,
            pairs,
            bytes,
            rows,
        } = self.scratch;
        Scratch {
            values: avec![0.0; values],
            pairs: avec![0; pairs],
            bytes: avec![0; bytes],
            rows: avec![0.0; rows],
        }
    }

    /// The steps in their order, to be run one by one.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Computes the logits of one face.
    pub(super) fn run(&self, buffers: &mut Buffers, face: &[f32], logits: &mut [f32]) {
        self.prepare(buffers, face);
        self.run_prepared(buffers, logits);
    }

    /// Puts a face into the first slot.
    fn prepare(&self, buffers: &mut Buffers, face: &[f32]) {
        let input = Map::bordered(self.input);
        let rows = face.chunks_exact(input.row());
        for (to, from) in input.rows_mut(&mut buffers.slots[0]).zip(rows) {
            to.copy_from_slice(from);
        }
    }

    /// Computes one face and shows the name, the channels and the values of what floats are stored.
    pub(super) fn observe(
        &self,
        buffers: &mut Buffers,
        face: &[f32],
        see: &mut impl FnMut(&str, usize, &[f32]),
    ) {
        self.prepare(buffers, face);
        for step in &self.steps {
            step.run(self.instructions, buffers);
            let Work::Float(float) = &step.work else {
                continue;
            };
            if let Some(between) = float.between(&buffers.slots) {
                let name = format!("{}.depthwise", float.node);
                see(&name, float.input.shape[2], &between);
            }
            if let Some(to) = float.to {
                let rows = float.output.rows(&buffers.slots[to]);
                let values: Vec<f32> = rows.flatten().copied().collect();
                see(&step.name, float.output.shape[2], &values);
            }
        }
    }

    /// The same of the face in the first slot.
    pub(super) fn run_prepared(&self, buffers: &mut Buffers, logits: &mut [f32]) {
        self.run_wanted(buffers, logits, self.outputs.len(), |_, _| true);
    }

    /// The same for the first `always` outputs. Each other one is computed if it is wanted, by its index and the logits of the
    /// first ones; else its logits are zero.
    pub(super) fn run_wanted(
        &self,
        buffers: &mut Buffers,
        logits: &mut [f32],
        always: usize,
        is_wanted: impl Fn(usize, &[f32]) -> bool,
    ) {
        let (first, others) = self.outputs.split_at(always);
        let last = first.iter().filter_map(|output| output.steps.last()).max();
        let (before, after) = self.steps.split_at(last.map_or(0, |last| last + 1));
        for step in before {
            step.run(self.instructions, buffers);
        }
        let size = first.iter().map(|output| output.map.size()).sum();
        let (values, rest) = logits.split_at_mut(size);
        let mut to = &mut *values;
        for output in first {
            to = output.read(buffers, to);
        }
        // Slots are used again, so steps keep their order.
        let wanted = |index: usize| is_wanted(always + index, values);
        let wanted: [bool; MAX_OUTPUTS] =
            std::array::from_fn(|index| index < others.len() && wanted(index));
        let wanted = || wanted.into_iter().chain(std::iter::repeat(true));
        let others = || others.iter().zip(wanted());
        for (index, step) in (before.len()..).zip(after) {
            let mut needing = others().filter(|(output, is_wanted)| {
                *is_wanted && output.steps.binary_search(&index).is_ok()
            });
            if needing.next().is_some() {
                step.run(self.instructions, buffers);
            }
        }
        let mut to = rest;
        for (output, is_wanted) in others() {
            if is_wanted {
                to = output.read(buffers, to);
            } else {
                let (here, rest) = to.split_at_mut(output.map.size());
                here.fill(0.0);
                to = rest;
            }
        }
    }
}

impl Output {
    /// Copies its values and returns the place behind them.
    fn read<'a>(&self, buffers: &Buffers, mut to: &'a mut [f32]) -> &'a mut [f32] {
        for row in self.map.rows(&buffers.slots[self.slot]) {
            let (here, rest) = to.split_at_mut(row.len());
            here.copy_from_slice(row);
            to = rest;
        }
        to
    }
}

/// The indices of the steps that what is in a slot at the end depends on.
fn steps_of(steps: &[Step], slot: SlotIndex) -> Vec<usize> {
    let mut needed = HashSet::from([slot]);
    let mut indices: Vec<usize> = (0..steps.len())
        .rev()
        .filter(|index| {
            let step = &steps[*index];
            let is_needed = step.writes().is_some_and(|written| needed.remove(&written));
            if is_needed {
                needed.extend(step.reads());
            }
            is_needed
        })
        .collect();
    indices.reverse();
    indices
}

fn filled(len: usize, value: u8) -> AVec<u8> {
    let mut bytes = avec![0; len];
    bytes.fill(value);
    bytes
}
