//! The log of the detector.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::calibration::PlattScaling;
use crate::run::log::LogRow;

/// One row of `log.csv`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorEpoch {
    /// Number of the epoch, counted from 1.
    pub epoch: usize,
    /// Mean loss of the samples.
    pub loss: f64,
    /// Average precision on the validation images at an IoU of 0.5.
    pub val_ap50: f64,
    /// Recall on them at the threshold with the highest F1.
    pub val_recall: f64,
    /// Precision at that threshold.
    pub val_precision: f64,
    /// Mean distance of the landmarks found on them from those known, as a fraction of the longer side of the face.
    #[serde(default)]
    pub val_landmark_error: Option<f64>,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Time of training and validation.
    pub seconds: f64,
    /// That threshold as a calibrated confidence.
    pub val_threshold: f64,
    /// Slope of the [`PlattScaling`] of the scores.
    pub slope: f64,
    /// Offset of the [`PlattScaling`] of the scores.
    pub offset: f64,
}

impl DetectorEpoch {
    /// The calibration of the scores after this epoch.
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

    fn add_time(&mut self, time: Duration) {
        self.seconds += time.as_secs_f64();
    }

    /// 1 minus the average precision.
    fn validation_loss(&self) -> f64 {
        1.0 - self.val_ap50
    }

    fn score(&self) -> f64 {
        self.val_ap50
    }

    fn score_text(&self) -> String {
        format!("average precision {:.4} in validation", self.val_ap50)
    }

    fn summary(&self) -> String {
        let landmarks = self.val_landmark_error;
        let landmarks = landmarks.map_or(String::new(), |error| {
            format!("  landmarks off by {:.2} %", 100.0 * error)
        });
        format!(
            "loss {:.4}  val_ap50 {:.4}  val_recall {:4.1} %  val_precision {:4.1} %{landmarks}  lr {:.2e}  {:.1} s",
            self.loss,
            self.val_ap50,
            100.0 * self.val_recall,
            100.0 * self.val_precision,
            self.lr,
            self.seconds,
        )
    }
}
