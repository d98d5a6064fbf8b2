//! A step of inference.

use aligned_vec::AVec;
#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::convolution::Convolution;
use super::integer::IntegerStep;
use super::memory::{Band, Buffers, Operands, Scratch, ScratchSizes};
use super::operations;
use crate::Instructions;
use crate::graph::{ActivationScale, Op};
use crate::kernels::{Map, channel_means, dequantize, quantize};

/// The values of an output from which its rows are shared between threads: fewer are done before another thread wakes up.
#[cfg(feature = "rayon")]
const LARGE: usize = 16_384;

/// Floats that are computed before they are rounded to integers: half of a usual innermost cache.
const ROUNDED: usize = 4096;

/// What is computed in one go.
#[derive(Debug)]
pub(super) struct Step {
    /// That of the node whose output it stores.
    pub(super) name: String,
    /// Multiplications of a weight with an activation.
    pub(super) multiply_adds: u64,
    pub(super) work: Work,
}

#[derive(Debug)]
pub(super) enum Work {
    /// From floats to floats, or to integers that are rounded at once.
    Float(Box<FloatStep>),
    /// From integers to integers.
    Integer(IntegerStep),
    /// The integers of floats.
    Quantize(Conversion),
    /// The floats of integers.
    Dequantize(Conversion),
    /// The means of integers over height and width, as floats.
    Means(Conversion),
}

/// Between a slot of floats and one of integers.
#[derive(Debug)]
pub(super) struct Conversion {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Of the input.
    pub(super) map: Map,
    /// Of the integers.
    pub(super) scale: ActivationScale,
}

/// How floats become integers.
#[derive(Debug)]
pub(super) struct Rounding {
    /// The slot of bytes that is written.
    pub(super) to: usize,
    pub(super) scale: ActivationScale,
}

/// An operation in its place, and what is done before its output is stored.
#[derive(Debug)]
pub(super) struct FloatStep {
    /// The name of the node that does most of the work.
    pub(super) node: String,
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
    /// The slot that it writes; none: it writes integers.
    pub(super) to: Option<usize>,
    pub(super) rounding: Option<Rounding>,
}

/// A slot of floats or of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum SlotIndex {
    Float(usize),
    Byte(usize),
}

impl Step {
    /// The slots that it reads.
    pub(super) fn reads(&self) -> Vec<SlotIndex> {
        match &self.work {
            Work::Float(step) => {
                let slots = step.from.iter().chain(&step.add);
                slots.map(|slot| SlotIndex::Float(*slot)).collect()
            }
            Work::Integer(step) => {
                let bytes = [Some(step.from), step.add].into_iter().flatten();
                let floats = step.factors.into_iter().map(SlotIndex::Float);
                bytes.map(SlotIndex::Byte).chain(floats).collect()
            }
            Work::Quantize(conversion) => vec![SlotIndex::Float(conversion.from)],
            Work::Dequantize(conversion) | Work::Means(conversion) => {
                vec![SlotIndex::Byte(conversion.from)]
            }
        }
    }

    /// The slot that it writes, if its output is stored.
    pub(super) fn writes(&self) -> Option<SlotIndex> {
        match &self.work {
            Work::Float(step) => {
                let rounded = step.rounding.as_ref();
                let rounded = rounded.map(|rounding| SlotIndex::Byte(rounding.to));
                step.to.map(SlotIndex::Float).or(rounded)
            }
            Work::Integer(step) => Some(SlotIndex::Byte(step.to)),
            Work::Quantize(conversion) => Some(SlotIndex::Byte(conversion.to)),
            Work::Dequantize(conversion) | Work::Means(conversion) => {
                Some(SlotIndex::Float(conversion.to))
            }
        }
    }

