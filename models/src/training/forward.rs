//! The forward pass.

use rayon::prelude::*;

use super::plan::{Kind, Plan, Step};
use super::workspace::{Outputs, Part, Workspace};
use crate::kernels;
use crate::layers::Activation;
use crate::training::convolution::{Convolution, Packed};

impl Workspace {
    /// Computes the logits of `faces`, `[N, H, W, 1]`, which [`Workspace::logits`] then holds.
    ///
    /// The norms use `statistics`, or those of the batch if there are none, as in training.
    pub(super) fn forward(
        &mut self,
        plan: &Plan,
        faces: &[f32],
        parameters: &[f32],
        statistics: Option<&[f32]>,
    ) {
        self.prepare(plan, faces.len() / plan.steps[0].len());
        self.values[0].copy_from_slice(faces);
        for index in 1..plan.steps.len() {
            self.run(plan, index, parameters, statistics.is_none());
            let Some(norm) = plan.steps[index].norm() else {
                continue;
            };
            let [height, width, _] = plan.steps[index].shape;
            let state = &mut self.norms[index];
            match statistics {
                None => state.merge(&self.moments[index], height * width),
                Some(statistics) => {
                    let wide = |to: &mut [f64], from: &[f32]| {
                        for (to, &from) in to.iter_mut().zip(from) {
                            *to = f64::from(from);
                        }
                    };
                    wide(&mut state.mean, &statistics[norm.mean.clone()]);
                    wide(&mut state.variance, &statistics[norm.variance.clone()]);
                }
            }
            state.set_affine(norm, parameters);
        }
    }

    /// The logits of the last forward pass, `[N, logits]`.
    pub(super) fn logits(&self, plan: &Plan) -> Vec<f32> {
        let mut logits = Vec::with_capacity(self.samples * plan.logits());
        for sample in 0..self.samples {
            for &index in &plan.outputs {
                let len = plan.steps[index].len();
                logits.extend(&self.values[index][sample * len..][..len]);
            }
        }
        logits
    }

    /// Moves running statistics by what the last forward pass found in the batch.
    pub(super) fn follow(&self, plan: &Plan, statistics: &mut [f32]) {
        for (step, state) in plan.steps.iter().zip(&self.norms) {
            let Some(norm) = step.norm() else { continue };
            let count = (self.samples * step.shape[0] * step.shape[1]) as f64;
            // The unbiased estimate describes unseen pictures.
            let unbiased = count / (count - 1.0).max(1.0);
            let momentum = norm.config.momentum;
            let blend = |running: &mut f32, batch: f64| {
                *running = ((1.0 - momentum) * f64::from(*running) + momentum * batch) as f32;
            };
            for (running, &mean) in statistics[norm.mean.clone()].iter_mut().zip(&state.mean) {
                blend(running, mean);
            }
            let variances = &mut statistics[norm.variance.clone()];
            for (running, variance) in variances.iter_mut().zip(&state.variance) {
                blend(running, unbiased * variance);
            }
        }
    }

