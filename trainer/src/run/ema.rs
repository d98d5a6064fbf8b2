//! Exponential moving average of the parameters and running statistics of a network. It usually generalises better than
//! the trained network itself.

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Var};

use crate::run::params::{Parameters, slice, slice_mut};

/// Moves averaged variables towards trained ones.
#[derive(Debug)]
pub struct Ema {
    decay: f64,
    updates: u64,
    pairs: Vec<(Var, Var)>,
}

impl Ema {
    /// Sets `averaged` to `trained`, and follows it from now on; both networks are of the same kind.
    ///
    /// `decay` is the share of the average that is kept at each step. It grows from 0.1 over the first steps, so that the
    /// random initial values fade quickly.
    ///
    /// # Errors
    ///
    /// When the networks differ.
    pub fn new(averaged: &Parameters, trained: &Parameters, decay: f64) -> Result<Self> {
        averaged.restore(&trained.snapshot()?)?;
        let variables =
            |parameters: &Parameters| [parameters.trained.clone(), parameters.statistics.clone()];
        let pairs = variables(averaged)
            .into_iter()
            .zip(variables(trained))
            .collect();
        Ok(Self {
            decay,
            updates: 0,
            pairs,
        })
    }

    /// Number of updates so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Restores the number of updates.
    pub fn set_updates(&mut self, updates: u64) {
        self.updates = updates;
    }

    /// Moves the average towards the trained values.
    ///
    /// # Errors
    ///
    /// When a variable is not f32 on the CPU.
    pub fn update(&mut self) -> Result<()> {
        let updates = self.updates as f64;
        let kept = self.decay.min((1.0 + updates) / (10.0 + updates));
        self.updates += 1;
        let approach = Approach {
            share: (1.0 - kept) as f32,
        };
        self.pairs
            .iter()
            .try_for_each(|(averaged, trained)| averaged.inplace_op2(trained, &approach))
    }
}

struct Approach {
    share: f32,
}

impl InplaceOp2 for Approach {
    fn name(&self) -> &'static str {
        "average"
    }

    fn cpu_fwd(
        &self,
        averaged: &mut CpuStorage,
        averaged_layout: &Layout,
        trained: &CpuStorage,
        trained_layout: &Layout,
    ) -> Result<()> {
        let averaged = slice_mut(averaged, averaged_layout)?;
        for (averaged, &trained) in averaged.iter_mut().zip(slice(trained, trained_layout)?) {
            *averaged += self.share * (trained - *averaged);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use emotion_models::training::TrainingExecutor;
    use emotion_models::weights::Architecture;

    fn parameters(value: f32) -> Parameters {
        let graph = Architecture::MiniXception.graph(48, 7).unwrap();
        let parameters = Parameters::new(&TrainingExecutor::new(&graph).unwrap(), 1).unwrap();
        set(&parameters, value);
        parameters
    }

    fn set(parameters: &Parameters, value: f32) {
        for variable in [&parameters.trained, &parameters.statistics] {
            let values = Tensor::full(value, variable.shape(), &Device::Cpu).unwrap();
            variable.set(&values).unwrap();
        }
    }

    /// The value that all have.
    fn value(parameters: &Parameters) -> f32 {
        let trained = parameters.trained.to_vec1::<f32>().unwrap();
        let statistics = parameters.statistics.to_vec1::<f32>().unwrap();
        assert!(
            trained
                .iter()
                .chain(&statistics)
                .all(|&value| value == trained[0])
        );
        trained[0]
    }

    #[test]
    fn it_starts_where_training_stands() {
        let (averaged, trained) = (parameters(5.0), parameters(1.0));
        Ema::new(&averaged, &trained, 0.9).unwrap();
        assert_eq!(value(&averaged), 1.0);
    }

    #[test]
    fn it_follows_fast_at_first_and_slowly_once_warm() {
        let (averaged, trained) = (parameters(0.0), parameters(0.0));
        let mut average = Ema::new(&averaged, &trained, 0.9).unwrap();
        set(&trained, 1.0);
        // The first update keeps (1 + 0) / (10 + 0) of the old value.
        average.update().unwrap();
        assert!((value(&averaged) - 0.9).abs() < 1e-6);
        average.set_updates(1_000);
        set(&trained, 0.0);
        average.update().unwrap();
        assert!((value(&averaged) - 0.81).abs() < 1e-6);
    }
}