    /// The values of scratch memory that it needs.
    pub(super) fn scratch(&self) -> ScratchSizes {
        match &self.work {
            Work::Float(step) => {
                let convolution = step.convolution.as_ref();
                let of_convolution = |values: fn(&Convolution, Map, Map) -> usize| {
                    convolution.map_or(0, |convolution| {
                        values(convolution, step.input, step.output)
                    })
                };
                ScratchSizes {
                    values: of_convolution(Convolution::scratch),
                    pairs: of_convolution(Convolution::pairs),
                    rows: match step.rounding {
                        Some(_) => step.rounded_rows() * step.output.stride(),
                        None => 0,
                    },
                    ..ScratchSizes::default()
                }
            }
            Work::Integer(step) => ScratchSizes {
                bytes: step.scratch(),
                ..ScratchSizes::default()
            },
            Work::Quantize(_) | Work::Dequantize(_) | Work::Means(_) => ScratchSizes::default(),
        }
    }

    /// Computes the output, on as many threads as there is scratch memory for.
    pub(super) fn run(&self, instructions: Instructions, buffers: &mut Buffers) {
        let Buffers {
            slots,
            bytes,
            scratch,
        } = buffers;
        match &self.work {
            Work::Float(step) => step.run(instructions, slots, bytes, scratch),
            Work::Integer(step) => {
                let mut out = take(&mut bytes[step.to]);
                let run = |band: Band<'_, u8>, scratch: &mut Scratch| {
                    step.run(bytes, slots, band, scratch);
                };
                #[cfg(feature = "rayon")]
                let is_divisible = step.is_divisible();
                #[cfg(not(feature = "rayon"))]
                let is_divisible = false;
                in_bands(step.output, is_divisible, &mut out, scratch, run);
                bytes[step.to] = out;
            }
            Work::Quantize(Conversion {
                from,
                to,
                map,
                scale,
            }) => round(instructions, *map, &slots[*from], *scale, &mut bytes[*to]),
            Work::Dequantize(Conversion {
                from,
                to,
                map,
                scale: ActivationScale { scale, zero_point },
            }) => {
                for row in 0..map.shape[0] {
                    let row = map.span(row, 1);
                    let (x, out) = (&bytes[*from][row.clone()], &mut slots[*to][row]);
                    dequantize(instructions, x, *scale, *zero_point, out);
                }
            }
            Work::Means(Conversion {
                from,
                to,
                map,
                scale: ActivationScale { scale, zero_point },
            }) => {
                let means = Map::bordered([1, 1, map.shape[2]]).span(0, 1);
                let out = &mut slots[*to][means];
                channel_means(instructions, &bytes[*from], *map, *scale, *zero_point, out);
            }
        }
    }
}

/// Takes a slot to be written; the others are read. It is put back by the caller.
fn take<T>(slot: &mut AVec<T>) -> AVec<T> {
    std::mem::replace(slot, AVec::new(0))
}

/// The integers of the rows of a map.
fn round(
    instructions: Instructions,
    map: Map,
    x: &[f32],
    ActivationScale { scale, zero_point }: ActivationScale,
    out: &mut [u8],
) {
    for row in 0..map.shape[0] {
        let row = map.span(row, 1);
        let (x, out) = (&x[row.clone()], &mut out[row]);
        quantize(instructions, x, scale.recip(), zero_point, out);
    }
}

