//! Steps whose inputs and outputs are integers of eight bits.

mod convolution;
mod scales;

use aligned_vec::AVec;

pub(super) use self::scales::Scales;

use self::convolution::IntegerConvolution;
use super::memory::{Band, Scratch};
use crate::Instructions;
use crate::graph::{ActivationScale, FoldedNetwork, Node, Op};
use crate::kernels::{
    IntegerAdd, IntegerMaxPool, IntegerScale, IntegerUpsample, Map, Requantization,
};

/// An operation on integers, in its place.
#[derive(Debug)]
pub(super) struct IntegerStep {
    work: Work,
    /// How its input lies in memory.
    pub(super) input: Map,
    pub(super) output: Map,
    /// The slot of bytes that it reads.
    pub(super) from: usize,
    /// The slot of floats that it reads.
    pub(super) factors: Option<usize>,
    /// The slot of bytes that is added.
    pub(super) add: Option<usize>,
    add_multiplier: f32,
    offset: f32,
    /// The slot of bytes that it writes.
    pub(super) to: usize,
    instructions: Instructions,
}

#[derive(Debug)]
enum Work {
    Convolution(Box<IntegerConvolution>),
    Add { multiplier: f32 },
    MaxPool { multiplier: f32 },
    Upsample { multiplier: f32 },
    ScaleChannels { multiplier: f32, zero_point: u8 },
}

/// Where a step stands among the slots.
pub(super) struct Places {
    pub(super) from: usize,
    pub(super) factors: Option<usize>,
    pub(super) add: Option<usize>,
    pub(super) to: usize,
}

/// Whether an operation other than a convolution can compute in integers.
pub(super) const fn can_be_integer(op: &Op) -> bool {
    matches!(
        op,
        Op::MaxPool | Op::Add(_) | Op::Upsample | Op::ScaleChannels
    )
}

impl IntegerStep {
    /// The step of a node; a convolution among them needs integers.
    pub(super) fn new(
        network: &FoldedNetwork,
        node: &Node,
        scales: Scales,
        places: Places,
        instructions: Instructions,
    ) -> Option<Self> {
        let Scales { input, add, output } = scales;
        let ratio = |from: ActivationScale| f64::from(from.scale) / f64::from(output.scale);
        let zero = |from: ActivationScale| ratio(from) * f64::from(from.zero_point);
        let multiplier = ratio(input) as f32;
        let mut offset = f64::from(output.zero_point) - add.map_or(0.0, zero);
        let work = match node.op {
            Op::Conv2d(_) | Op::SeparableConv2d(_) => {
                let convolution = IntegerConvolution::new(network, node, scales, instructions)?;
                Work::Convolution(Box::new(convolution))
            }
            Op::ScaleChannels => Work::ScaleChannels {
                multiplier,
                zero_point: input.zero_point,
            },
            ref op => {
                offset -= zero(input);
                match op {
                    Op::Add(_) => Work::Add { multiplier },
                    Op::MaxPool => Work::MaxPool { multiplier },
                    Op::Upsample => Work::Upsample { multiplier },
                    _ => return None,
                }
            }
        };
        Some(Self {
            work,
            input: Map::bordered(network.graph().nodes()[node.inputs[0]].shape),
            output: Map::bordered(node.shape),
            from: places.from,
            factors: places.factors,
            add: places.add,
            add_multiplier: add.map_or(0.0, |add| ratio(add) as f32),
            offset: offset as f32,
            to: places.to,
            instructions,
        })
    }

    /// The bytes of scratch memory that it needs.
    pub(super) fn scratch(&self) -> usize {
        match &self.work {
            Work::Convolution(convolution) => convolution.scratch(self.input, self.output),
            _ => 0,
        }
    }

    /// Whether its rows can be computed apart from each other.
    #[cfg(feature = "rayon")]
    pub(super) const fn is_divisible(&self) -> bool {
        !matches!(self.work, Work::MaxPool { .. })
    }

    /// Computes a band of rows; all of them if it is not divisible.
    pub(super) fn run(
        &self,
        slots: &[AVec<u8>],
        floats: &[AVec<f32>],
        band: Band<'_, u8>,
        scratch: &mut Scratch,
    ) {
        let Self {
            input,
            output,
            instructions,
            ..
        } = *self;
        let Band { rows, out } = band;
        let x = &slots[self.from][..];
        let [.., channels] = output.shape;
        // Of the same layout as `out`, which begins with the border in front of the first row.
        let below = output.padded(0, rows.start + 1);
        let requantization = Requantization {
            add: self.add.map(|add| &slots[add][below..]),
            add_multiplier: self.add_multiplier,
            offset: self.offset,
        };
        match self.work {
            Work::Convolution(ref convolution) => {
                let band = Band { rows, out };
                convolution.run(x, [input, output], requantization, band, scratch);
            }
            Work::Add { multiplier } => {
                // The border of the sum keeps its zero point.
                for (y, row) in rows.enumerate() {
                    let here = output.in_band(0, y)..output.in_band(0, y) + output.row();
                    let add = requantization.add.map(|add| &add[here.clone()]);
                    let step = IntegerAdd {
                        x: &x[input.span(row, 1)],
                        multiplier,
                        requantization: Requantization {
                            add,
                            ..requantization
                        },
                        out: &mut out[here],
                    };
                    instructions.dispatch(channels, step);
                }
            }
            Work::MaxPool { multiplier } => {
                let step = IntegerMaxPool {
                    x,
                    input,
                    multiplier,
                    requantization,
                    out,
                    output,
                };
                instructions.dispatch(channels, step);
            }
            Work::Upsample { multiplier } => {
                let step = IntegerUpsample {
                    x,
                    input,
                    multiplier,
                    requantization,
                    rows,
                    out,
                    output,
                };
                instructions.dispatch(channels, step);
            }
            Work::ScaleChannels {
                multiplier,
                zero_point,
            } => {
                let factors = Map::bordered([1, 1, channels]).span(0, 1);
                let step = IntegerScale {
                    x,
                    factors: self
                        .factors
                        .map_or(&[][..], |slot| &floats[slot][factors.clone()]),
                    zero_point,
                    multiplier,
                    requantization,
                    map: input,
                    rows,
                    out,
                };
                instructions.dispatch(channels, step);
            }
        }
    }
}
