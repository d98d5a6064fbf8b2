//! Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019):
//!
//! ```text
//! m ← β₁m + (1 − β₁)g        v ← β₂v + (1 − β₂)g²
//! θ ← θ − η (m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + λθ)
//! ```
//!
//! Each parameter is updated in place in one pass. Norms and biases, all of rank 1, do not decay.

use std::cell::RefCell;
use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Result, Tensor, Var, bail};
use serde::{Deserialize, Serialize};

use crate::params::{slice, slice_mut};

/// Constants of the update.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdamConfig {
    /// β₁, how slowly the mean of the gradients moves.
    pub beta1: f64,
    /// β₂, how slowly the mean of their squares moves.
    pub beta2: f64,
    /// ε, keeps the division finite.
    pub epsilon: f64,
    /// λ, decay of the weights per unit of learning rate; 0 is plain Adam.
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// The optimiser and its state.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    steps: u64,
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    name: String,
    variable: Var,
    moments: RefCell<Moments>,
}

#[derive(Debug)]
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Adam {
    /// An optimiser for these named variables, all moments zero.
    pub fn new(variables: Vec<(String, Var)>, config: AdamConfig) -> Self {
        let slot = |(name, variable): (String, Var)| {
            let zeros = vec![0.0; variable.elem_count()];
            let moments = RefCell::new(Moments {
                first: zeros.clone(),
                second: zeros,
            });
            Slot {
                name,
                variable,
                moments,
            }
        };
        Self {
            config,
            steps: 0,
            slots: variables.into_iter().map(slot).collect(),
        }
    }

    /// Moves every variable against its gradient.
    ///
    /// # Errors
    ///
    /// When a variable has no gradient: it does not take part in the loss.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.steps += 1;
        for slot in &self.slots {
            let Some(gradient) = gradients.get(&slot.variable) else {
                bail!("{} has no gradient", slot.name);
            };
            let update = self.update(slot, learning_rate);
            slot.variable
                .inplace_op2(&gradient.contiguous()?, &update)?;
        }
        Ok(())
    }

    fn update<'a>(&self, slot: &'a Slot, learning_rate: f64) -> Update<'a> {
        let AdamConfig {
            beta1,
            beta2,
            epsilon,
            weight_decay,
        } = self.config;
        let steps = self.steps as f64;
        let decays = slot.variable.rank() > 1;
        Update {
            moments: &slot.moments,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            rest1: (1.0 - beta1) as f32,
            rest2: (1.0 - beta2) as f32,
            epsilon: epsilon as f32,
            first_scale: (1.0 / (1.0 - beta1.powf(steps))) as f32,
            second_scale: (1.0 / (1.0 - beta2.powf(steps))) as f32,
            learning_rate: learning_rate as f32,
            kept: if decays {
                (1.0 - learning_rate * weight_decay) as f32
            } else {
                1.0
            },
        }
    }

    /// Number of steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The moments as tensors named `first.NAME` and `second.NAME`.
    ///
    /// # Errors
    ///
    /// When a tensor cannot be made.
    pub fn state(&self) -> Result<HashMap<String, Tensor>> {
        let mut state = HashMap::new();
        for slot in &self.slots {
            let moments = slot.moments.borrow();
            let tensor =
                |values: &[f32]| Tensor::from_slice(values, slot.variable.shape(), &Device::Cpu);
            state.insert(format!("first.{}", slot.name), tensor(&moments.first)?);
            state.insert(format!("second.{}", slot.name), tensor(&moments.second)?);
        }
        Ok(state)
    }

    /// Goes on from a saved [`Adam::state`] after `steps` steps.
    ///
    /// # Errors
    ///
    /// When a moment is missing or has another size.
    pub fn restore(&mut self, steps: u64, state: &HashMap<String, Tensor>) -> Result<()> {
        let read = |name: String, slot: &Slot| match state.get(&name) {
            Some(tensor) if tensor.dims() == slot.variable.dims() => {
                tensor.flatten_all()?.to_vec1::<f32>()
            }
            Some(tensor) => bail!(
                "{name} is {:?}, expected {:?}",
                tensor.dims(),
                slot.variable.dims()
            ),
            None => bail!("{name} is missing"),
        };
        for slot in &self.slots {
            let first = read(format!("first.{}", slot.name), slot)?;
            let second = read(format!("second.{}", slot.name), slot)?;
            slot.moments.replace(Moments { first, second });
        }
        self.steps = steps;
        Ok(())
    }
}

/// One step of one parameter, with everything that is the same for its values worked out.
struct Update<'a> {
    moments: &'a RefCell<Moments>,
    beta1: f32,
    beta2: f32,
    /// 1 − β, which taken from a rounded β would be off in the fifth digit.
    rest1: f32,
    rest2: f32,
    epsilon: f32,
    first_scale: f32,
    second_scale: f32,
    learning_rate: f32,
    kept: f32,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        parameter: &mut CpuStorage,
        parameter_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let parameter = slice_mut(parameter, parameter_layout)?;
        let gradient = slice(gradient, gradient_layout)?;
        let Moments { first, second } = &mut *self.moments.borrow_mut();
        for (((value, &gradient), first), second) in
            parameter.iter_mut().zip(gradient).zip(first).zip(second)
        {
            *first = self.beta1 * *first + self.rest1 * gradient;
            *second = self.beta2 * *second + self.rest2 * gradient * gradient;
            let direction =
                *first * self.first_scale / ((*second * self.second_scale).sqrt() + self.epsilon);
            *value = *value * self.kept - self.learning_rate * direction;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(values: &[f32]) -> Var {
        Var::from_slice(values, (1, values.len()), &Device::Cpu).unwrap()
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
        let mut adam = Adam::new(
            vec![("w".to_owned(), variable.clone())],
            AdamConfig::default(),
        );
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
        let mut adam = Adam::new(vec![("w".to_owned(), variable.clone())], config);
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
        let mut adam = Adam::new(vec![("bias".to_owned(), bias.clone())], config);
        step(&mut adam, &bias, &[0.0], 0.5);
        assert_eq!(values(&bias), [2.0]);
    }

    #[test]
    fn a_restored_optimiser_goes_on_like_the_first() {
        let (first, second) = (variable(&[1.0]), variable(&[1.0]));
        let adam = |variable: &Var| {
            Adam::new(
                vec![("w".to_owned(), variable.clone())],
                AdamConfig::default(),
            )
        };
        let (mut one, mut other) = (adam(&first), adam(&second));
        step(&mut one, &first, &[0.3], 0.1);
        other.restore(one.steps(), &one.state().unwrap()).unwrap();
        second.set(first.as_tensor()).unwrap();
        step(&mut one, &first, &[-0.7], 0.1);
        step(&mut other, &second, &[-0.7], 0.1);
        assert_eq!(values(&first), values(&second));
    }

    #[test]
    fn a_parameter_outside_the_loss_is_an_error_with_its_name() {
        let (used, idle) = (variable(&[1.0]), variable(&[1.0]));
        let mut adam = Adam::new(vec![("idle".to_owned(), idle)], AdamConfig::default());
        let gradients = used.sum_all().unwrap().backward().unwrap();
        let error = adam.step(&gradients, 0.1).unwrap_err();
        assert!(
            error.to_string().contains("idle has no gradient"),
            "{error}"
        );
    }
}
