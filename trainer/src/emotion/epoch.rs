//! The log of the emotion networks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::run::log::LogRow;

/// One row of `log.csv`: Keras' columns, then learning rate, time, calibration, and what people see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EmotionEpoch {
    /// Number of the epoch, counted from 1.
    pub epoch: usize,
    /// Accuracy on the augmented training faces during the epoch.
    pub acc: f64,
    /// Their mean loss.
    pub loss: f64,
    /// Accuracy on the validation faces at the end of the epoch.
    pub val_acc: f64,
    /// Their mean cross-entropy against the targets that the run learns: labels, mixed with votes.
    pub val_loss: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Time of training and validation.
    pub seconds: f64,
    /// Temperature with the lowest such loss.
    pub temperature: f64,
    /// Mean loss of the validation faces at that temperature.
    pub val_loss_calibrated: f64,
    /// Their expected calibration error at that temperature, 0 to 1.
    pub val_ece: f64,
    /// Their macro F1: rare emotions count as much as frequent ones.
    pub val_macro_f1: f64,
    /// Accuracy on the majority of the votes, of the validation faces that have one.
    #[serde(default)]
    pub val_people_acc: Option<f64>,
    /// Mean over the emotions of the recall of these majorities.
    #[serde(default)]
    pub val_people_macro_recall: Option<f64>,
    /// Recall of the neutral majorities.
    #[serde(default)]
    pub val_people_neutral_recall: Option<f64>,
    /// Cross-entropy against the shares of the votes, at that temperature.
    #[serde(default)]
    pub val_people_loss: Option<f64>,
    /// Calibration error against the shares of the votes, at that temperature.
    #[serde(default)]
    pub val_people_ece: Option<f64>,
    /// The least confidence from which the majority contradicts at most one label in eight, at that temperature.
    #[serde(default)]
    pub threshold: Option<f64>,
}

impl LogRow for EmotionEpoch {
    fn epoch(&self) -> usize {
        self.epoch
    }

    fn seconds(&self) -> f64 {
        self.seconds
    }

    fn add_time(&mut self, time: Duration) {
        self.seconds += time.as_secs_f64();
    }

    fn validation_loss(&self) -> f64 {
        self.val_loss
    }

    fn score(&self) -> f64 {
        self.val_acc
    }

    fn score_text(&self) -> String {
        format!("{:.2} % validation accuracy", 100.0 * self.val_acc)
    }

    fn summary(&self) -> String {
        let people = self.val_people_acc;
        let people = people.map_or(String::new(), |accuracy| {
            format!("  people {:5.2} %", 100.0 * accuracy)
        });
        format!(
            "loss {:.4}  acc {:4.1} %  val_loss {:.4}  val_acc {:5.2} %{people}  lr {:.2e}  {:.1} s",
            self.loss,
            100.0 * self.acc,
            self.val_loss,
            100.0 * self.val_acc,
            self.lr,
            self.seconds,
        )
    }
}
