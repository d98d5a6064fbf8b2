//! What a run trains.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use candle_core::Tensor;
use emotion_models::{Metadata, Weights};

use crate::data::prefetch::Prefetched;
use crate::run::log::{EpochTotals, Log};
use crate::run::network::Network;
use crate::run::state::{Run, RunSettings};

/// The log of a run with these settings.
pub(crate) type LogOf<S> = Log<<S as RunSettings>::Epoch>;

/// What a run trains on, and what it makes of that: batches, a loss, a row of the log, weights.
pub trait TrainingTask: Sized {
    /// How it trains.
    type Settings: RunSettings;
    /// What one step learns from.
    type Batch;

    /// What tells these data from others.
    fn data_summary(&self) -> <Self::Settings as RunSettings>::DataSummary;

    /// Checks that a run with these settings can train on these data.
    ///
    /// # Errors
    ///
    /// When something is missing, with what to do.
    fn check(&self, settings: &Self::Settings) -> Result<()>;

    /// Checks that these are the data of the run, whose state was read from `file`, and fetches what it has besides.
    ///
    /// # Errors
    ///
    /// When they are others, with what to do.
    fn resume(&mut self, run: &Run<Self::Settings>, file: &Path) -> Result<()>;

    /// Notes that a run begins with `weights`.
    ///
    /// # Errors
    ///
    /// When they are of a network for something else.
    fn begin_with(settings: &mut Self::Settings, weights: &Weights) -> Result<()>;

    /// Changes the values of a network that was just drawn, if that is not how it begins.
    ///
    /// # Errors
    ///
    /// When a tensor cannot be made.
    fn first_values(_: &mut HashMap<String, Tensor>) -> Result<()> {
        Ok(())
    }

    /// The batches of an epoch, counted from 1, without those of the first `done` steps. They depend on nothing else.
    fn batches(
        &self,
        settings: &Self::Settings,
        epoch: usize,
        done: usize,
    ) -> Prefetched<candle_core::Result<Self::Batch>>;

    /// What the network in training makes of a batch.
    ///
    /// # Errors
    ///
    /// When the network fails.
    fn forward(
        &self,
        settings: &Self::Settings,
        network: &Network,
        batch: Self::Batch,
    ) -> Result<StepOutput>;

    /// The row of the epoch that `run` has just ended, its time without that of validation.
    ///
    /// # Errors
    ///
    /// When the network fails.
    fn validate(
        &self,
        run: &Run<Self::Settings>,
        network: &Network,
    ) -> Result<<Self::Settings as RunSettings>::Epoch>;

    /// The weights to keep of the epoch `row`, after which the network had these `values`.
    ///
    /// # Errors
    ///
    /// When a tensor cannot be made.
    fn weights(
        run: &Run<Self::Settings>,
        row: &<Self::Settings as RunSettings>::Epoch,
        values: HashMap<String, Tensor>,
    ) -> Result<(Metadata, HashMap<String, Tensor>)>;

    /// The figures of an epoch that has begun, for people.
    fn figures(totals: &EpochTotals) -> String;

    /// The log as SVG.
    ///
    /// # Errors
    ///
    /// When the log has no epochs.
    fn curves(log: &LogOf<Self::Settings>, title: &str) -> Result<String>;
}

/// What a network in training made of a batch.
#[derive(Debug)]
pub struct StepOutput {
    /// Mean loss of the samples, a scalar with a gradient.
    pub loss: Tensor,
    /// Number of samples.
    pub samples: usize,
    /// Number of those whose label it gave; 0 where samples have none.
    pub recognised: usize,
}
