//! A network in training and all that moves with it: its optimiser and its average.

use anyhow::Result;
use candle_core::Tensor;
use emotion_models::Weights;

use crate::average::Average;
use crate::checkpoint::Checkpoint;
use crate::network::Network;
use crate::optimizer::Adam;
use crate::params::Parameters;
use crate::recipe::Settings;

// Groups of tensors in a checkpoint.
const TRAINED: &str = "trained";
const AVERAGED: &str = "averaged";
const MOMENTS: &str = "moments";

/// Everything that a step changes.
pub(crate) struct Learner {
    trained: Network,
    average: Option<(Network, Average)>,
    optimizer: Adam,
}

impl Learner {
    /// As it is before the first step.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let Settings {
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
                let average = Average::new(&averaged.parameters, &trained.parameters, decay)?;
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
    pub(crate) fn begin_with(&mut self, weights: &Weights) -> Result<()> {
        self.trained.parameters.restore(weights.tensors())?;
        if let Some((averaged, _)) = &self.average {
            averaged.parameters.restore(weights.tensors())?;
        }
        Ok(())
    }

    /// As it was when the checkpoint was made, after `steps` steps.
    pub(crate) fn restore(&mut self, steps: u64, checkpoint: &Checkpoint) -> Result<()> {
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
    pub(crate) fn store(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.insert(TRAINED, self.trained.parameters.snapshot()?);
        checkpoint.insert(MOMENTS, self.optimizer.state()?);
        if let Some((averaged, _)) = &self.average {
            checkpoint.insert(AVERAGED, averaged.parameters.snapshot()?);
        }
        Ok(())
    }

    /// The network whose accuracy counts: the averaged one if there is one.
    pub(crate) fn network(&self) -> &Network {
        self.average
            .as_ref()
            .map_or(&self.trained, |(averaged, _)| averaged)
    }

    /// Logits `[N, 7]` of faces to learn from.
    pub(crate) fn forward(&self, faces: &Tensor) -> Result<Tensor> {
        self.trained.train(faces)
    }

    /// Moves all parameters so that `loss`, which comes from [`Learner::forward`], falls.
    pub(crate) fn step(&mut self, loss: &Tensor, learning_rate: f64) -> Result<()> {
        self.optimizer.step(&loss.backward()?, learning_rate)?;
        if let Some((_, average)) = &mut self.average {
            average.update()?;
        }
        Ok(())
    }
}
