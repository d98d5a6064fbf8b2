//! How the learning rate goes over a run.
//!
//! It is a function of the step and of the validation losses so far, without a state of its own:
//! a resumed run needs nothing but its log.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The course of the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The peak throughout.
    Constant,
    /// The peak, multiplied by `factor` each time that the validation loss has not fallen by more
    /// than `min_delta` for `patience` epochs (Keras' `ReduceLROnPlateau`).
    ReduceOnPlateau {
        /// What the learning rate is multiplied by.
        factor: f64,
        /// Epochs without progress.
        patience: usize,
        /// A smaller fall is no progress.
        min_delta: f64,
    },
    /// Up from peak/25 to the peak over `warmup` of the steps, then down to peak/250,000, both
    /// along half a cosine (Smith and Topin 2019, with PyTorch's constants).
    OneCycle {
        /// Fraction of all steps that the rise takes.
        warmup: f64,
    },
    /// Up to the peak in equal steps over `warmup` of the steps, then down to 0 along half a cosine
    /// (Loshchilov and Hutter 2017, without restarts).
    Cosine {
        /// Fraction of all steps that the rise takes.
        warmup: f64,
    },
}

impl Schedule {
    /// One cycle as PyTorch has it by default.
    pub const ONE_CYCLE: Self = Self::OneCycle { warmup: 0.3 };
    /// A cosine behind a short warm-up.
    pub const COSINE: Self = Self::Cosine { warmup: 0.05 };
    /// Plateaus as the published weights were trained with.
    pub const PLATEAU: Self = Self::ReduceOnPlateau {
        factor: 0.1,
        patience: 12,
        min_delta: 1e-4,
    };

    /// The learning rate at `step` of `steps`, both counted over the whole run from 0, after epochs
    /// with these validation losses.
    pub fn learning_rate(&self, peak: f64, step: u64, steps: u64, losses: &[f64]) -> f64 {
        match *self {
            Schedule::Constant => peak,
            Schedule::ReduceOnPlateau {
                factor,
                patience,
                min_delta,
            } => {
                let reductions = plateaus(losses, patience, min_delta);
                peak * factor.powf(reductions as f64)
            }
            Schedule::OneCycle { warmup } => one_cycle(peak, step as f64, steps as f64, warmup),
            Schedule::Cosine { warmup } => cosine(peak, step as f64, steps as f64, warmup),
        }
    }
}

/// How many times the loss stood still for `patience` epochs.
fn plateaus(losses: &[f64], patience: usize, min_delta: f64) -> usize {
    let (mut best, mut waited, mut reductions) = (f64::INFINITY, 0, 0);
    for &loss in losses {
        if loss < best - min_delta {
            (best, waited) = (loss, 0);
            continue;
        }
        waited += 1;
        if waited >= patience {
            reductions += 1;
            waited = 0;
        }
    }
    reductions
}

fn one_cycle(peak: f64, step: f64, steps: f64, warmup: f64) -> f64 {
    const START: f64 = 1.0 / 25.0;
    const END: f64 = START / 10_000.0;
    let last = steps - 1.0;
    let turn = (warmup * steps - 1.0).max(0.0);
    if step < turn {
        half_cosine(peak * START, peak, step / turn)
    } else if turn < last {
        half_cosine(peak, peak * END, (step - turn) / (last - turn))
    } else {
        peak
    }
}

/// The rise ends at the peak, and the step after the last one would have a rate of 0.
fn cosine(peak: f64, step: f64, steps: f64, warmup: f64) -> f64 {
    let rise = (warmup * steps).floor();
    if step < rise {
        peak * (step + 1.0) / rise
    } else {
        half_cosine(peak, 0.0, (step - rise) / (steps - rise))
    }
}

/// From `start` at `part` 0 to `end` at 1.
fn half_cosine(start: f64, end: f64, part: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (PI * part).cos())
}

#[cfg(test)]
mod tests;
