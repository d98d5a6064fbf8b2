//! Learning-rate schedules.
//!
//! The rate is a function of the step and of the validation losses so far, without state of its own: a resumed run needs
//! only its log.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// A schedule of the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Always the peak.
    Constant,
    /// The peak, multiplied by `factor` each time the validation loss has not fallen by more than `min_delta` for
    /// `patience` epochs (Keras' `ReduceLROnPlateau`).
    ReduceOnPlateau {
        /// Factor of a reduction.
        factor: f64,
        /// Epochs without progress.
        patience: usize,
        /// Least fall that counts as progress.
        min_delta: f64,
    },
    /// Rises from peak/25 to the peak over `warmup` of the steps, then falls to peak/250,000, both along half a cosine
    /// (Smith and Topin 2019, with PyTorch's constants).
    OneCycle {
        /// Fraction of all steps before the peak.
        warmup: f64,
    },
    /// Rises linearly to the peak over `warmup` of the steps, then falls to 0 along half a cosine (Loshchilov and Hutter
    /// 2017, without restarts).
    Cosine {
        /// Fraction of all steps before the peak.
        warmup: f64,
    },
}

impl Schedule {
    /// One cycle with PyTorch's defaults.
    pub const ONE_CYCLE: Self = Self::OneCycle { warmup: 0.3 };
    /// A cosine after a short warm-up.
    pub const COSINE: Self = Self::Cosine { warmup: 0.05 };
    /// Reduction on plateaus, as the published weights were trained.
    pub const PLATEAU: Self = Self::ReduceOnPlateau {
        factor: 0.1,
        patience: 12,
        min_delta: 1e-4,
    };

    /// The learning rate at `step` (counted from 0) of all `steps` of the run, after epochs with these validation losses.
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

/// Number of times that the loss made no progress for `patience` epochs.
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

/// The rate is the peak at the end of the rise, and would be 0 at the step after the last one.
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
