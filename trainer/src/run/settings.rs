//! The settings of a run as plain values: with the same data they give the same weights.

use std::fmt::Debug;

use emotion_models::weights::{Architecture, Head, WeightsId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::run::log::LogRow;
use crate::run::optimizer::AdamConfig;
use crate::run::schedule::Schedule;

/// Settings of every kind of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommonSettings {
    /// Name of the weights; none: that of the network.
    pub name: Option<String>,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Largest number of epochs.
    pub epochs: usize,
    /// Samples in a step.
    pub batch: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Schedule of the learning rate.
    pub schedule: Schedule,
    /// Constants of the optimiser.
    pub optimizer: AdamConfig,
    /// Decay of the exponential moving average of the weights; none: no average.
    pub average: Option<f64>,
    /// The initial weights; none: random ones.
    pub init: Option<WeightsId>,
}

/// The settings of one kind of training.
pub trait RunSettings: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// A row of the log.
    type Epoch: LogRow;
    /// Identifies the data of a run.
    type DataSummary: Clone + Debug + PartialEq + Serialize + DeserializeOwned;
    /// Name of the checkpoint format.
    const FORMAT: &'static str;

    /// The settings that every kind of training has.
    fn common(&self) -> &CommonSettings;

    /// The same to change.
    fn common_mut(&mut self) -> &mut CommonSettings;

    /// The network.
    fn architecture(&self) -> Architecture;

    /// Width and height of the network's input in pixels.
    fn input_size(&self) -> usize;

    /// The heads of the network.
    fn heads(&self) -> Vec<Head> {
        vec![Head::Labels]
    }

    /// Epochs without progress in validation after which training stops; none: never.
    fn early_stop(&self) -> Option<usize> {
        None
    }

    /// A function that tells whether the first of two epochs has the better weights.
    fn better(&self) -> fn(&Self::Epoch, &Self::Epoch) -> bool;

    /// Steps in an epoch on this data.
    fn steps_per_epoch(&self, data: &Self::DataSummary) -> usize;

    /// Name of the weights.
    fn name(&self) -> &str {
        let name = self.common().name.as_deref();
        name.unwrap_or_else(|| self.architecture().name())
    }
}
