//! The parameters of a network in training: concatenated for the optimiser, and by name for files.

use std::collections::HashMap;
use std::f64::consts::TAU;

use candle_core::{CpuStorage, Device, Layout, Result, Shape, Tensor, Var, bail};
use candle_nn::init::{Init, NormalOrUniform};
use emotion_models::training::{Slot, TrainingExecutor};
use rand::RngExt;

use crate::hash::fnv1a;
use crate::random::{Purpose, generator};

/// The values of one network, concatenated.
///
/// Each parameter has its own stream of random numbers, so its initial values depend on seed and name alone.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Values with a gradient.
    pub trained: Var,
    /// Running means and variances.
    pub statistics: Var,
    trained_slots: Vec<Slot>,
    statistics_slots: Vec<Slot>,
}

impl Parameters {
    /// The parameters of a network with initial values drawn from `seed`.
    ///
    /// # Errors
    ///
    /// When the tensors cannot be made.
    pub fn new(network: &TrainingExecutor, seed: u64) -> Result<Self> {
        let draw = |slots: &[Slot]| {
            let values: Vec<f32> = slots
                .iter()
                .flat_map(|Slot { parameter, .. }| {
                    let shape = Shape::from(parameter.shape.clone());
                    draw(parameter.init, &shape, seed, &parameter.name)
                })
                .collect();
            let count = values.len();
            Var::from_vec(values, count, &Device::Cpu)
        };
        Ok(Self {
            trained: draw(network.trained())?,
            statistics: draw(network.statistics())?,
            trained_slots: network.trained().to_vec(),
            statistics_slots: network.statistics().to_vec(),
        })
    }

    /// The positions of the trained parameters.
    pub fn slots(&self) -> &[Slot] {
        &self.trained_slots
    }

    /// Number of all values.
    pub fn count(&self) -> usize {
        self.trained.elem_count() + self.statistics.elem_count()
    }

    /// Copies of all values by name, without gradients.
    ///
    /// # Errors
    ///
    /// When a copy fails.
    pub fn snapshot(&self) -> Result<HashMap<String, Tensor>> {
        let mut tensors = to_tensors("", &self.trained_slots, &self.trained.to_vec1()?)?;
        tensors.extend(to_tensors(
            "",
            &self.statistics_slots,
            &self.statistics.to_vec1()?,
        )?);
        Ok(tensors)
    }

    /// Overwrites every value with the tensor of the same name.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn restore(&self, tensors: &HashMap<String, Tensor>) -> Result<()> {
        for (variable, slots) in [
            (&self.trained, &self.trained_slots),
            (&self.statistics, &self.statistics_slots),
        ] {
            let values = from_tensors("", slots, tensors)?;
            variable.set(&Tensor::from_vec(values, variable.shape(), &Device::Cpu)?)?;
        }
        Ok(())
    }
}

/// The tensors in concatenated values, named `PREFIX` and the name of the parameter.
pub(crate) fn to_tensors(
    prefix: &str,
    slots: &[Slot],
    values: &[f32],
) -> Result<HashMap<String, Tensor>> {
    let tensor = |Slot { parameter, range }: &Slot| {
        let values = &values[range.clone()];
        let tensor = Tensor::from_slice(values, parameter.shape.clone(), &Device::Cpu)?;
        Ok((format!("{prefix}{}", parameter.name), tensor))
    };
    slots.iter().map(tensor).collect()
}

/// The inverse of [`to_tensors`].
pub(crate) fn from_tensors(
    prefix: &str,
    slots: &[Slot],
    tensors: &HashMap<String, Tensor>,
) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    for Slot { parameter, .. } in slots {
        let name = format!("{prefix}{}", parameter.name);
        let Some(tensor) = tensors.get(&name) else {
            bail!("{name} is missing, expected {:?}", parameter.shape);
        };
        if tensor.dims() != parameter.shape {
            bail!(
                "{name} is {:?}, expected {:?}",
                tensor.dims(),
                parameter.shape
            );
        }
        values.extend(tensor.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(values)
}

fn draw(init: Init, shape: &Shape, seed: u64, name: &str) -> Vec<f32> {
    let mut generator = generator(seed, Purpose::Parameters, fnv1a(name.as_bytes()));
    let mut unit = || generator.random::<f64>();
    let mut uniform = |lo: f64, up: f64| lo + (up - lo) * unit();
    let count = shape.elem_count();
    match init {
        Init::Const(value) => vec![value as f32; count],
        Init::Uniform { lo, up } => (0..count).map(|_| uniform(lo, up) as f32).collect(),
        Init::Randn { mean, stdev } => (0..count)
            .map(|_| (mean + stdev * normal(&mut unit)) as f32)
            .collect(),
        Init::Kaiming {
            dist,
            fan,
            non_linearity,
        } => {
            let stdev = non_linearity.gain() / (fan.for_shape(shape) as f64).sqrt();
            let bound = 3f64.sqrt() * stdev;
            match dist {
                NormalOrUniform::Uniform => {
                    (0..count).map(|_| uniform(-bound, bound) as f32).collect()
                }
                NormalOrUniform::Normal => (0..count)
                    .map(|_| (stdev * normal(&mut unit)) as f32)
                    .collect(),
            }
        }
    }
}

/// A standard normal number by the Box-Muller transform.
fn normal(unit: &mut impl FnMut() -> f64) -> f64 {
    (-2.0 * (1.0 - unit()).ln()).sqrt() * (TAU * unit()).cos()
}

/// The values of a contiguous f32 tensor on the CPU.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("expected contiguous f32 values"),
    }
}

/// The same, mutable.
pub(crate) fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("expected contiguous f32 values"),
    }
}

#[cfg(test)]
mod tests;
