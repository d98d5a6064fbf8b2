use super::*;
use candle_core::{Device, Tensor};
use emotion_models::graph::{Initialization, Parameter};

fn variable(values: &[f32]) -> Var {
    Var::from_slice(values, values.len(), &Device::Cpu).unwrap()
}

/// An optimiser for one parameter of this rank.
fn adam(variable: &Var, rank: usize, config: AdamConfig) -> Adam {
    let count = variable.elem_count();
    let mut shape = vec![1; rank];
    shape[0] = count;
    let parameter = Parameter {
        name: "w".to_owned(),
        shape,
        init: Initialization::Constant(0.0),
        trained: true,
    };
    let slot = Slot {
        parameter,
        range: 0..count,
    };
    Adam::new(variable.clone(), vec![slot], config)
}

fn values(variable: &Var) -> Vec<f32> {
    variable.flatten_all().unwrap().to_vec1().unwrap()
}

/// One step with the gradient `slope`, by way of a loss that has it.
fn step(adam: &mut Adam, variable: &Var, slope: &[f32], learning_rate: f64) {
    let slope = Tensor::from_slice(slope, variable.shape(), &Device::Cpu).unwrap();
    let loss = (variable.as_tensor() * slope).unwrap().sum_all().unwrap();
    adam.step(&loss.backward().unwrap(), learning_rate).unwrap();
}

fn assert_close(found: &[f32], expected: &[f32]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-6,
            "{found}, expected {expected}"
        );
    }
}

// Steps worked out by hand from the formula above, with β₁ = 0.9 and β₂ = 0.999.
#[test]
fn two_steps_of_adam_agree_with_the_formula() {
    let variable = variable(&[1.0, -2.0]);
    let mut adam = adam(&variable, 2, AdamConfig::default());
    // m / (1 − β₁) = g and v / (1 − β₂) = g², so the first step is the learning rate.
    step(&mut adam, &variable, &[0.5, -4.0], 0.1);
    assert_close(&values(&variable), &[0.9, -1.9]);
    // First value: m = 0.9·0.05 + 0.1·1 = 0.145, /0.19 = 0.7631579;
    // v = 0.999·0.00025 + 0.001·1 = 0.00124975, /0.001999 = 0.6251876, root 0.7906881.
    // Second value: m = 0.9·(−0.4) + 0.1·0 = −0.36, /0.19 = −1.8947368;
    // v = 0.999·0.016 = 0.015984, /0.001999 = 7.9959980, root 2.8277196.
    step(&mut adam, &variable, &[1.0, 0.0], 0.1);
    assert_close(
        &values(&variable),
        &[
            0.9 - 0.1 * 0.763_157_9 / 0.790_688_1,
            -1.9 + 0.1 * 1.894_736_8 / 2.827_719_6,
        ],
    );
}

#[test]
fn decay_shrinks_weights_by_learning_rate_times_lambda_apart_from_the_gradient() {
    let variable = variable(&[2.0]);
    let config = AdamConfig {
        weight_decay: 0.1,
        ..AdamConfig::default()
    };
    let mut adam = adam(&variable, 2, config);
    step(&mut adam, &variable, &[3.0], 0.5);
    assert_close(&values(&variable), &[2.0 * (1.0 - 0.5 * 0.1) - 0.5]);
}

#[test]
fn norms_and_biases_do_not_decay() {
    let bias = Var::from_slice(&[2.0f32], 1, &Device::Cpu).unwrap();
    let config = AdamConfig {
        weight_decay: 0.1,
        ..AdamConfig::default()
    };
    let mut adam = adam(&bias, 1, config);
    step(&mut adam, &bias, &[0.0], 0.5);
    assert_eq!(values(&bias), [2.0]);
}

#[test]
fn a_restored_optimiser_goes_on_like_the_first() {
    let (first, second) = (variable(&[1.0]), variable(&[1.0]));
    let adam = |variable: &Var| adam(variable, 2, AdamConfig::default());
    let (mut one, mut other) = (adam(&first), adam(&second));
    step(&mut one, &first, &[0.3], 0.1);
    other.restore(one.steps(), &one.state()).unwrap();
    second.set(first.as_tensor()).unwrap();
    step(&mut one, &first, &[-0.7], 0.1);
    step(&mut other, &second, &[-0.7], 0.1);
    assert_eq!(values(&first), values(&second));
}

#[test]
fn parameters_outside_the_loss_are_an_error() {
    let (used, idle) = (variable(&[1.0]), variable(&[1.0]));
    let mut adam = adam(&idle, 2, AdamConfig::default());
    let gradients = used.sum_all().unwrap().backward().unwrap();
    let error = adam.step(&gradients, 0.1).unwrap_err();
    assert!(error.to_string().contains("have no gradient"), "{error}");
}
