//! The parameters of a network in training: named, drawn from a seed, readable as plain slices.

use std::collections::{BTreeMap, HashMap};
use std::f64::consts::TAU;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{CpuStorage, DType, Device, Layout, Result, Shape, Tensor, Var, bail};
use candle_nn::VarBuilder;
use candle_nn::init::{Init, NormalOrUniform};
use candle_nn::var_builder::SimpleBackend;
use rand::RngExt;

use crate::random::{Purpose, generator};

/// All variables of one network by name.
///
/// Candle's `VarMap` draws from a global generator that cannot be seeded on the CPU; here each
/// parameter has a stream of its own, so its first values depend on seed and name alone.
#[derive(Debug, Clone)]
pub struct Parameters {
    seed: u64,
    variables: Arc<Mutex<BTreeMap<String, Var>>>,
}

impl Parameters {
    /// No parameters yet; [`Parameters::builder`] adds them.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            variables: Arc::default(),
        }
    }

    /// Creates on the CPU, as f32, what a network asks for.
    pub fn builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), DType::F32, Device::Cpu)
    }

    /// All variables, sorted by name.
    pub fn all(&self) -> Vec<(String, Var)> {
        self.lock()
            .iter()
            .map(|(name, variable)| (name.clone(), variable.clone()))
            .collect()
    }

    /// The variables that an optimiser moves: all but running statistics.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        self.all()
            .into_iter()
            .filter(|(name, _)| is_trainable(name))
            .collect()
    }

    /// Number of values in all variables.
    pub fn count(&self) -> usize {
        self.lock()
            .values()
            .map(|variable| variable.elem_count())
            .sum()
    }

    /// Copies of all values, detached from the training.
    ///
    /// # Errors
    ///
    /// When a copy fails.
    pub fn snapshot(&self) -> Result<HashMap<String, Tensor>> {
        let copy =
            |(name, variable): (String, Var)| Ok((name, variable.as_tensor().copy()?.detach()));
        self.all().into_iter().map(copy).collect()
    }

    /// Overwrites every value with the tensor of the same name.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape, with its name.
    pub fn restore(&self, tensors: &HashMap<String, Tensor>) -> Result<()> {
        for (name, variable) in self.all() {
            let Some(tensor) = tensors.get(&name) else {
                bail!("{name} is missing, expected {:?}", variable.dims());
            };
            if tensor.dims() != variable.dims() {
                bail!(
                    "{name} is {:?}, expected {:?}",
                    tensor.dims(),
                    variable.dims()
                );
            }
            variable.set(tensor)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Var>> {
        self.variables
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimpleBackend for Parameters {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let mut variables = self.lock();
        if let Some(variable) = variables.get(name) {
            if variable.shape() != &shape {
                bail!("{name} is {:?}, asked for as {shape:?}", variable.shape());
            }
            return Ok(variable.as_tensor().clone());
        }
        let values = draw(init, &shape, self.seed, name);
        let tensor = Tensor::from_vec(values, shape, device)?.to_dtype(dtype)?;
        let variable = Var::from_tensor(&tensor)?;
        variables.insert(name.to_owned(), variable.clone());
        Ok(variable.into_inner())
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        match self.lock().get(name) {
            Some(variable) => Ok(variable.as_tensor().clone()),
            None => bail!("{name} cannot be created without a shape"),
        }
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }
}

fn is_trainable(name: &str) -> bool {
    !name.ends_with("running_mean") && !name.ends_with("running_var")
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

/// FNV-1a: small, and the same on every machine and in every version.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The values of a contiguous f32 tensor on the CPU.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("expected contiguous f32 values"),
    }
}

/// The same to write to.
pub(crate) fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("expected contiguous f32 values"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_nn::init::DEFAULT_KAIMING_NORMAL;

    const UNIFORM: Init = Init::Uniform { lo: -0.5, up: 0.25 };

    fn values(parameters: &Parameters, name: &str, init: Init) -> Vec<f32> {
        let tensor = parameters
            .builder()
            .get_with_hints(4000, name, init)
            .unwrap();
        tensor.to_vec1().unwrap()
    }

    #[test]
    fn first_values_depend_on_seed_and_name_but_not_on_order() {
        let (first, second) = (Parameters::new(1), Parameters::new(1));
        let a = values(&first, "a", UNIFORM);
        let b = values(&first, "b", UNIFORM);
        assert_eq!(b, values(&second, "b", UNIFORM));
        assert_eq!(a, values(&second, "a", UNIFORM));
        assert_ne!(a, b);
        assert_ne!(a, values(&Parameters::new(2), "a", UNIFORM));
    }

    #[test]
    fn uniform_values_fill_their_range() {
        let values = values(&Parameters::new(1), "a", UNIFORM);
        let (min, max) = values
            .iter()
            .fold((1f32, -1f32), |(lo, up), &v| (lo.min(v), up.max(v)));
        assert!(
            (-0.5..-0.49).contains(&min) && (0.24..=0.25).contains(&max),
            "{min} to {max}"
        );
    }

    #[test]
    fn normal_values_have_the_mean_and_the_deviation_asked_for() {
        let values = values(
            &Parameters::new(1),
            "a",
            Init::Randn {
                mean: 3.0,
                stdev: 0.5,
            },
        );
        let mean = values.iter().sum::<f32>() / 4000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 4000.0;
        assert!((mean - 3.0).abs() < 0.03, "{mean}");
        assert!((variance.sqrt() - 0.5).abs() < 0.02, "{variance}");
    }

    #[test]
    fn kaiming_values_deviate_by_the_gain_over_the_root_of_the_fan() {
        let parameters = Parameters::new(1);
        let tensor = parameters
            .builder()
            .get_with_hints((100, 50), "a", DEFAULT_KAIMING_NORMAL);
        let variance = tensor.unwrap().sqr().unwrap().mean_all().unwrap();
        let variance = variance.to_scalar::<f32>().unwrap();
        assert!((variance - 2.0 / 50.0).abs() < 0.002, "{variance}");
    }

    #[test]
    fn running_statistics_are_not_trainable() {
        let parameters = Parameters::new(1);
        for name in ["norm.weight", "norm.running_mean", "norm.running_var"] {
            values(&parameters, name, Init::Const(1.0));
        }
        let names: Vec<_> = parameters
            .trainable()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["norm.weight"]);
    }

    #[test]
    fn restoring_puts_back_what_the_snapshot_held() {
        let parameters = Parameters::new(1);
        let before = values(&parameters, "a", UNIFORM);
        let snapshot = parameters.snapshot().unwrap();
        parameters.all()[0]
            .1
            .set(&Tensor::zeros(4000, DType::F32, &Device::Cpu).unwrap())
            .unwrap();
        parameters.restore(&snapshot).unwrap();
        assert_eq!(values(&parameters, "a", UNIFORM), before);
    }

    #[test]
    fn restoring_a_wrong_shape_names_the_parameter_and_both_shapes() {
        let parameters = Parameters::new(1);
        values(&parameters, "a", UNIFORM);
        let wrong = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
        let error = parameters
            .restore(&HashMap::from([("a".to_owned(), wrong)]))
            .unwrap_err();
        assert!(
            error.to_string().contains("a is [2, 3], expected [4000]"),
            "{error}"
        );
    }
}
