//! The steps that compute a network, and their memory.

use aligned_vec::{AVec, avec};

use super::memory::{Buffers, Scratch, ScratchSizes};
use super::planner::Planner;
use super::step::{Step, Work};
use crate::Instructions;
use crate::graph::FoldedNetwork;
use crate::kernels::{Map, SLACK};
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
    /// What each slot of bytes holds, and the zero point of its border.
    bytes: Vec<(Map, u8)>,
    /// What the outputs are and the slots that hold them.
    outputs: Vec<(Map, usize)>,
    scratch: ScratchSizes,
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
            steps: planner.steps,
            slots: planner.floats.slots,
            bytes: planner.bytes.slots,
            outputs,
        }
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

fn filled(len: usize, value: u8) -> AVec<u8> {
    let mut bytes = avec![0; len];
    bytes.fill(value);
    bytes
}
