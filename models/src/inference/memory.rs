//! The memory that steps work on.

use std::ops::Range;

use aligned_vec::AVec;

use crate::kernels::Map;

/// The activations of one face on its way through the network.
#[derive(Debug, Clone)]
pub(super) struct Buffers {
    /// `[H + 2, W + 2, C]` each, with a border of zeros that stays.
    pub(super) slots: Vec<AVec<f32>>,
    /// The same of integers of eight bits; the border holds the zero point.
    pub(super) bytes: Vec<AVec<u8>>,
    /// That of each thread that works on the face, at least one.
    pub(super) scratch: Vec<Scratch>,
}

/// Values that live no longer than a step.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    pub(super) values: AVec<f32>,
    /// Inputs in bfloat16, two in each value.
    pub(super) pairs: AVec<u32>,
    /// Integers between the halves of a separable convolution.
    pub(super) bytes: AVec<u8>,
    /// Rows before they are rounded to integers.
    pub(super) rows: AVec<f32>,
}

impl Buffers {
    /// Bytes of all of them.
    pub(super) fn size(&self) -> usize {
        let scratch = self.scratch.iter().map(Scratch::size);
        let slots = self.slots.iter().map(|slot| size_of_val(&slot[..]));
        let bytes = self.bytes.iter().map(|slot| slot.len());
        slots.chain(bytes).chain(scratch).sum()
    }
}

impl Scratch {
    fn size(&self) -> usize {
        let Self {
            values,
            pairs,
            bytes,
            rows,
        } = self;
        size_of_val(&values[..]) + size_of_val(&pairs[..]) + bytes.len() + size_of_val(&rows[..])
    }
}

/// The values of each kind of scratch memory.
#[derive(Debug, Default)]
pub(super) struct ScratchSizes {
    pub(super) values: usize,
    pub(super) pairs: usize,
    pub(super) bytes: usize,
    pub(super) rows: usize,
}

impl ScratchSizes {
    /// The larger of each.
    pub(super) fn max(self, other: &Self) -> Self {
        Self {
            values: self.values.max(other.values),
            pairs: self.pairs.max(other.pairs),
            bytes: self.bytes.max(other.bytes),
            rows: self.rows.max(other.rows),
        }
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
pub(super) struct Band<'a, T = f32> {
    pub(super) rows: Range<usize>,
    /// From the border in front of the first one on.
    pub(super) out: &'a mut [T],
}