    fn run(&mut self, plan: &Plan, index: usize, parameters: &[f32], training: bool) {
        let per_part = self.samples_per_part();
        let (before, rest) = self.values.split_at_mut(index);
        let inputs = Outputs {
            steps: &plan.steps,
            values: before,
            norms: &self.norms,
        };
        let step = &plan.steps[index];
        let len = step.len();
        let out = &mut rest[0];
        match &step.kind {
            Kind::Input => {}
            Kind::Convolution {
                shape,
                weights,
                bias,
                norm,
            } => {
                let weights = &parameters[weights.clone()];
                let packed = shape.pack(weights);
                let bias = bias.clone().map(|range| &parameters[range]);
                let moments: Vec<&mut [f32]> = if norm.is_some() && training {
                    let len = 2 * step.shape[2];
                    self.moments[index].chunks_mut(per_part * len).collect()
                } else {
                    out.chunks(per_part * len)
                        .map(|_| <&mut [f32]>::default())
                        .collect()
                };
                let work = Layer {
                    shape,
                    weights: &packed,
                    bias,
                    input: step.inputs[0].step,
                };
                out.par_chunks_mut(per_part * len)
                    .zip(moments)
                    .zip(&mut self.parts)
                    .enumerate()
                    .for_each(|(i, ((out, moments), part))| {
                        work.run(inputs, i * per_part, out, moments, part);
                    });
                if training {
                    self.weights[index] = Some((packed, shape.pack_transposed(weights)));
                }
            }
            Kind::MaxPool => {
                out.par_chunks_mut(per_part * len)
                    .zip(self.winners[index].par_chunks_mut(per_part * len))
                    .zip(&mut self.parts)
                    .enumerate()
                    .for_each(|(i, ((out, winners), part))| {
                        let outputs = out.chunks_exact_mut(len).zip(winners.chunks_exact_mut(len));
                        for (j, (out, winners)) in outputs.enumerate() {
                            max_pool(step, inputs, i * per_part + j, out, winners, part);
                        }
                    });
            }
            Kind::Add(activation) => {
                let relu = *activation == Activation::Relu;
                out.par_chunks_mut(per_part * len)
                    .enumerate()
                    .for_each(|(i, out)| {
                        for (j, out) in out.chunks_exact_mut(len).enumerate() {
                            let [a, b] = [0, 1].map(|input| {
                                inputs.stored(step.inputs[input].step, i * per_part + j)
                            });
                            kernels::add(a, b, step.shape[2], relu, out);
                        }
                    });
            }
            Kind::Upsample | Kind::GlobalAverage => {
                let input = step.inputs[0].step;
                out.par_chunks_mut(per_part * len)
                    .zip(&mut self.parts)
                    .enumerate()
                    .for_each(|(i, (out, part))| {
                        for (j, out) in out.chunks_exact_mut(len).enumerate() {
                            let x = inputs.sample(input, i * per_part + j, &mut part.sample);
                            match step.kind {
                                Kind::Upsample => upsample(x, step.shape, out),
                                _ => average(x, out),
                            }
                        }
                    });
            }
        }
    }
}

/// A convolution at work.
struct Layer<'a> {
    shape: &'a Convolution,
    weights: &'a Packed,
    bias: Option<&'a [f32]>,
    input: usize,
}

impl Layer<'_> {
    fn run(
        &self,
        inputs: Outputs<'_>,
        first: usize,
        out: &mut [f32],
        moments: &mut [f32],
        part: &mut Part,
    ) {
        let channels = self.shape.output[2];
        let mut moments = moments.chunks_exact_mut(2 * channels);
        for (j, out) in out.chunks_exact_mut(self.shape.output_len()).enumerate() {
            let (x, affine) = inputs.stored(self.input, first + j);
            self.shape
                .arrange(x, affine.as_ref(), &mut part.scratch.arranged);
            self.shape.forward(self.weights, &mut part.scratch, out);
            if let Some(bias) = self.bias {
                for pixel in out.chunks_exact_mut(channels) {
                    kernels::add_assign(pixel, bias);
                }
            }
            if let Some(moments) = moments.next() {
                let (mean, squares) = moments.split_at_mut(channels);
                kernels::moments(out, mean, squares);
            }
        }
    }
}

fn max_pool(
    step: &Step,
    inputs: Outputs<'_>,
    sample: usize,
    out: &mut [f32],
    winners: &mut [u32],
    part: &mut Part,
) {
    let input = step.inputs[0].step;
    let [height, width, channels] = inputs.steps[input].shape;
    kernels::MaxPool {
        x: inputs.sample(input, sample, &mut part.sample),
        height,
        width,
        channels,
        out,
        winners,
    }
    .compute();
}

/// Each pixel four times; `out` has this shape.
fn upsample(x: &[f32], [_, width, channels]: [usize; 3], out: &mut [f32]) {
    let rows = x.chunks_exact(width / 2 * channels);
    for (out, row) in out.chunks_exact_mut(2 * width * channels).zip(rows) {
        let (upper, lower) = out.split_at_mut(width * channels);
        for (pair, pixel) in upper
            .chunks_exact_mut(2 * channels)
            .zip(row.chunks_exact(channels))
        {
            let (left, right) = pair.split_at_mut(channels);
            left.copy_from_slice(pixel);
            right.copy_from_slice(pixel);
        }
        lower.copy_from_slice(upper);
    }
}

/// The mean of each channel over the pixels of a sample.
fn average(x: &[f32], out: &mut [f32]) {
    let factor = out.len() as f32 / x.len() as f32;
    out.fill(0.0);
    for pixel in x.chunks_exact(out.len()) {
        kernels::add_assign(out, pixel);
    }
    for out in out {
        *out *= factor;
    }
}
