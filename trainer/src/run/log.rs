//! The epochs of a run, as rows of `log.csv`.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The results of an epoch. Its fields are the columns of the log.
pub trait LogRow: Copy + Debug + Default + PartialEq + Serialize + DeserializeOwned {
    /// Number of the epoch, counted from 1.
    fn epoch(&self) -> usize;

    /// Time of training and validation.
    fn seconds(&self) -> f64;

    /// Adds time.
    fn add_time(&mut self, time: Duration);

    /// The quantity that has to fall in validation for progress.
    fn validation_loss(&self) -> f64;

    /// Validation score, 0 to 1, which is part of the names of weights files.
    fn score(&self) -> f64;

    /// The score with its name, for people.
    fn score_text(&self) -> String;

    /// All results in one line, for people.
    fn summary(&self) -> String;
}

/// Running totals of an unfinished epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochTotals {
    /// Finished steps.
    pub steps: usize,
    /// Samples in these steps.
    #[serde(rename = "faces")]
    pub samples: usize,
    /// Those of them that have a label.
    pub labelled: usize,
    /// Labelled samples that were recognised correctly.
    #[serde(rename = "recognised")]
    pub correct: usize,
    /// Sum of the losses of the samples.
    pub loss_sum: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Time of the steps.
    pub seconds: f64,
}

impl EpochTotals {
    /// Mean loss of the samples; NaN before the first.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.samples as f64
    }

    /// Fraction of the labelled samples that were recognised correctly; NaN before the first.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.labelled as f64
    }

    /// The totals as CSV, which unlike JSON stores every bit of a number.
    ///
    /// # Errors
    ///
    /// Never in practice: it is written to memory.
    pub fn to_csv(&self) -> Result<String> {
        write_rows(&[*self])
    }

    /// Reads the output of [`EpochTotals::to_csv`]; a text without rows is an epoch that has not begun.
    ///
    /// # Errors
    ///
    /// When a row does not hold totals.
    pub fn from_csv(csv: &str) -> Result<Self> {
        Ok(read_rows(csv)?.pop().unwrap_or_default())
    }
}

/// The epochs of a run, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Log<R> {
    epochs: Vec<R>,
}

impl<R: LogRow> Log<R> {
    /// Appends an epoch.
    pub fn push(&mut self, epoch: R) {
        self.epochs.push(epoch);
    }

    /// Number of epochs.
    pub fn len(&self) -> usize {
        self.epochs.len()
    }

    /// Whether there is no epoch.
    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// All epochs, the oldest first.
    pub fn epochs(&self) -> &[R] {
        &self.epochs
    }

    /// The last epoch.
    pub fn last(&self) -> Option<&R> {
        self.epochs.last()
    }

    /// The validation losses in order.
    pub fn validation_losses(&self) -> Vec<f64> {
        self.epochs.iter().map(R::validation_loss).collect()
    }

    /// The best epoch, the first of equals; `better` tells whether its first argument is better than its second.
    pub fn best(&self, better: fn(&R, &R) -> bool) -> Option<&R> {
        self.epochs
            .iter()
            .reduce(|best, epoch| if better(epoch, best) { epoch } else { best })
    }

    /// Epochs since the one with the lowest validation loss.
    pub fn epochs_without_progress(&self) -> usize {
        let lowest = self.best(|epoch, best| epoch.validation_loss() < best.validation_loss());
        self.len() - lowest.map_or(0, R::epoch)
    }

    /// Mean time of an epoch in seconds; none before the first.
    pub fn mean_seconds(&self) -> Option<f64> {
        let sum: f64 = self.epochs.iter().map(R::seconds).sum();
        (!self.is_empty()).then(|| sum / self.len() as f64)
    }

    /// The log as CSV with a header. Numbers keep all digits.
    ///
    /// # Errors
    ///
    /// Never in practice: it is written to memory.
    pub fn to_csv(&self) -> Result<String> {
        write_rows(&self.epochs)
    }

    /// Reads the output of [`Log::to_csv`] without loss.
    ///
    /// # Errors
    ///
    /// When a row is not an epoch.
    pub fn from_csv(csv: &str) -> Result<Self> {
        Ok(Self {
            epochs: read_rows(csv)?,
        })
    }
}

fn write_rows<T: Serialize>(rows: &[T]) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.serialize(row)?;
    }
    Ok(String::from_utf8(csv.into_inner()?)?)
}

fn read_rows<T: DeserializeOwned>(csv: &str) -> Result<Vec<T>> {
    let rows = csv::Reader::from_reader(csv.as_bytes()).into_deserialize();
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
