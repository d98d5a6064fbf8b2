//! A run without its tensors: settings, data and progress.

use serde::{Deserialize, Serialize};

use crate::run::log::{EpochTotals, Log};
use crate::run::settings::RunSettings;

/// Everything of a run except tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Run<S: RunSettings> {
    format: String,
    /// The settings.
    pub settings: S,
    /// The finished epochs. CSV stores their numbers exactly, JSON might not.
    #[serde(skip)]
    pub log: Log<S::Epoch>,
    /// The unfinished epoch.
    #[serde(skip)]
    pub totals: EpochTotals,
    /// Identifies the training data.
    #[serde(flatten)]
    pub data: S::DataSummary,
}

impl<S: RunSettings> Run<S> {
    /// A run before its first step.
    pub fn new(settings: S, data: S::DataSummary) -> Self {
        Self {
            format: S::FORMAT.to_owned(),
            settings,
            log: Log::default(),
            totals: EpochTotals::default(),
            data,
        }
    }

    /// The best epoch so far.
    pub fn best(&self) -> Option<&S::Epoch> {
        self.log.best(self.settings.better())
    }

    /// Whether all epochs are done, or validation has shown no progress for too long.
    pub fn is_finished(&self) -> bool {
        let waited = self.log.epochs_without_progress();
        let early_stop = self.settings.early_stop();
        self.log.len() >= self.settings.common().epochs
            || early_stop.is_some_and(|patience| waited >= patience)
    }

    /// The current epoch, counted from 1.
    pub fn epoch(&self) -> usize {
        self.log.len() + 1
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.settings.steps_per_epoch(&self.data)
    }

    /// Steps since the run began.
    pub fn steps(&self) -> u64 {
        (self.log.len() * self.steps_per_epoch() + self.totals.steps) as u64
    }
}
