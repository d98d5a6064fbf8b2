//! A network in training and all that moves with it: its optimiser and its average.

use std::collections::HashMap;

use anyhow::Result;
use candle_core::Tensor;

use crate::run::checkpoint::Checkpoint;
use crate::run::ema::Ema;
use crate::run::network::Network;
use crate::run::optimizer::Adam;
use crate::run::params::Parameters;
use crate::run::state::{Common, RunSettings};

// Groups of tensors in a checkpoint.
const TRAINED: &str = "trained";
const AVERAGED: &str = "averaged";
const MOMENTS: &str = "moments";

/// Everything that a step changes.
pub(crate) struct TrainState {
    trained: Network,
    average: Option<(Network, Ema)>,
    optimizer: Adam,
}

impl TrainState {
    /// As it is before the first step.
    pub(crate) fn new(settings: &Common<'_>) -> Result<Self> {
        let Common {
            architecture,
            input_size,
            seed,
            ..
        } = *settings;
        let network = || Network::new(architecture, input_size, seed);
        let trained = network()?;
        let average = match settings.average {
            Some(decay) => {
                let averaged = network()?;
                let average = Ema::new(&averaged.parameters, &trained.parameters, decay)?;
                Some((averaged, average))
            }
            None => None,
        };
        let Parameters {
            trained: variable, ..
        } = &trained.parameters;
        let slots = trained.parameters.slots().to_vec();
        let optimizer = Adam::new(variable.clone(), slots, settings.optimizer);
        Ok(Self {
            trained,
            average,
            optimizer,
        })
    }

    /// As it is before the first step, with these values instead of random ones.
    pub(crate) fn begin_with(&self, values: &HashMap<String, Tensor>) -> Result<()> {
        self.trained.parameters.restore(values)?;
        if let Some((averaged, _)) = &self.average {
            averaged.parameters.restore(values)?;
        }
        Ok(())
    }

    /// As it was when the checkpoint was made, after `steps` steps.
    pub(crate) fn restore<S: RunSettings>(
        &mut self,
        steps: u64,
        checkpoint: &Checkpoint<S>,
    ) -> Result<()> {
        self.trained
            .parameters
            .restore(&checkpoint.group(TRAINED))?;
        self.optimizer.restore(steps, &checkpoint.group(MOMENTS))?;
        if let Some((averaged, average)) = &mut self.average {
            averaged.parameters.restore(&checkpoint.group(AVERAGED))?;
            average.set_updates(steps);
        }
        Ok(())
    }

    /// Puts all tensors into a checkpoint.
    pub(crate) fn store<S: RunSettings>(&self, checkpoint: &mut Checkpoint<S>) -> Result<()> {
        checkpoint.insert(TRAINED, self.trained.parameters.snapshot()?);
        checkpoint.insert(MOMENTS, self.optimizer.state()?);
        if let Some((averaged, _)) = &self.average {
            checkpoint.insert(AVERAGED, averaged.parameters.snapshot()?);
        }
        Ok(())
    }

    /// The network whose results count: the averaged one if there is one.
    pub(crate) fn network(&self) -> &Network {
        self.average
            .as_ref()
            .map_or(&self.trained, |(averaged, _)| averaged)
    }

    /// The network that learns.
    pub(crate) fn trained(&self) -> &Network {
        &self.trained
    }

    /// Moves all parameters so that `loss`, which comes from [`TrainState::trained`], falls.
    pub(crate) fn step(&mut self, loss: &Tensor, learning_rate: f64) -> Result<()> {
        self.optimizer.step(&loss.backward()?, learning_rate)?;
        if let Some((_, average)) = &mut self.average {
            average.update()?;
        }
        Ok(())
    }
}
