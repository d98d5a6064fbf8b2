//! What an epoch of the detector gave.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::calibration::PlattScaling;
use crate::run::log::LogRow;

/// One row of `log.csv`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorEpoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss of the samples.
    pub loss: f64,
    /// Average precision on the validation pictures, at an IoU of 0.5.
    pub val_ap50: f64,
    /// Share of their faces that are found, where recall and precision are best together: at the highest F1.
    pub val_recall: f64,
    /// Share of what is found there that is a face.
    pub val_precision: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Time that training and validation took.
    pub seconds: f64,
    /// The confidence from which boxes count at the highest F1, calibrated.
    pub val_threshold: f64,
    /// The [`PlattScaling`] of the scores.
    pub slope: f64,
    /// The rest of it.
    pub offset: f64,
}

impl DetectorEpoch {
    /// What makes the scores after this epoch honest.
    pub fn calibration(&self) -> PlattScaling {
        PlattScaling {
            slope: self.slope,
            offset: self.offset,
        }
    }
}

impl LogRow for DetectorEpoch {
    fn epoch(&self) -> usize {
        self.epoch
    }

    fn seconds(&self) -> f64 {
        self.seconds
    }

    fn took(&mut self, time: Duration) {
        self.seconds += time.as_secs_f64();
    }

    /// What the average precision lacks.
    fn validation_loss(&self) -> f64 {
        1.0 - self.val_ap50
    }

    fn score(&self) -> f64 {
        self.val_ap50
    }

    fn score_in_words(&self) -> String {
        format!("average precision {:.4} in validation", self.val_ap50)
    }

    fn figures(&self) -> String {
        format!(
            "loss {:.4}  val_ap50 {:.4}  val_recall {:4.1} %  val_precision {:4.1} %  lr {:.2e}  {:.1} s",
            self.loss,
            self.val_ap50,
            100.0 * self.val_recall,
            100.0 * self.val_precision,
            self.lr,
            self.seconds,
        )
    }
}
