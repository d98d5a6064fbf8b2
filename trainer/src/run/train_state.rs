//! Everything that a training step changes: the network, its optimiser and its moving average.

use anyhow::Result;
use candle_core::Tensor;
use emotion_models::weights::WeightTensors;

use crate::run::checkpoint::Checkpoint;
use crate::run::ema::Ema;
use crate::run::network::Network;
use crate::run::optimizer::Adam;
use crate::run::settings::RunSettings;

// Groups of tensors in a checkpoint.
const TRAINED: &str = "trained";
const AVERAGED: &str = "averaged";
const MOMENTS: &str = "moments";

/// A network in training.
pub(crate) struct TrainState {
    trained: Network,
    average: Option<(Network, Ema)>,
    optimizer: Adam,
}

impl TrainState {
    /// The state before the first step, with random values.
    pub(crate) fn new(settings: &impl RunSettings) -> Result<Self> {
        let common = settings.common();
        let network = || {
            let (architecture, size) = (settings.architecture(), settings.input_size());
            Network::new(architecture, size, &settings.heads(), common.seed)
        };
        let trained = network()?;
        let average = match common.average {
            Some(decay) => {
                let averaged = network()?;
                let ema = Ema::new(&averaged.parameters, &trained.parameters, decay)?;
                Some((averaged, ema))
            }
            None => None,
        };
        let variable = trained.parameters.trained.clone();
        let slots = trained.parameters.slots().to_vec();
        Ok(Self {
            optimizer: Adam::new(variable, slots, common.optimizer),
            trained,
            average,
        })
    }

    /// Sets the values before the first step.
    pub(crate) fn init(&self, values: &WeightTensors) -> Result<()> {
        self.trained.parameters.restore(values)?;
        if let Some((averaged, _)) = &self.average {
            averaged.parameters.restore(values)?;
        }
        Ok(())
    }

    /// Restores the state that a checkpoint holds, after `steps` steps.
    pub(crate) fn restore<S: RunSettings>(
        &mut self,
        steps: u64,
        checkpoint: &Checkpoint<S>,
    ) -> Result<()> {
        let trained = checkpoint.group(TRAINED);
        self.trained.parameters.restore(&trained)?;
        self.optimizer.restore(steps, &checkpoint.group(MOMENTS))?;
        if let Some((averaged, ema)) = &mut self.average {
            averaged.parameters.restore(&checkpoint.group(AVERAGED))?;
            ema.set_updates(steps);
        }
        Ok(())
    }

    /// Adds all tensors to a checkpoint.
    pub(crate) fn store<S: RunSettings>(&self, checkpoint: &mut Checkpoint<S>) -> Result<()> {
        checkpoint.insert(TRAINED, self.trained.parameters.snapshot()?);
        checkpoint.insert(MOMENTS, self.optimizer.state());
        if let Some((averaged, _)) = &self.average {
            checkpoint.insert(AVERAGED, averaged.parameters.snapshot()?);
        }
        Ok(())
    }

    /// The network to validate and save: the averaged one if there is one.
    pub(crate) fn network(&self) -> &Network {
        let averaged = self.average.as_ref().map(|(averaged, _)| averaged);
        averaged.unwrap_or(&self.trained)
    }

    /// The network that is trained.
    pub(crate) fn trained(&self) -> &Network {
        &self.trained
    }

    /// Updates all parameters for `loss`, which was computed with [`TrainState::trained`].
    pub(crate) fn step(&mut self, loss: &Tensor, learning_rate: f64) -> Result<()> {
        self.optimizer.step(&loss.backward()?, learning_rate)?;
        if let Some((_, ema)) = &mut self.average {
            ema.update()?;
        }
        Ok(())
    }
}