/// Computes all rows of an output, on as many threads as there is scratch memory for if it is divisible.
fn in_bands<T: Send>(
    output: Map,
    is_divisible: bool,
    out: &mut [T],
    scratch: &mut [Scratch],
    run: impl Fn(Band<'_, T>, &mut Scratch) + Sync,
) {
    let [height, ..] = output.shape;
    let below = &mut out[output.padded(0, 1)..];
    #[cfg(feature = "rayon")]
    if scratch.len() > 1 && is_divisible && output.size() >= LARGE {
        let count = height.div_ceil(scratch.len());
        let bands = below.par_chunks_mut(count * output.stride());
        // Below the last band lies a border that may fall into a piece of its own.
        let bands = bands.take(height.div_ceil(count)).zip(&mut scratch[..]);
        bands.enumerate().for_each(|(index, (out, scratch))| {
            let rows = index * count..height.min((index + 1) * count);
            run(Band { rows, out }, scratch);
        });
        return;
    }
    #[cfg(not(feature = "rayon"))]
    let _ = is_divisible;
    let whole = Band {
        rows: 0..height,
        out: below,
    };
    run(whole, &mut scratch[0]);
}

impl FloatStep {
    fn run(
        &self,
        instructions: Instructions,
        slots: &mut [AVec<f32>],
        bytes: &mut [AVec<u8>],
        scratch: &mut [Scratch],
    ) {
        match (self.to, &self.rounding) {
            (Some(to), _) => {
                let mut out = take(&mut slots[to]);
                let run = |band: Band<'_>, scratch: &mut Scratch| {
                    self.band(instructions, slots, band, scratch);
                };
                in_bands(self.output, self.is_divisible(), &mut out, scratch, run);
                slots[to] = out;
            }
            (None, Some(Rounding { to, scale })) => {
                let out = &mut bytes[*to];
                let run = |band: Band<'_, u8>, scratch: &mut Scratch| {
                    self.rounded_band(instructions, slots, *scale, band, scratch);
                };
                in_bands(self.output, self.is_divisible(), out, scratch, run);
            }
            (None, None) => {}
        }
    }

    /// The values between the halves of a separable convolution, if it is one.
    pub(super) fn between(&self, slots: &[AVec<f32>]) -> Option<Vec<f32>> {
        let x = &slots[*self.from.first()?];
        let convolution = self.convolution.as_ref()?;
        convolution.between(x, self.input, self.output)
    }

    /// Whether its rows can be computed apart from each other.
    fn is_divisible(&self) -> bool {
        match &self.convolution {
            Some(convolution) => convolution.is_divisible(),
            None => operations::is_divisible(&self.op),
        }
    }

    /// Rows that are computed before they are rounded.
    fn rounded_rows(&self) -> usize {
        let [height, ..] = self.output.shape;
        if self.is_divisible() {
            (ROUNDED / self.output.stride()).clamp(1, height)
        } else {
            height
        }
    }

    /// Computes a band of rows.
    fn band(
        &self,
        instructions: Instructions,
        slots: &[AVec<f32>],
        band: Band<'_>,
        scratch: &mut Scratch,
    ) {
        let slot = |index: usize| &slots[index][..];
        let operands = Operands {
            x: self.from.first().map_or(&[][..], |&index| slot(index)),
            input: self.input,
            second: self.from.get(1).map_or(&[][..], |&index| slot(index)),
            output: self.output,
            add: self.add.map(slot),
            relu: self.relu,
        };
        match &self.convolution {
            Some(convolution) => convolution.run(operands, band, scratch),
            None => operations::run(&self.op, instructions, operands, band),
        }
    }

    /// Computes a band of rows and rounds them to integers.
    fn rounded_band(
        &self,
        instructions: Instructions,
        slots: &[AVec<f32>],
        ActivationScale { scale, zero_point }: ActivationScale,
        Band { rows, out }: Band<'_, u8>,
        scratch: &mut Scratch,
    ) {
        let output = self.output;
        let count = self.rounded_rows();
        let mut floats = take(&mut scratch.rows);
        let parts = out.chunks_mut(count * output.stride());
        for (first, out) in rows.clone().step_by(count).zip(parts) {
            let rows = first..rows.end.min(first + count);
            let height = rows.len();
            let floats = &mut floats[..height * output.stride()];
            let band = Band { rows, out: floats };
            self.band(instructions, slots, band, scratch);
            for row in 0..height {
                let row = output.in_band(0, row)..output.in_band(0, row) + output.row();
                let (x, out) = (&floats[row.clone()], &mut out[row]);
                quantize(instructions, x, scale.recip(), zero_point, out);
            }
        }
        scratch.rows = floats;
    }
}
