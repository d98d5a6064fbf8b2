//! What each operation computes, one face at a time.

use super::memory::{Band, Operands};
use crate::Instructions;
use crate::graph::{Conv2dConfig, Op, Padding};
use crate::kernels::{Add, Map, MaxPool, ScaleChannels, Upsample, WindowSums, sigmoid};

/// Whether it can add another activation to its result before that is stored.
pub(super) const fn can_add(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv2d(_) | Op::SeparableConv2d(_) | Op::MaxPool | Op::Upsample | Op::ScaleChannels
    )
}

/// Whether it can compute the mean of its result instead: that of a convolution is linear in sums of its input.
pub(super) const fn can_average(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv2d(Conv2dConfig {
            stride: 1,
            padding: Padding::Same,
            ..
        })
    )
}

/// Whether the rows of its result can be computed apart from each other; a [`Convolution`](super::convolution::Convolution)
/// answers for itself.
pub(super) const fn is_divisible(op: &Op) -> bool {
    matches!(op, Op::Upsample | Op::Sigmoid | Op::ScaleChannels)
}

/// Computes a band of rows of anything but a convolution; all of them if it is not divisible.
pub(super) fn run(op: &Op, instructions: Instructions, operands: Operands<'_>, band: Band<'_>) {
    let Operands {
        x,
        input,
        second,
        output,
        relu,
        ..
    } = operands;
    let Band { rows, out } = band;
    let below = output.padded(0, rows.start + 1);
    let add = operands.add.map(|add| &add[below..]);
    match op {
        Op::MaxPool => MaxPool {
            x,
            input,
            add,
            relu,
            out,
            output,
            argmax: None,
        }
        .run(instructions),
        Op::Add(_) => Add {
            a: (&x[below..], None),
            b: (&second[below..], None),
            channels: out.len(),
            relu,
            out,
        }
        .run(instructions),
        Op::Upsample => Upsample {
            x,
            input,
            rows,
            add,
            relu,
            out,
            output,
        }
        .run(instructions),
        Op::GlobalAverage => WindowSums {
            x,
            input,
            reach: 0,
            out: &mut out[output.band(1)],
        }
        .run(instructions),
        Op::Sigmoid => {
            for (y, row) in rows.enumerate() {
                let out = &mut out[output.in_band(0, y)..][..output.row()];
                sigmoid(&x[input.span(row, 1)], out);
            }
        }
        Op::ScaleChannels => ScaleChannels {
            x,
            factors: &second[Map::bordered([1, 1, input.shape[2]]).span(0, 1)],
            map: input,
            rows,
            add,
            relu,
            out,
        }
        .run(instructions),
        // The input stands in its slot, convolutions have weights, and batch norms are folded.
        Op::Input | Op::Conv2d(_) | Op::SeparableConv2d(_) | Op::BatchNorm(_) => {}
    }
}
