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
mod tests {
    use super::*;

    const PLATEAU: Schedule = Schedule::ReduceOnPlateau {
        factor: 0.1,
        patience: 3,
        min_delta: 1e-4,
    };
    const ONE_CYCLE: Schedule = Schedule::OneCycle { warmup: 0.3 };
    const COSINE: Schedule = Schedule::Cosine { warmup: 0.2 };

    fn assert_close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 1e-9,
            "{found}, expected {expected}"
        );
    }

    fn rate_after(losses: &[f64]) -> f64 {
        PLATEAU.learning_rate(1e-3, 0, 1, losses)
    }

    #[test]
    fn a_falling_loss_keeps_the_learning_rate() {
        assert_close(rate_after(&[2.0, 1.9, 1.8, 1.7, 1.6]), 1e-3);
    }

    #[test]
    fn a_loss_that_stands_still_for_the_patience_divides_it_by_ten_each_time() {
        assert_close(rate_after(&[1.0, 1.0, 1.0]), 1e-3);
        assert_close(rate_after(&[1.0, 1.0, 1.1, 1.0]), 1e-4);
        assert_close(rate_after(&[1.0; 7]), 1e-5);
    }

    #[test]
    fn a_fall_below_the_threshold_is_no_progress() {
        assert_close(rate_after(&[1.0, 0.999_95, 0.999_93, 0.999_91]), 1e-4);
    }

    // By PyTorch's formula for OneCycleLR(max_lr=4e-3, total_steps=10): the rise ends at step
    // 0.3·10 − 1 = 2, and step 3 is 1/7 of the fall from 4e-3 to 1.6e-8.
    #[test]
    fn one_cycle_rises_to_the_peak_and_falls_almost_to_zero() {
        for (step, expected) in [
            (0, 1.6e-4),
            (1, 2.08e-3),
            (2, 4e-3),
            (3, 3.801_938_528_053_895e-3),
            (6, 1.554_967_912_254_843e-3),
            (9, 1.6e-8),
        ] {
            assert_close(ONE_CYCLE.learning_rate(4e-3, step, 10, &[]), expected);
        }
    }

    #[test]
    fn runs_too_short_to_turn_have_a_rate_at_every_step() {
        for schedule in [ONE_CYCLE, COSINE, Schedule::Cosine { warmup: 0.99 }] {
            for (steps, step) in (1..5).flat_map(|steps| (0..steps).map(move |step| (steps, step)))
            {
                let rate = schedule.learning_rate(1.0, step, steps, &[]);
                assert!(rate > 0.0 && rate <= 1.0, "{rate} at {step} of {steps}");
            }
        }
    }

    // 2 of 10 steps rise; the other 8 are at cosines of 0, 1/8, … 7/8 of half a turn.
    #[test]
    fn cosine_rises_in_equal_steps_and_falls_towards_zero() {
        for (step, expected) in [
            (0, 1e-3),
            (1, 2e-3),
            (2, 2e-3),
            (4, 1e-3 * (1.0 + 0.5_f64.sqrt())),
            (6, 1e-3),
            (9, 1e-3 * (1.0 - (PI / 8.0).cos())),
        ] {
            assert_close(COSINE.learning_rate(2e-3, step, 10, &[]), expected);
        }
    }
}
