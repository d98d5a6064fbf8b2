//! The memory that steps work on.

use std::ops::Range;

use aligned_vec::AVec;

use crate::kernels::Map;

/// The activations of one face on its way through the network.
#[derive(Debug, Clone)]
pub(super) struct Buffers {
    /// `[H + 2, W + 2, C]` each, with a border of zeros that stays.
    pub(super) slots: Vec<AVec<f32>>,
    /// That of each thread that works on the face, at least one.
    pub(super) scratch: Vec<Scratch>,
}

/// Values that live no longer than a step.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    pub(super) values: AVec<f32>,
    /// Inputs in bfloat16, two in each value.
    pub(super) pairs: AVec<u32>,
}

impl Buffers {
    /// Bytes of all of them.
    pub(super) fn size(&self) -> usize {
        let scratch = self.scratch.iter();
        let scratch = scratch.map(|scratch| scratch.values.len() + scratch.pairs.len());
        let slots = self.slots.iter().map(|slot| slot.len());
        size_of::<f32>() * slots.chain(scratch).sum::<usize>()
    }
}

/// What a step reads, and how its output lies in memory.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a> {
    /// The first input.
    pub(super) x: &'a [f32],
    /// How it lies in memory.
    pub(super) input: Map,
    /// The second input; empty if there is none.
    pub(super) second: &'a [f32],
    pub(super) output: Map,
    /// Added to the result; laid out like the output.
    pub(super) add: Option<&'a [f32]>,
    /// Whether max(0, y) follows.
    pub(super) relu: bool,
}

/// Rows of the output that are computed in one go.
pub(super) struct Band<'a> {
    pub(super) rows: Range<usize>,
    /// From the border in front of the first one on.
    pub(super) out: &'a mut [f32],
}
