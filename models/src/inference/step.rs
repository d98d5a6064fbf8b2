//! A step of inference.

use aligned_vec::AVec;
#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::convolution::Convolution;
use super::memory::{Band, Buffers, Operands, Scratch};
use super::operations;
use crate::Instructions;
use crate::graph::Op;
use crate::kernels::Map;

/// The values of an output from which its rows are shared between threads: fewer are done before another thread wakes up.
#[cfg(feature = "rayon")]
const LARGE: usize = 16_384;

/// An operation in its place, and what is done before its output is stored.
#[derive(Debug)]
pub(super) struct Step {
    /// That of the node whose output it stores.
    pub(super) name: String,
    /// Multiplications of a weight with an activation.
    pub(super) multiply_adds: u64,
    pub(super) op: Op,
    /// The weights, if it is a convolution.
    pub(super) convolution: Option<Convolution>,
    /// How the first input lies in memory.
    pub(super) input: Map,
    /// The slots that it reads.
    pub(super) from: Vec<usize>,
    /// The slot that is added.
    pub(super) add: Option<usize>,
    /// Whether max(0, y) ends it.
    pub(super) relu: bool,
    pub(super) output: Map,
    /// The slot that it writes.
    pub(super) to: usize,
}

impl Step {
    /// The values of scratch memory that it needs.
    pub(super) fn scratch(&self) -> usize {
        let convolution = self.convolution.as_ref();
        convolution.map_or(0, |convolution| {
            convolution.scratch(self.input, self.output)
        })
    }

    /// The pairs of bfloat16 that it needs.
    pub(super) fn pairs(&self) -> usize {
        let convolution = self.convolution.as_ref();
        convolution.map_or(0, |convolution| convolution.pairs(self.input, self.output))
    }

    /// Computes the output, on as many threads as there is scratch memory for.
    pub(super) fn run(&self, instructions: Instructions, buffers: &mut Buffers) {
        let Buffers { slots, scratch } = buffers;
        // The slot is another than those that are read; it is put back below.
        let mut out = std::mem::replace(&mut slots[self.to], AVec::new(0));
        let slot = |index: usize| &slots[index][..];
        let operands = Operands {
            x: self.from.first().map_or(&[][..], |&index| slot(index)),
            input: self.input,
            second: self.from.get(1).map_or(&[][..], |&index| slot(index)),
            output: self.output,
            add: self.add.map(slot),
            relu: self.relu,
        };
        let run = |band: Band<'_>, scratch: &mut Scratch| match &self.convolution {
            Some(convolution) => convolution.run(operands, band, scratch),
            None => operations::run(&self.op, instructions, operands, band),
        };
        let [height, ..] = self.output.shape;
        let below = &mut out[self.output.padded(0, 1)..];
        #[cfg(feature = "rayon")]
        if scratch.len() > 1 && self.is_divisible() {
            let count = height.div_ceil(scratch.len());
            let bands = below.par_chunks_mut(count * self.output.stride());
            // Below the last band lies a border that may fall into a piece of its own.
            let bands = bands.take(height.div_ceil(count)).zip(&mut scratch[..]);
            bands.enumerate().for_each(|(index, (out, scratch))| {
                let rows = index * count..height.min((index + 1) * count);
                run(Band { rows, out }, scratch);
            });
            slots[self.to] = out;
            return;
        }
        let whole = Band {
            rows: 0..height,
            out: below,
        };
        run(whole, &mut scratch[0]);
        slots[self.to] = out;
    }

    /// Whether its rows can be computed apart from each other, and are enough for several threads.
    #[cfg(feature = "rayon")]
    fn is_divisible(&self) -> bool {
        let is_divisible = match &self.convolution {
            Some(convolution) => convolution.is_divisible(),
            None => operations::is_divisible(&self.op),
        };
        is_divisible && self.output.size() >= LARGE
    }
}
