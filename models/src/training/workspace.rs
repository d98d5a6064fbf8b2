//! The memory of a network in training; it is kept from step to step.

use super::convolution::{ConvolutionScratch, Packed};
use super::plan::{Norm, TrainingPlan, TrainingStep};
use crate::graph::{Activation, Op};
use crate::kernels::{self, AffineGradient};

/// A batch is cut into at most this many parts, which are computed side by side and whose gradients are summed in order.
/// The number is fixed, and not that of the threads, so that sums are the same on every machine.
pub(super) const PARTS: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// Samples in the batch of the last forward pass.
    pub(super) samples: usize,
    /// Counts forward passes.
    pub(super) passes: u64,
    /// The output of each step, `[N, H, W, C]`; that of a normed convolution before its norm.
    pub(super) values: Vec<Vec<f32>>,
    /// For each output of a max-pooling, the pixel that it came from.
    pub(super) argmax: Vec<Vec<u32>>,
    /// The gradients of the values, by buffer.
    pub(super) gradients: Vec<Vec<f32>>,
    /// For each norm, mean of each sample and sum of squared distances from it: `[N, 2, C]`.
    pub(super) moments: Vec<Vec<f32>>,
    pub(super) norms: Vec<NormState>,
    /// The weights of convolutions for the forward and for the backward pass.
    pub(super) weights: Vec<Option<(Packed, Packed)>>,
    pub(super) parts: Vec<BatchPart>,
}

/// The memory of a worker for its part of the batch.
#[derive(Debug, Default)]
pub(super) struct BatchPart {
    pub(super) scratch: ConvolutionScratch,
    /// A sample behind its norm, or the gradient of a sample before it; of an operation with two inputs, both.
    pub(super) samples: [Vec<f32>; 2],
    /// Sums of the gradients of a step's weights and bias.
    pub(super) sums: Vec<f32>,
    /// For each norm, Σ g and Σ g · (x − mean).
    pub(super) norm_sums: Vec<f32>,
}

/// A batch norm as the last forward pass left it.
#[derive(Debug, Clone, Default)]
pub(super) struct NormState {
    pub(super) mean: Vec<f64>,
    /// The same, rounded.
    pub(super) mean_f32: Vec<f32>,
    /// Biased.
    pub(super) variance: Vec<f64>,
    /// `weight / √(variance + ε)`
    pub(super) scale: Vec<f32>,
    /// `bias − scale · mean`
    pub(super) shift: Vec<f32>,
    /// Mean of the gradient behind the norm.
    pub(super) mean_gradient: Vec<f32>,
    /// What the distance from the mean contributes to the gradient.
    pub(super) slope: Vec<f32>,
}

impl NormState {
    /// Merges the moments of the samples pairwise (Chan, Golub, LeVeque 1979): no difference of large sums is taken.
    pub(super) fn merge(&mut self, moments: &[f32], pixels: usize) {
        let channels = self.mean.len();
        self.mean.fill(0.0);
        self.variance.fill(0.0);
        let pixels = pixels as f64;
        for (i, moments) in moments.chunks_exact(2 * channels).enumerate() {
            let (means, squares) = moments.split_at(channels);
            let before = i as f64 * pixels;
            let total = before + pixels;
            for c in 0..channels {
                let delta = f64::from(means[c]) - self.mean[c];
                self.variance[c] += f64::from(squares[c]) + delta * delta * before * pixels / total;
                self.mean[c] += delta * pixels / total;
            }
        }
        let count = (moments.len() / (2 * channels)) as f64 * pixels;
        for c in 0..channels {
            self.variance[c] /= count;
        }
    }

    /// Scale and shift for the mean and the variance that it holds.
    pub(super) fn set_affine(&mut self, norm: &Norm, parameters: &[f32]) {
        let (weight, bias) = (
            &parameters[norm.weight.clone()],
            &parameters[norm.bias.clone()],
        );
        for c in 0..self.mean.len() {
            let scale = f64::from(weight[c]) / (self.variance[c] + norm.config.eps).sqrt();
            self.scale[c] = scale as f32;
            let moved = f64::from(self.scale[c]) * self.mean[c];
            self.shift[c] = (f64::from(bias[c]) - moved) as f32;
            self.mean_f32[c] = self.mean[c] as f32;
        }
    }

