//! The backward pass, for the batch of the last forward pass.

use rayon::prelude::*;

use super::plan::{Input, Kind, Norm, Plan};
use super::workspace::{NormState, Outputs, Part, Workspace};
use crate::kernels::{self, add_assign};
use crate::layers::Activation;
use crate::training::convolution::{Convolution, Packed, PackedTransposed};

impl Workspace {
    /// The gradient of the trained parameters, so many of them, from that of the logits, `[N, classes]`.
    pub(super) fn backward(&mut self, plan: &Plan, logits: &[f32], parameters: usize) -> Vec<f32> {
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

    fn step_back(&mut self, plan: &Plan, index: usize, gradient: &mut [f32]) {
        let step = &plan.steps[index];
        if let Some(norm) = step.norm() {
            self.gather_norm(norm, index, step.shape, gradient);
        }
        if matches!(step.kind, Kind::Input | Kind::Add(_)) {
            return;
        }
        let input = &step.inputs[0];
        let target = &plan.steps[input.step];
        let per_part = self.samples_per_part();
        let dys = std::mem::take(&mut self.gradients[step.buffer]);
        // The picture needs no gradient.
        let mut dxs = match target.kind {
            Kind::Input => Vec::new(),
            _ => std::mem::take(&mut self.gradients[target.buffer]),
        };
        let outputs = Outputs {
            steps: &plan.steps,
            values: &self.values,
            norms: &self.norms,
        };
        let (len, len_in) = (step.len(), target.len());
        let dx_parts: Vec<&mut [f32]> = if dxs.is_empty() {
            dys.chunks(per_part * len)
                .map(|_| <&mut [f32]>::default())
                .collect()
        } else {
            dxs.chunks_mut(per_part * len_in).collect()
        };
        let parts = dys
            .par_chunks(per_part * len)
            .zip(dx_parts)
            .zip(&mut self.parts)
            .enumerate();
        let worker = |first: usize| Worker {
            outputs,
            index,
            input,
            first,
        };
        match &step.kind {
            Kind::Convolution {
                shape,
                weights,
                bias,
                ..
            } => {
                let Some((packed, transposed)) = &self.weights[index] else {
                    return;
                };
                parts.for_each(|(i, ((dys, dxs), part))| {
                    worker(i * per_part).convolution(shape, (packed, transposed), dys, dxs, part);
                });
                let count = self.samples.div_ceil(per_part);
                let sums = sum_parts(&mut self.parts[..count]);
                let (sums, bias_sums) = sums.split_at(shape.sum_len());
                shape.unpack_sum(sums, &mut gradient[weights.clone()]);
                if let Some(bias) = bias {
                    gradient[bias.clone()].copy_from_slice(bias_sums);
                }
            }
            Kind::MaxPool => {
                let winners = &self.winners[index];
                parts.for_each(|(i, ((dys, dxs), part))| {
                    let winners = &winners[i * per_part * len..];
                    worker(i * per_part).max_pool(winners, dys, dxs, part);
                });
            }
            Kind::Upsample => parts.for_each(|(i, ((dys, dxs), part))| {
                worker(i * per_part).upsample(dys, dxs, part);
            }),
            Kind::GlobalAverage => parts.for_each(|(i, ((dys, dxs), part))| {
                worker(i * per_part).average(dys, dxs, part);
            }),
            Kind::Input | Kind::Add(_) => {}
        }
        self.gradients[step.buffer] = dys;
        if !matches!(target.kind, Kind::Input) {
            self.gradients[target.buffer] = dxs;
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
fn sum_parts(parts: &mut [Part]) -> Vec<f32> {
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
    input: &'a Input,
    /// The first sample of the part.
    first: usize,
}

impl Worker<'_> {
    fn convolution(
        &self,
        shape: &Convolution,
        weights: (&Packed, &PackedTransposed),
        dys: &[f32],
        dxs: &mut [f32],
        part: &mut Part,
    ) {
        let step = &self.outputs.steps[self.index];
        let channels = step.shape[2];
        let has_bias = matches!(step.kind, Kind::Convolution { bias: Some(_), .. });
        let bias_len = if has_bias { channels } else { 0 };
        part.sums.clear();
        part.sums.resize(shape.sum_len() + bias_len, 0.0);
        let mut dxs = dxs.chunks_exact_mut(shape.input_len());
        for (j, dy) in dys.chunks_exact(step.len()).enumerate() {
            let sample = self.first + j;
            let dy = match step.norm() {
                Some(norm) => {
                    let state: &NormState = &self.outputs.norms[self.index];
                    let z = &self.outputs.values[self.index][sample * dy.len()..][..dy.len()];
                    part.sample.resize(dy.len(), 0.0);
                    state.gradient(norm).input(
                        z,
                        dy,
                        &state.mean_gradient,
                        &state.slope,
                        &mut part.sample,
                    );
                    &part.sample
                }
                None => dy,
            };
            let (sums, bias_sums) = part.sums.split_at_mut(shape.sum_len());
            if has_bias {
                for pixel in dy.chunks_exact(channels) {
                    add_assign(bias_sums, pixel);
                }
            }
            let (x, affine) = self.outputs.stored(self.input.step, sample);
            shape.arrange(x, affine.as_ref(), &mut part.scratch.arranged);
            let mut dx = dxs.next();
            shape.backward(
                weights,
                dy,
                &mut part.scratch,
                sums,
                dx.as_deref_mut(),
                self.input.accumulates,
            );
            if let Some(dx) = dx {
                self.written(sample, dx, &mut part.norm_sums);
            }
        }
    }

    fn max_pool(&self, winners: &[u32], dys: &[f32], dxs: &mut [f32], part: &mut Part) {
        let step = &self.outputs.steps[self.index];
        let len_in = self.outputs.steps[self.input.step].len();
        let samples = dys
            .chunks_exact(step.len())
            .zip(winners.chunks_exact(step.len()));
        for (j, ((dy, winners), dx)) in samples.zip(dxs.chunks_exact_mut(len_in)).enumerate() {
            if !self.input.accumulates {
                dx.fill(0.0);
            }
            kernels::scatter(winners, dy, step.shape[2], dx);
            self.written(self.first + j, dx, &mut part.norm_sums);
        }
    }

    fn upsample(&self, dys: &[f32], dxs: &mut [f32], part: &mut Part) {
        let step = &self.outputs.steps[self.index];
        let [_, width, channels] = step.shape;
        let row = width * channels;
        let samples = dys.chunks_exact(step.len());
        for (j, (dy, dx)) in samples
            .zip(dxs.chunks_exact_mut(step.len() / 4))
            .enumerate()
        {
            if !self.input.accumulates {
                dx.fill(0.0);
            }
            for (dx, dy) in dx.chunks_exact_mut(row / 2).zip(dy.chunks_exact(2 * row)) {
                for dy in dy.chunks_exact(row) {
                    let pairs = dy.chunks_exact(2 * channels);
                    for (dx, pair) in dx.chunks_exact_mut(channels).zip(pairs) {
                        let (left, right) = pair.split_at(channels);
                        add_assign(dx, left);
                        add_assign(dx, right);
                    }
                }
            }
            self.written(self.first + j, dx, &mut part.norm_sums);
        }
    }

    fn average(&self, dys: &[f32], dxs: &mut [f32], part: &mut Part) {
        let channels = self.outputs.steps[self.index].shape[2];
        let len_in = self.outputs.steps[self.input.step].len();
        let factor = channels as f32 / len_in as f32;
        let samples = dys.chunks_exact(channels).zip(dxs.chunks_exact_mut(len_in));
        for (j, (dy, dx)) in samples.enumerate() {
            for pixel in dx.chunks_exact_mut(channels) {
                for (dx, dy) in pixel.iter_mut().zip(dy) {
                    let old = if self.input.accumulates { *dx } else { 0.0 };
                    *dx = old + factor * dy;
                }
            }
            self.written(self.first + j, dx, &mut part.norm_sums);
        }
    }

    /// The gradient of the input's sample is written; goes on with it while it is in cache.
    fn written(&self, sample: usize, dx: &mut [f32], norm_sums: &mut [f32]) {
        if self.input.is_last {
            self.finish(self.input.step, sample, dx, norm_sums);
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
        if let Kind::Add(Activation::Relu) = step.kind {
            kernels::mask(stored, dy);
        }
        for &input in &step.finishes {
            self.finish(input, sample, dy, norm_sums);
        }
    }
}
