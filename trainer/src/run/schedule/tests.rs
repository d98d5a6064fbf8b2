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
        for (steps, step) in (1..5).flat_map(|steps| (0..steps).map(move |step| (steps, step))) {
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