    pub(super) fn affine(&self, norm: &Norm) -> kernels::Affine<'_> {
        kernels::Affine {
            scale: &self.scale,
            shift: &self.shift,
            relu: norm.config.activation == Activation::Relu,
        }
    }

    pub(super) fn gradient(&self, norm: &Norm) -> AffineGradient<'_> {
        AffineGradient {
            affine: self.affine(norm),
            mean: &self.mean_f32,
        }
    }
}

impl Workspace {
    /// Makes room for a batch.
    pub(super) fn prepare(&mut self, plan: &TrainingPlan, samples: usize) {
        let steps = &plan.steps;
        self.samples = samples;
        self.passes += 1;
        self.moments.resize_with(steps.len(), Vec::new);
        self.norms.resize_with(steps.len(), NormState::default);
        self.values.resize_with(steps.len(), Vec::new);
        self.argmax.resize_with(steps.len(), Vec::new);
        self.weights.resize_with(steps.len(), || None);
        self.gradients.resize_with(plan.buffers, Vec::new);
        self.parts.resize_with(PARTS, BatchPart::default);
        for (index, step) in steps.iter().enumerate() {
            self.values[index].resize(samples * step.len(), 0.0);
            if step.op == Op::MaxPool {
                self.argmax[index].resize(samples * step.len(), 0);
            }
            if step.norm().is_some() {
                let channels = step.shape[2];
                let state = &mut self.norms[index];
                self.moments[index].resize(samples * 2 * channels, 0.0);
                state.mean.resize(channels, 0.0);
                state.variance.resize(channels, 0.0);
                for values in [
                    &mut state.mean_f32,
                    &mut state.scale,
                    &mut state.shift,
                    &mut state.mean_gradient,
                    &mut state.slope,
                ] {
                    values.resize(channels, 0.0);
                }
            }
        }
    }

    /// Makes room for the gradients of the batch.
    pub(super) fn prepare_gradients(&mut self, plan: &TrainingPlan) {
        for step in &plan.steps[1..] {
            self.gradients[step.buffer].resize(self.samples * step.len(), 0.0);
        }
        for part in &mut self.parts {
            part.norm_sums.clear();
            part.norm_sums.resize(plan.norm_sums, 0.0);
        }
    }

    /// Samples in each part but the last.
    pub(super) fn samples_per_part(&self) -> usize {
        self.samples.div_ceil(PARTS)
    }
}

/// Cuts the values of a batch, `len` a sample, into `parts` of `samples` samples each, all but the last; no values give
/// empty parts.
pub(super) fn cut<T>(values: &mut [T], len: usize, samples: usize, parts: usize) -> Vec<&mut [T]> {
    if values.is_empty() {
        (0..parts).map(|_| <&mut [T]>::default()).collect()
    } else {
        values.chunks_mut(samples * len).collect()
    }
}

/// The stored outputs of the steps.
#[derive(Clone, Copy)]
pub(super) struct Outputs<'a> {
    pub(super) steps: &'a [TrainingStep],
    pub(super) values: &'a [Vec<f32>],
    pub(super) norms: &'a [NormState],
}

impl<'a> Outputs<'a> {
    /// A stored sample, and the norm that readers must apply to it.
    pub(super) fn stored(
        &self,
        step: usize,
        sample: usize,
    ) -> (&'a [f32], Option<kernels::Affine<'a>>) {
        let len = self.steps[step].len();
        let norm = self.steps[step].norm();
        (
            &self.values[step][sample * len..][..len],
            norm.map(|norm| self.norms[step].affine(norm)),
        )
    }

    /// A sample behind its norm, which is computed in `buffer` if there is one.
    pub(super) fn sample<'b>(
        &self,
        step: usize,
        sample: usize,
        buffer: &'b mut Vec<f32>,
    ) -> &'b [f32]
    where
        'a: 'b,
    {
        let (stored, affine) = self.stored(step, sample);
        match affine {
            Some(affine) => {
                buffer.resize(stored.len(), 0.0);
                affine.apply(stored, buffer);
                buffer
            }
            None => stored,
        }
    }
}
