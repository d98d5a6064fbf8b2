//! How the detector is trained, as plain values: a run stores them, so that it can be repeated.

use emotion_models::weights::Architecture;
use serde::{Deserialize, Serialize};

use super::epoch::DetectorEpoch;
use super::sample::Sampling;
use crate::run::optimizer::AdamConfig;
use crate::run::schedule::Schedule;
use crate::run::state::{Common, RunSettings};
use crate::run::weights_id::WeightsId;

/// Everything that decides a run, apart from the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// What the weights are called, if not like the network.
    pub name: Option<String>,
    /// Seed of the first values and of the samples.
    pub seed: u64,
    /// Epochs to train; in each there are as many samples as pictures, but for less than a batch.
    pub epochs: usize,
    /// Samples in a step.
    pub batch: usize,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// How the learning rate goes.
    pub schedule: Schedule,
    /// The optimiser's constants.
    pub optimizer: AdamConfig,
    /// Share of the averaged weights that stays at each step; none: the weights are not averaged.
    pub average: Option<f64>,
    /// What is learnt from.
    pub sampling: Sampling,
    /// The weights that it began with, if not random ones.
    pub init: Option<WeightsId>,
}

impl Default for Settings {
    /// As the built-in weights were trained.
    fn default() -> Self {
        Self {
            name: None,
            seed: 1,
            epochs: 120,
            batch: 32,
            learning_rate: 2.5e-3,
            schedule: Schedule::COSINE,
            optimizer: AdamConfig {
                weight_decay: 0.02,
                ..AdamConfig::default()
            },
            average: Some(0.999),
            sampling: Sampling::DEFAULT,
            init: None,
        }
    }
}

impl Settings {
    /// What the weights are called.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(Architecture::FaceNet.name())
    }

    /// Steps in an epoch on so many pictures; what is left of them makes none.
    pub fn steps(&self, pictures: usize) -> usize {
        (pictures / self.batch).max(1)
    }
}

/// What tells the pictures of a run from others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageDataSummary {
    /// A hash of pictures and boxes.
    pub data: String,
    /// Number of pictures that it trains on.
    pub training_pictures: usize,
    /// Number of pictures that it validates on.
    pub validation_pictures: usize,
}

impl RunSettings for Settings {
    type Epoch = DetectorEpoch;
    type DataSummary = ImageDataSummary;
    const FORMATS: &'static [&'static str] = &["emotion-trainer detector checkpoint 1"];

    fn common(&self) -> Common<'_> {
        Common {
            name: self.name(),
            architecture: Architecture::FaceNet,
            input_size: self.sampling.size,
            seed: self.seed,
            epochs: self.epochs,
            early_stop: None,
            learning_rate: self.learning_rate,
            schedule: self.schedule,
            optimizer: self.optimizer,
            average: self.average,
        }
    }

    fn better(&self) -> fn(&DetectorEpoch, &DetectorEpoch) -> bool {
        |epoch, best| epoch.val_ap50 > best.val_ap50
    }

    fn steps_per_epoch(&self, source: &ImageDataSummary) -> usize {
        self.steps(source.training_pictures)
    }
}
