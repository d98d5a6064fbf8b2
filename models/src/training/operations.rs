//! What each operation but a convolution computes, one sample at a time, forward and backward.

use super::workspace::Outputs;
use crate::Instructions;
use crate::graph::{Activation, Op};
use crate::kernels::{
    Add, Map, MaxPool, ScaleChannels, Upsample, WindowSums, add_products, add_upsample_gradient,
    scatter, sigmoid,
};

/// A sample of a step.
#[derive(Clone, Copy)]
pub(super) struct StepSample<'a> {
    pub(super) outputs: Outputs<'a>,
    /// The step's index.
    pub(super) step: usize,
    /// Its index in the batch.
    pub(super) index: usize,
}

/// Computes a sample of the output, and of a max-pooling the pixels that it came from.
pub(super) fn forward(
    sample: StepSample<'_>,
    out: &mut [f32],
    argmax: Option<&mut [u32]>,
    [first, second]: &mut [Vec<f32>; 2],
) {
    let StepSample {
        outputs,
        step,
        index,
    } = sample;
    let step = &outputs.steps[step];
    let read = |input: usize| step.inputs[input].step;
    let map = |input: usize| Map::borderless(outputs.steps[read(input)].shape);
    let output = Map::borderless(step.shape);
    let [height, _, channels] = step.shape;
    let instructions = Instructions::best();
    match step.op {
        Op::MaxPool => MaxPool {
            x: outputs.sample(read(0), index, first),
            input: map(0),
            add: None,
            relu: false,
            out,
            output,
            argmax,
        }
        .run(instructions),
        Op::Add(activation) => Add {
            a: outputs.stored(read(0), index),
            b: outputs.stored(read(1), index),
            channels,
            relu: activation == Activation::Relu,
            out,
        }
        .run(instructions),
        Op::Upsample => Upsample {
            x: outputs.sample(read(0), index, first),
            input: map(0),
            rows: 0..height,
            add: None,
            relu: false,
            out,
            output,
        }
        .run(instructions),
        Op::GlobalAverage => WindowSums {
            x: outputs.sample(read(0), index, first),
            input: map(0),
            reach: 0,
            out,
        }
        .run(instructions),
        Op::Sigmoid => sigmoid(outputs.sample(read(0), index, first), out),
        Op::ScaleChannels => ScaleChannels {
            x: outputs.sample(read(0), index, first),
            factors: outputs.sample(read(1), index, second),
            map: output,
            rows: 0..height,
            add: None,
            relu: false,
            out,
        }
        .run(instructions),
        // The input stands in its place, and a norm is part of its convolution.
        Op::Input | Op::Conv2d(_) | Op::SeparableConv2d(_) | Op::BatchNorm(_) => {}
    }
}

/// Adds to the gradients of a sample's inputs from that of its output, `dy`. An input that needs no gradient has none to
/// add to.
pub(super) fn backward(
    sample: StepSample<'_>,
    dy: &[f32],
    argmax: &[u32],
    [dx, dx_second]: [Option<&mut [f32]>; 2],
    [first, second]: &mut [Vec<f32>; 2],
) {
    let StepSample {
        outputs,
        step,
        index,
    } = sample;
    let (y, _) = outputs.stored(step, index);
    let step = &outputs.steps[step];
    let [_, width, channels] = step.shape;
    let dx = dx.unwrap_or_default();
    match step.op {
        Op::MaxPool => scatter(argmax, dy, channels, dx),
        Op::Upsample => add_upsample_gradient(dy, width * channels, channels, dx),
        Op::GlobalAverage => {
            let factor = channels as f32 / dx.len() as f32;
            for pixel in dx.chunks_exact_mut(channels) {
                for (dx, dy) in pixel.iter_mut().zip(dy) {
                    *dx += factor * dy;
                }
            }
        }
        Op::Sigmoid => {
            for ((dx, dy), y) in dx.iter_mut().zip(dy).zip(y) {
                *dx += dy * y * (1.0 - y);
            }
        }
        Op::ScaleChannels => {
            let factors = outputs.sample(step.inputs[1].step, index, second);
            let pixels = dx.chunks_exact_mut(channels);
            for (dx, dy) in pixels.zip(dy.chunks_exact(channels)) {
                for ((dx, dy), factor) in dx.iter_mut().zip(dy).zip(factors) {
                    *dx += dy * factor;
                }
            }
            if let Some(dx) = dx_second {
                let x = outputs.sample(step.inputs[0].step, index, first);
                add_products(x, dy, dx);
            }
        }
        // The inputs of a sum share its gradient.
        Op::Add(_) | Op::Input | Op::Conv2d(_) | Op::SeparableConv2d(_) | Op::BatchNorm(_) => {}
    }
}
