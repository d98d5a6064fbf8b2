//! A run as plain values: how it trains, on what, and how far it has come.

use std::fmt::Debug;

use emotion_models::weights::Architecture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::run::log::{EpochTotals, Log, LogRow};
use crate::run::optimizer::AdamConfig;
use crate::run::schedule::Schedule;

/// The settings of one kind of training. Whatever it trains, a run can be repeated from them and its data.
pub trait RunSettings: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// A row of the log.
    type Epoch: LogRow;
    /// What tells the data of a run from others.
    type DataSummary: Clone + Debug + PartialEq + Serialize + DeserializeOwned;
    /// What checkpoints call their format: the one that is written, then older ones that can be read.
    const FORMATS: &'static [&'static str];

    /// What every kind of training has.
    fn common(&self) -> Common<'_>;

    /// Whether weights after the first epoch are to be kept rather than those after the second.
    fn better(&self) -> fn(&Self::Epoch, &Self::Epoch) -> bool;

    /// Steps in an epoch on this data.
    fn steps_per_epoch(&self, data_summary: &Self::DataSummary) -> usize;
}

/// Settings that every kind of training has.
#[derive(Debug, Clone, Copy)]
pub struct Common<'a> {
    /// What the weights are called.
    pub name: &'a str,
    /// The network.
    pub architecture: Architecture,
    /// Width and height of what it learns from, in pixels.
    pub input_size: usize,
    /// Seed of the first values, and of all that is drawn.
    pub seed: u64,
    /// Most epochs to train.
    pub epochs: usize,
    /// Epochs without progress in validation after which training stops.
    pub early_stop: Option<usize>,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// How the learning rate goes.
    pub schedule: Schedule,
    /// The optimiser's constants.
    pub optimizer: AdamConfig,
    /// Share of the averaged weights that stays at each step; none: the weights are not averaged.
    pub average: Option<f64>,
}

/// All of a run that is not tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Run<S: RunSettings> {
    format: String,
    /// How the run trains.
    pub settings: S,
    /// The epochs so far. CSV keeps their numbers exactly, JSON as it is read here might not.
    #[serde(skip)]
    pub log: Log<S::Epoch>,
    /// The epoch after these, as far as it has come.
    #[serde(skip)]
    pub totals: EpochTotals,
    /// What it trains on.
    #[serde(flatten)]
    pub data_summary: S::DataSummary,
}

impl<S: RunSettings> Run<S> {
    /// A run that has not begun.
    pub fn new(settings: S, data_summary: S::DataSummary) -> Self {
        Self {
            format: S::FORMATS[0].to_owned(),
            settings,
            log: Log::default(),
            totals: EpochTotals::default(),
            data_summary,
        }
    }

    /// From now on it is written as the newest format has it.
    pub(crate) fn renew_format(&mut self) {
        S::FORMATS[0].clone_into(&mut self.format);
    }

    /// The best epoch so far.
    pub fn best(&self) -> Option<&S::Epoch> {
        self.log.best(self.settings.better())
    }

    /// Whether all epochs are done, or validation has shown no progress for too long.
    pub fn is_finished(&self) -> bool {
        let Common {
            epochs, early_stop, ..
        } = self.settings.common();
        let waited = self.log.epochs_without_progress();
        self.log.len() >= epochs || early_stop.is_some_and(|patience| waited >= patience)
    }

    /// The epoch that has begun or is to begin, counted from 1.
    pub fn epoch(&self) -> usize {
        self.log.len() + 1
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.settings.steps_per_epoch(&self.data_summary)
    }

    /// Steps done since the run began.
    pub fn steps(&self) -> u64 {
        (self.log.len() * self.steps_per_epoch() + self.totals.steps) as u64
    }
}
