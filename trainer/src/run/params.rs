//! The parameters of a network in training: concatenated for the optimiser, and by name for files.

use candle_core::{CpuStorage, Device, Layout, Result, Tensor, Var, bail};
use emotion_models::graph::{Initialization, Parameter};
use emotion_models::training::{Slot, TrainingExecutor};
use emotion_models::weights::{WeightTensor, WeightTensors};
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
                .flat_map(|slot| draw(&slot.parameter, seed))
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
    pub fn snapshot(&self) -> Result<WeightTensors> {
        let trained = self.trained.to_vec1()?;
        let statistics = self.statistics.to_vec1()?;
        let mut tensors = to_tensors("", &self.trained_slots, &trained);
        tensors.extend(to_tensors("", &self.statistics_slots, &statistics));
        Ok(tensors)
    }

    /// Overwrites every value with the tensor of the same name.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn restore(&self, tensors: &WeightTensors) -> Result<()> {
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
pub(crate) fn to_tensors(prefix: &str, slots: &[Slot], values: &[f32]) -> WeightTensors {
    let tensor = |Slot { parameter, range }: &Slot| {
        let tensor = WeightTensor {
            shape: parameter.shape.clone(),
            values: values[range.clone()].to_vec(),
        };
        (format!("{prefix}{}", parameter.name), tensor)
    };
    slots.iter().map(tensor).collect()
}

/// The inverse of [`to_tensors`].
pub(crate) fn from_tensors(
    prefix: &str,
    slots: &[Slot],
    tensors: &WeightTensors,
) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    for Slot { parameter, .. } in slots {
        let name = format!("{prefix}{}", parameter.name);
        let Some(tensor) = tensors.get(&name) else {
            bail!("{name} is missing, expected {:?}", parameter.shape);
        };
        if tensor.shape != parameter.shape {
            bail!(
                "{name} is {:?}, expected {:?}",
                tensor.shape,
                parameter.shape
            );
        }
        values.extend(&tensor.values);
    }
    Ok(values)
}

/// The first values of a parameter.
fn draw(parameter: &Parameter, seed: u64) -> Vec<f32> {
    let count = parameter.len();
    match parameter.init {
        Initialization::Constant(value) => vec![value; count],
        Initialization::Uniform { limit } => {
            let stream = fnv1a(parameter.name.as_bytes());
            let mut generator = generator(seed, Purpose::Parameters, stream);
            let mut value = || -limit + 2.0 * limit * generator.random::<f64>();
            (0..count).map(|_| value() as f32).collect()
        }
    }
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
