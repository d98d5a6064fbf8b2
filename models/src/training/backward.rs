//! The backward pass, for the batch of the last forward pass.

use rayon::prelude::*;

use super::convolution::Packed;
use super::operations::{self, StepSample};
use super::plan::{Input, Kernel, Norm, TrainingPlan, TrainingStep};
use super::workspace::{BatchPart, Outputs, Workspace, cut};
use crate::graph::Op;
use crate::kernels::{self, add_assign};

impl Workspace {
    /// The gradient of the trained parameters from that of the logits, `[N, classes]`.
    pub(super) fn backward(
        &mut self,
        plan: &TrainingPlan,
        logits: &[f32],
        parameters: usize,
    ) -> Vec<f32> {
        self.prepare_gradients(plan);
        let mut gradient = vec![0.0; parameters];
        let mut start = 0;
        for &index in &plan.outputs {
            let len = plan.steps[index].len();
            let gradients = self.gradients[plan.steps[index].buffer].chunks_exact_mut(len);
            for (gradient, logits) in gradients.zip(logits.chunks_exact(plan.logits())) {
                gradient.copy_from_slice(&logits[start..][..len]);
            }
            start += len;
        }
        for index in (1..plan.steps.len()).rev() {
            self.step_back(plan, index, &mut gradient);
        }
        gradient
    }

    fn step_back(&mut self, plan: &TrainingPlan, index: usize, gradient: &mut [f32]) {
        let step = &plan.steps[index];
        if let Some(norm) = step.norm() {
            self.gather_norm(norm, index, step.shape, gradient);
        }
        // The inputs of a sum share its gradient.
        if matches!(step.op, Op::Add(_)) {
            return;
        }
        let (samples, parts) = (self.samples_per_part(), self.parts.len());
        let dys = std::mem::take(&mut self.gradients[step.buffer]);
        // The picture needs no gradient.
        let needs_gradient = |input: &&Input| plan.steps[input.step].op != Op::Input;
        let mut take = |input: &Input| match Some(input).filter(needs_gradient) {
            Some(input) => std::mem::take(&mut self.gradients[plan.steps[input.step].buffer]),
            None => Vec::new(),
        };
        let mut dxs = [0, 1].map(|i| step.inputs.get(i).map_or_else(Vec::new, &mut take));
        let len_in = |i: usize| match step.inputs.get(i) {
            Some(input) => plan.steps[input.step].len(),
            None => 0,
        };
        let [first, second] = &mut dxs;
        let first = cut(first, len_in(0), samples, parts);
        let second = cut(second, len_in(1), samples, parts);
        let outputs = Outputs {
            steps: &plan.steps,
            values: &self.values,
            norms: &self.norms,
        };
        let weights = &self.weights[index];
        let argmax = &self.argmax[index];
        dys.par_chunks(samples * step.len())
            .zip(first)
            .zip(second)
            .zip(&mut self.parts)
            .enumerate()
            .for_each(|(i, (((dys, first), second), part))| {
                let worker = Worker {
                    outputs,
                    index,
                    step,
                    first: i * samples,
                };
                match (&step.kernel, weights) {
                    (Some(kernel), Some(weights)) => {
                        worker.convolution(kernel, weights, dys, first, part);
                    }
                    _ => worker.operation(argmax, dys, [first, second], part),
                }
            });
        if let Some(kernel) = &step.kernel {
            let count = self.samples.div_ceil(samples);
            let sums = sum_parts(&mut self.parts[..count]);
            let (sums, bias_sums) = sums.split_at(kernel.shape.sum_len());
            kernel
                .shape
                .unpack_sum(sums, &mut gradient[kernel.weights.clone()]);
            if let Some(bias) = &kernel.bias {
                gradient[bias.clone()].copy_from_slice(bias_sums);
            }
        }
        self.gradients[step.buffer] = dys;
        for (input, dxs) in step.inputs.iter().zip(dxs) {
            if needs_gradient(&input) {
                self.gradients[plan.steps[input.step].buffer] = dxs;
            }
        }
    }

    /// The gradients of a norm's parameters from the sums of the parts, and what the gradient of its input needs.
    fn gather_norm(
        &mut self,
        norm: &Norm,
        index: usize,
        [height, width, channels]: [usize; 3],
        gradient: &mut [f32],
    ) {
        let mut sums = vec![0.0f32; 2 * channels];
        for part in &self.parts {
            add_assign(&mut sums, &part.norm_sums[norm.sums..][..2 * channels]);
        }
        let (plain, centred) = sums.split_at(channels);
        let count = (self.samples * height * width) as f32;
        let state = &mut self.norms[index];
        gradient[norm.bias.clone()].copy_from_slice(plain);
        let weights = &mut gradient[norm.weight.clone()];
        for c in 0..channels {
            let inverse = (1.0 / (state.variance[c] + norm.config.eps)) as f32;
            weights[c] = centred[c] * inverse.sqrt();
            state.mean_gradient[c] = plain[c] / count;
            state.slope[c] = centred[c] / count * inverse;
        }
    }
}

