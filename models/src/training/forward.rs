//! The forward pass.

use rayon::prelude::*;

use super::convolution::{ConvolutionGeometry, Packed};
use super::operations::{self, StepSample};
use super::plan::{Kernel, TrainingPlan};
use super::workspace::{BatchPart, Outputs, Workspace, cut};
use crate::kernels;

impl Workspace {
    /// Computes the logits of `faces`, `[N, H, W, 1]`, which [`Workspace::logits`] then holds. The norms use the statistics
    /// of the batch.
    pub(super) fn forward(&mut self, plan: &TrainingPlan, faces: &[f32], parameters: &[f32]) {
        self.prepare(plan, faces.len() / plan.steps[0].len());
        self.values[0].copy_from_slice(faces);
        for (index, step) in plan.steps.iter().enumerate().skip(1) {
            match &step.kernel {
                Some(kernel) => self.convolve(plan, index, kernel, parameters),
                None => self.operate(plan, index),
            }
            if let Some(norm) = step.norm() {
                let [height, width, _] = step.shape;
                let state = &mut self.norms[index];
                state.merge(&self.moments[index], height * width);
                state.set_affine(norm, parameters);
            }
        }
    }

    /// The logits of the last forward pass, `[N, logits]`.
    pub(super) fn logits(&self, plan: &TrainingPlan) -> Vec<f32> {
        let mut logits = Vec::with_capacity(self.samples * plan.logits());
        for sample in 0..self.samples {
            for &index in &plan.outputs {
                let len = plan.steps[index].len();
                logits.extend(&self.values[index][sample * len..][..len]);
            }
        }
        logits
    }

    /// Moves running statistics by those of the last forward pass' batch.
    pub(super) fn update_statistics(&self, plan: &TrainingPlan, statistics: &mut [f32]) {
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

    fn convolve(&mut self, plan: &TrainingPlan, index: usize, kernel: &Kernel, parameters: &[f32]) {
        let (samples, parts) = (self.samples_per_part(), self.parts.len());
        let (before, rest) = self.values.split_at_mut(index);
        let outputs = Outputs {
            steps: &plan.steps,
            values: before,
            norms: &self.norms,
        };
        let step = &plan.steps[index];
        let weights = &parameters[kernel.weights.clone()];
        let packed = kernel.shape.pack(weights);
        let layer = Layer {
            shape: &kernel.shape,
            weights: &packed,
            bias: kernel.bias.clone().map(|range| &parameters[range]),
            is_rectified: step.is_rectified(),
            input: step.inputs[0].step,
        };
        let moments = cut(&mut self.moments[index], 2 * step.shape[2], samples, parts);
        rest[0]
            .par_chunks_mut(samples * step.len())
            .zip(moments)
            .zip(&mut self.parts)
            .enumerate()
            .for_each(|(i, ((out, moments), part))| {
                layer.run(outputs, i * samples, out, moments, part);
            });
        self.weights[index] = Some((packed, kernel.shape.pack_transposed(weights)));
    }

    fn operate(&mut self, plan: &TrainingPlan, index: usize) {
        let (samples, parts) = (self.samples_per_part(), self.parts.len());
        let (before, rest) = self.values.split_at_mut(index);
        let outputs = Outputs {
            steps: &plan.steps,
            values: before,
            norms: &self.norms,
        };
        let len = plan.steps[index].len();
        let argmax = cut(&mut self.argmax[index], len, samples, parts);
        rest[0]
            .par_chunks_mut(samples * len)
            .zip(argmax)
            .zip(&mut self.parts)
            .enumerate()
            .for_each(|(i, ((out, argmax), part))| {
                let mut argmax = argmax.chunks_exact_mut(len);
                for (j, out) in out.chunks_exact_mut(len).enumerate() {
                    let sample = StepSample {
                        outputs,
                        step: index,
                        index: i * samples + j,
                    };
                    operations::forward(sample, out, argmax.next(), &mut part.samples);
                }
            });
    }
}

/// A convolution at work.
struct Layer<'a> {
    shape: &'a ConvolutionGeometry,
    weights: &'a Packed,
    bias: Option<&'a [f32]>,
    is_rectified: bool,
    input: usize,
}

impl Layer<'_> {
    fn run(
        &self,
        outputs: Outputs<'_>,
        first: usize,
        out: &mut [f32],
        moments: &mut [f32],
        part: &mut BatchPart,
    ) {
        let channels = self.shape.output[2];
        let mut moments = moments.chunks_exact_mut(2 * channels);
        for (j, out) in out.chunks_exact_mut(self.shape.output_len()).enumerate() {
            let (x, affine) = outputs.stored(self.input, first + j);
            self.shape
                .arrange(x, affine.as_ref(), &mut part.scratch.arranged);
            self.shape.forward(self.weights, &mut part.scratch, out);
            if let Some(bias) = self.bias {
                for pixel in out.chunks_exact_mut(channels) {
                    kernels::add_assign(pixel, bias);
                }
            }
            if self.is_rectified {
                for value in &mut *out {
                    // A comparison with NaN keeps it, so that it is seen in the loss.
                    if *value < 0.0 {
                        *value = 0.0;
                    }
                }
            }
            if let Some(moments) = moments.next() {
                let (mean, squares) = moments.split_at_mut(channels);
                kernels::moments(out, mean, squares);
            }
        }
    }
}
