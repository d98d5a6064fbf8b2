//! Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019):
//!
//! ```text
//! m ← β₁m + (1 − β₁)g        v ← β₂v + (1 − β₂)g²
//! θ ← θ − η (m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + λθ)
//! ```
//!
//! Each parameter is updated in place in one pass. Norms and biases, all of rank 1, do not decay.

use std::cell::RefCell;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Var, bail};
use emotion_models::training::Slot;
use emotion_models::weights::WeightTensors;
use serde::{Deserialize, Serialize};

use crate::run::params::{from_tensors, slice, slice_mut, to_tensors};

// Prefixes of the moments in a saved state.
const FIRST: &str = "first.";
const SECOND: &str = "second.";

/// Constants of the update.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdamConfig {
    /// β₁, decay of the mean of the gradients.
    pub beta1: f64,
    /// β₂, decay of the mean of their squares.
    pub beta2: f64,
    /// ε, added to the denominator.
    pub epsilon: f64,
    /// λ, weight decay per unit of learning rate; 0 is plain Adam.
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
    variable: Var,
    slots: Vec<Slot>,
    moments: RefCell<Moments>,
}

#[derive(Debug)]
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Adam {
    /// An optimiser for the parameters in `variable`, at the positions `slots`, with all moments zero.
    pub fn new(variable: Var, slots: Vec<Slot>, config: AdamConfig) -> Self {
        let zeros = vec![0.0; variable.elem_count()];
        let moments = RefCell::new(Moments {
            first: zeros.clone(),
            second: zeros,
        });
        Self {
            config,
            steps: 0,
            variable,
            slots,
            moments,
        }
    }

    /// Moves every parameter against its gradient.
    ///
    /// # Errors
    ///
    /// When there is no gradient because the loss does not depend on the parameters.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        let Some(gradient) = gradients.get(&self.variable) else {
            bail!("the parameters have no gradient");
        };
        self.steps += 1;
        let update = self.update(learning_rate);
        self.variable.inplace_op2(&gradient.contiguous()?, &update)
    }

    fn update(&self, learning_rate: f64) -> Update<'_> {
        let AdamConfig {
            beta1,
            beta2,
            epsilon,
            weight_decay,
        } = self.config;
        let steps = self.steps as f64;
        Update {
            slots: &self.slots,
            moments: &self.moments,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            rest1: (1.0 - beta1) as f32,
            rest2: (1.0 - beta2) as f32,
            epsilon: epsilon as f32,
            first_scale: (1.0 / (1.0 - beta1.powf(steps))) as f32,
            second_scale: (1.0 / (1.0 - beta2.powf(steps))) as f32,
            learning_rate: learning_rate as f32,
            kept: (1.0 - learning_rate * weight_decay) as f32,
        }
    }

    /// Number of steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The moments as tensors named `first.NAME` and `second.NAME`.
    pub fn state(&self) -> WeightTensors {
        let Moments { first, second } = &*self.moments.borrow();
        let mut state = to_tensors(FIRST, &self.slots, first);
        state.extend(to_tensors(SECOND, &self.slots, second));
        state
    }

    /// Restores a saved [`Adam::state`] after `steps` steps.
    ///
    /// # Errors
    ///
    /// When a moment is missing or has another size.
    pub fn restore(&mut self, steps: u64, state: &WeightTensors) -> Result<()> {
        self.moments.replace(Moments {
            first: from_tensors(FIRST, &self.slots, state)?,
            second: from_tensors(SECOND, &self.slots, state)?,
        });
        self.steps = steps;
        Ok(())
    }
}

/// The constants of one step.
struct Update<'a> {
    slots: &'a [Slot],
    moments: &'a RefCell<Moments>,
    beta1: f32,
    beta2: f32,
    /// 1 − β in double precision; from a rounded β it would be wrong in the fifth digit.
    rest1: f32,
    rest2: f32,
    epsilon: f32,
    first_scale: f32,
    second_scale: f32,
    learning_rate: f32,
    /// Factor that decay applies to a weight.
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
        for Slot {
            parameter: what,
            range,
        } in self.slots
        {
            let kept = if what.shape.len() > 1 { self.kept } else { 1.0 };
            let values = parameter[range.clone()]
                .iter_mut()
                .zip(&gradient[range.clone()]);
            let moments = first[range.clone()]
                .iter_mut()
                .zip(&mut second[range.clone()]);
            for ((value, &gradient), (first, second)) in values.zip(moments) {
                *first = self.beta1 * *first + self.rest1 * gradient;
                *second = self.beta2 * *second + self.rest2 * gradient * gradient;
                let direction = *first * self.first_scale
                    / ((*second * self.second_scale).sqrt() + self.epsilon);
                *value = *value * kept - self.learning_rate * direction;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