/// The sum of the parts' sums, in their order.
fn sum_parts(parts: &mut [BatchPart]) -> Vec<f32> {
    let (first, rest) = match parts {
        [first, rest @ ..] => (first, rest),
        [] => return Vec::new(),
    };
    let mut total = std::mem::take(&mut first.sums);
    for part in rest {
        add_assign(&mut total, &part.sums);
    }
    total
}

/// A step on its way back through a part of the batch.
struct Worker<'a> {
    outputs: Outputs<'a>,
    index: usize,
    step: &'a TrainingStep,
    /// The first sample of the part.
    first: usize,
}

impl Worker<'_> {
    fn convolution(
        &self,
        kernel: &Kernel,
        (packed, transposed): &(Packed, Packed),
        dys: &[f32],
        dxs: &mut [f32],
        part: &mut BatchPart,
    ) {
        let Self { outputs, step, .. } = *self;
        let (shape, input) = (&kernel.shape, &step.inputs[0]);
        let channels = step.shape[2];
        let bias_len = if kernel.bias.is_some() { channels } else { 0 };
        part.sums.clear();
        part.sums.resize(shape.sum_len() + bias_len, 0.0);
        let mut dxs = dxs.chunks_exact_mut(shape.input_len());
        for (j, dy) in dys.chunks_exact(step.len()).enumerate() {
            let sample = self.first + j;
            let dy = match &kernel.norm {
                Some(norm) => {
                    let state = &outputs.norms[self.index];
                    let z = &outputs.values[self.index][sample * dy.len()..][..dy.len()];
                    let behind = &mut part.samples[0];
                    behind.resize(dy.len(), 0.0);
                    let (mean_gradient, slope) = (&state.mean_gradient, &state.slope);
                    let gradient = state.gradient(norm);
                    gradient.input(z, dy, mean_gradient, slope, behind);
                    behind
                }
                None => dy,
            };
            let (sums, bias_sums) = part.sums.split_at_mut(shape.sum_len());
            if !bias_sums.is_empty() {
                for pixel in dy.chunks_exact(channels) {
                    add_assign(bias_sums, pixel);
                }
            }
            let (x, affine) = outputs.stored(input.step, sample);
            shape.arrange(x, affine.as_ref(), &mut part.scratch.arranged);
            let mut dx = dxs.next();
            shape.backward(
                (packed, transposed),
                dy,
                &mut part.scratch,
                sums,
                dx.as_deref_mut(),
                input.accumulates,
            );
            if let Some(dx) = dx {
                self.written(input, sample, dx, &mut part.norm_sums);
            }
        }
    }

    fn operation(&self, argmax: &[u32], dys: &[f32], dxs: [&mut [f32]; 2], part: &mut BatchPart) {
        let Self { outputs, step, .. } = *self;
        let len = step.len();
        let len_in = |i: usize| match step.inputs.get(i) {
            Some(input) => outputs.steps[input.step].len(),
            None => 1,
        };
        let [first, second] = dxs;
        let mut first = first.chunks_exact_mut(len_in(0));
        let mut second = second.chunks_exact_mut(len_in(1));
        for (j, dy) in dys.chunks_exact(len).enumerate() {
            let index = self.first + j;
            let sample = StepSample {
                outputs,
                step: self.index,
                index,
            };
            let mut dxs = [first.next(), second.next()];
            for (dx, input) in dxs.iter_mut().zip(&step.inputs) {
                if let (Some(dx), false) = (dx, input.accumulates) {
                    dx.fill(0.0);
                }
            }
            let argmax = argmax.get(index * len..).unwrap_or_default();
            let targets = dxs.each_mut().map(|dx| dx.as_deref_mut());
            operations::backward(sample, dy, argmax, targets, &mut part.samples);
            for (dx, input) in dxs.into_iter().zip(&step.inputs) {
                if let Some(dx) = dx {
                    self.written(input, index, dx, &mut part.norm_sums);
                }
            }
        }
    }

    /// The gradient of an input's sample is written; goes on with it while it is in cache.
    fn written(&self, input: &Input, sample: usize, dx: &mut [f32], norm_sums: &mut [f32]) {
        if input.is_last {
            self.finish(input.step, sample, dx, norm_sums);
        }
    }

    /// The gradient of a step's sample is whole.
    fn finish(&self, index: usize, sample: usize, dy: &mut [f32], norm_sums: &mut [f32]) {
        let step = &self.outputs.steps[index];
        let stored = &self.outputs.values[index][sample * dy.len()..][..dy.len()];
        if let Some(norm) = step.norm() {
            let channels = step.shape[2];
            let sums = &mut norm_sums[norm.sums..][..2 * channels];
            let (plain, centred) = sums.split_at_mut(channels);
            let gradient = self.outputs.norms[index].gradient(norm);
            gradient.add_sums(stored, dy, plain, centred);
        }
        if step.is_rectified() {
            kernels::mask(stored, dy);
        }
        for &input in &step.finishes {
            self.finish(input, sample, dy, norm_sums);
        }
    }
}
