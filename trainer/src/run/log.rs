//! What each epoch gave, as rows of `log.csv`.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What an epoch gave. Its fields are the columns of the log.
pub trait LogRow: Copy + Debug + Default + PartialEq + Serialize + DeserializeOwned {
    /// Counted from 1.
    fn epoch(&self) -> usize;

    /// Time that training and validation took.
    fn seconds(&self) -> f64;

    /// Adds time.
    fn took(&mut self, time: Duration);

    /// What is to fall in validation: where it does not, there is no progress.
    fn validation_loss(&self) -> f64;

    /// How much is right in validation, 0 to 1; names of weights tell it.
    fn score(&self) -> f64;

    /// The score with its name, for people.
    fn score_in_words(&self) -> String;

    /// The other columns in a line, for people.
    fn figures(&self) -> String;
}

/// What an epoch that has begun has added up so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochTotals {
    /// Steps that are done.
    pub steps: usize,
    /// Faces or other samples that were seen in them.
    #[serde(rename = "faces")]
    pub samples: usize,
    /// Faces of these that were recognised; of samples that are not told apart none.
    pub recognised: usize,
    /// Sum of the samples' losses.
    pub loss_sum: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Time that the steps took.
    pub seconds: f64,
}

impl EpochTotals {
    /// Mean loss of the samples seen; NaN before the first.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.samples as f64
    }

    /// Fraction of the faces seen that were recognised; NaN before the first.
    pub fn accuracy(&self) -> f64 {
        self.recognised as f64 / self.samples as f64
    }

    /// The totals as CSV, which unlike JSON gives back every bit of a number.
    ///
    /// # Errors
    ///
    /// Never in practice: it is written to memory.
    pub fn to_csv(&self) -> Result<String> {
        write_rows(&[*self])
    }

    /// Reads what [`EpochTotals::to_csv`] wrote; a text without rows is an epoch that has not begun.
    ///
    /// # Errors
    ///
    /// When a row is not a totals.
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

    /// Whether no epoch has ended yet.
    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// All of them, the oldest first.
    pub fn epochs(&self) -> &[R] {
        &self.epochs
    }

    /// The newest epoch.
    pub fn last(&self) -> Option<&R> {
        self.epochs.last()
    }

    /// The validation losses in order.
    pub fn validation_losses(&self) -> Vec<f64> {
        self.epochs.iter().map(LogRow::validation_loss).collect()
    }

    /// The epoch that none is `better` than, the first of equals.
    pub fn best(&self, better: fn(&R, &R) -> bool) -> Option<&R> {
        self.epochs
            .iter()
            .reduce(|best, epoch| if better(epoch, best) { epoch } else { best })
    }

    /// Epochs since the one with the lowest validation loss.
    pub fn epochs_without_progress(&self) -> usize {
        let lowest = self.best(|epoch, best| epoch.validation_loss() < best.validation_loss());
        self.len() - lowest.map_or(0, LogRow::epoch)
    }

    /// Mean time of an epoch in seconds; none before the first.
    pub fn mean_seconds(&self) -> Option<f64> {
        let sum: f64 = self.epochs.iter().map(LogRow::seconds).sum();
        (!self.is_empty()).then(|| sum / self.len() as f64)
    }

    /// The log as CSV with a header. Numbers have as many digits as tell them apart.
    ///
    /// # Errors
    ///
    /// Never in practice: it is written to memory.
    pub fn to_csv(&self) -> Result<String> {
        write_rows(&self.epochs)
    }

    /// Reads what [`Log::to_csv`] wrote, to the last bit of each number.
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
