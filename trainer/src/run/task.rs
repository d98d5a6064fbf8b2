//! The interface between the training loop and one kind of training.

use std::path::Path;

use anyhow::Result;
use candle_core::Tensor;
use emotion_models::weights::WeightTensors;
use emotion_models::{Metadata, Weights};

use crate::data::prefetch::Prefetched;
use crate::run::log::{EpochTotals, Log};
use crate::run::network::Network;
use crate::run::settings::RunSettings;
use crate::run::state::Run;

/// A row of the log of a task.
pub(crate) type EpochOf<T> = <<T as TrainingTask>::Settings as RunSettings>::Epoch;

/// One kind of training and its data: batches, loss, validation and the weights to save.
pub trait TrainingTask: Sized {
    /// Its settings.
    type Settings: RunSettings;
    /// The input of one step.
    type Batch;

    /// Identifies the data.
    fn data_summary(&self) -> <Self::Settings as RunSettings>::DataSummary;

    /// Checks that a run with these settings can train on this data.
    ///
    /// # Errors
    ///
    /// When something is missing, with the remedy.
    fn check(&self, settings: &Self::Settings) -> Result<()>;

    /// Checks that this is the data of the run, whose state was read from `file`, and loads what else the run needs.
    ///
    /// # Errors
    ///
    /// When it is other data, with the remedy.
    fn resume(&mut self, run: &Run<Self::Settings>, file: &Path) -> Result<()>;

    /// Adapts the settings of a new run to its initial weights.
    ///
    /// # Errors
    ///
    /// When the weights are of a network for another task.
    fn adopt(settings: &mut Self::Settings, weights: &Weights) -> Result<()>;

    /// Replaces the random initial values of a new run by those of its initial weights.
    fn adopt_values(_: &Self::Settings, weights: &Weights, values: &mut WeightTensors) {
        values.clone_from(weights.tensors());
    }

    /// Replaces some of the random initial values.
    ///
    /// # Errors
    ///
    /// When a tensor cannot be made.
    fn init_values(_: &mut WeightTensors) -> Result<()> {
        Ok(())
    }

    /// The batches of an epoch, counted from 1, without the first `skipped` ones. They depend on nothing else.
    fn batches(
        &self,
        settings: &Self::Settings,
        epoch: usize,
        skipped: usize,
    ) -> Prefetched<candle_core::Result<Self::Batch>>;

    /// Runs the network on a batch and computes the loss.
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

    /// Validates the network after the last step of an epoch. The row's time excludes validation.
    ///
    /// # Errors
    ///
    /// When the network fails.
    fn validate(&self, run: &Run<Self::Settings>, network: &Network) -> Result<EpochOf<Self>>;

    /// Metadata and tensors of the weights to save after `epoch`, when the network had these `values`.
    ///
    /// # Errors
    ///
    /// When a tensor cannot be made.
    fn weights(
        run: &Run<Self::Settings>,
        epoch: &EpochOf<Self>,
        values: WeightTensors,
    ) -> Result<(Metadata, WeightTensors)>;

    /// Text for the progress bar of an unfinished epoch.
    fn progress_text(totals: &EpochTotals) -> String;

    /// Draws the log as SVG.
    ///
    /// # Errors
    ///
    /// When the log has no epochs.
    fn curves(log: &Log<EpochOf<Self>>, title: &str) -> Result<String>;
}

/// The result of the forward pass of a training step.
#[derive(Debug)]
pub struct StepOutput {
    /// Mean loss of the samples, a scalar with a gradient.
    pub loss: Tensor,
    /// Number of samples.
    pub samples: usize,
    /// Number of samples with a label.
    pub labelled: usize,
    /// Number of labelled samples with a correct answer.
    pub correct: usize,
}
