//! Settings of the detector's training.

use emotion_models::weights::{Architecture, Head};
use serde::{Deserialize, Serialize};

use super::epoch::DetectorEpoch;
use super::sample::Sampling;
use crate::run::optimizer::AdamConfig;
use crate::run::schedule::Schedule;
use crate::run::settings::{CommonSettings, RunSettings};

/// All settings of a run; with the data they decide its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Settings of every kind of training. An epoch has about as many samples as there are images.
    #[serde(flatten)]
    pub common: CommonSettings,
    /// How samples are drawn.
    pub sampling: Sampling,
    /// Whether the network learns landmarks.
    #[serde(default)]
    pub landmarks: bool,
}

impl Default for Settings {
    /// The settings of the built-in weights.
    fn default() -> Self {
        Self {
            common: CommonSettings {
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
                init: None,
            },
            sampling: Sampling::DEFAULT,
            landmarks: false,
        }
    }
}

/// Identifies the images of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageDataSummary {
    /// A hash of images and boxes.
    pub data: String,
    /// Number of training images.
    pub training_pictures: usize,
    /// Number of validation images.
    pub validation_pictures: usize,
}

impl RunSettings for Settings {
    type Epoch = DetectorEpoch;
    type DataSummary = ImageDataSummary;
    const FORMAT: &'static str = "emotion-trainer detector checkpoint 2";

    fn common(&self) -> &CommonSettings {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonSettings {
        &mut self.common
    }

    fn architecture(&self) -> Architecture {
        Architecture::FaceNet
    }

    fn input_size(&self) -> usize {
        self.sampling.size
    }

    fn heads(&self) -> Vec<Head> {
        let landmarks = self.landmarks.then_some(Head::Landmarks);
        [Head::Labels].into_iter().chain(landmarks).collect()
    }

    fn better(&self) -> fn(&DetectorEpoch, &DetectorEpoch) -> bool {
        |epoch, best| epoch.val_ap50 > best.val_ap50
    }

    /// Steps are whole batches.
    fn steps_per_epoch(&self, data: &ImageDataSummary) -> usize {
        (data.training_pictures / self.common.batch).max(1)
    }
}
