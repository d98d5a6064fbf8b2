//! The ways to train an emotion network.

use std::path::PathBuf;

use emotion_models::weights::{Architecture, Head};
use serde::{Deserialize, Serialize};

use crate::data::FACE_SIZE;
use crate::data::augment::Augmentation;
use crate::data::batch::BatchPlan;
use crate::data::mixing::Mixing;
use crate::data::targets::TargetSettings;
use crate::emotion::distillation::Distillation;
use crate::emotion::epoch::EmotionEpoch;
use crate::run::optimizer::AdamConfig;
use crate::run::schedule::Schedule;
use crate::run::settings::{CommonSettings, RunSettings};

/// A named set of [`Settings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// AdamW with a one-cycle learning rate, mixup, changes of light, and an average of the weights
    Best,
    /// The same with faces as cameras and detectors deliver them: badly cut out, tilted, small, blurred, compressed, covered
    Robust,
    /// Adam 1e-3 reduced on plateaus, as the published weights were trained
    Seed,
}

/// All settings of a run; with the data they decide its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The recipe that the values come from.
    pub recipe: Recipe,
    /// The network.
    #[serde(with = "architecture")]
    pub architecture: Architecture,
    /// Settings of every kind of training.
    #[serde(flatten)]
    pub common: CommonSettings,
    /// Width and height of the network's input in pixels.
    pub input_size: usize,
    /// Epochs without a lower validation loss after which training stops.
    pub early_stop: Option<usize>,
    /// Probability taken from the label and spread evenly over all classes.
    pub label_smoothing: f32,
    /// Share of the votes in the target of a face that has any; the label has the rest.
    pub votes_share: f32,
    /// Extra weight of rare classes: at 0 each face counts the same, at 1 each class.
    pub class_balance: f32,
    /// Limits of the augmentation.
    pub augmentation: Augmentation,
    /// How faces of a batch are mixed.
    pub mixing: Mixing,
    /// Distillation from teachers, if there are any.
    pub distillation: Option<Distillation>,
}

impl Settings {
    /// The batches of an epoch, counted from 1.
    pub fn batch_plan(&self, epoch: usize) -> BatchPlan {
        BatchPlan {
            seed: self.common.seed,
            epoch,
            batch: self.common.batch,
            input_size: self.input_size,
            augmentation: self.augmentation,
            mixing: self.mixing,
            targets: TargetSettings {
                smoothing: self.label_smoothing,
                votes_share: self.votes_share,
                class_balance: self.class_balance,
            },
            has_teachers: self.distillation.is_some(),
            views: self
                .distillation
                .as_ref()
                .and_then(|settings| settings.views),
        }
    }
}

/// Identifies the faces of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaceDataSummary {
    /// A hash of faces, labels and votes.
    pub data: String,
    /// Files of the teachers when the run began.
    pub teacher_files: Vec<PathBuf>,
    /// Number of training faces.
    pub training_faces: usize,
    /// Number of validation faces.
    pub validation_faces: usize,
}

impl RunSettings for Settings {
    type Epoch = EmotionEpoch;
    type DataSummary = FaceDataSummary;
    const FORMAT: &'static str = "emotion-trainer checkpoint 3";

    fn common(&self) -> &CommonSettings {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonSettings {
        &mut self.common
    }

    fn architecture(&self) -> Architecture {
        self.architecture
    }

    fn input_size(&self) -> usize {
        self.input_size
    }

    /// Covers are learnt where they are drawn.
    fn heads(&self) -> Vec<Head> {
        let cover = (self.augmentation.cover > 0.0).then_some(Head::Cover);
        [Head::Labels].into_iter().chain(cover).collect()
    }

    fn early_stop(&self) -> Option<usize> {
        self.early_stop
    }

    fn better(&self) -> fn(&EmotionEpoch, &EmotionEpoch) -> bool {
        |epoch, best| epoch.val_loss_calibrated < best.val_loss_calibrated
    }

    /// The last step may have fewer faces.
    fn steps_per_epoch(&self, data: &FaceDataSummary) -> usize {
        data.training_faces.div_ceil(self.common.batch)
    }
}

/// An architecture is stored by its name, as in the weights.
mod architecture {
    use emotion_models::weights::Architecture;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        architecture: &Architecture,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(architecture.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Architecture, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(D::Error::custom)
    }
}

impl Recipe {
    /// Its settings.
    pub fn settings(self) -> Settings {
        let plain = Settings {
            recipe: self,
            architecture: Architecture::MiniXception,
            common: CommonSettings {
                name: None,
                seed: 1,
                epochs: 10_000,
                batch: 32,
                learning_rate: 1e-3,
                schedule: Schedule::PLATEAU,
                optimizer: AdamConfig {
                    epsilon: 1e-7,
                    ..AdamConfig::default()
                },
                average: None,
                init: None,
            },
            input_size: FACE_SIZE,
            early_stop: Some(50),
            label_smoothing: 0.0,
            votes_share: 0.0,
            class_balance: 0.0,
            augmentation: Augmentation {
                rotation_degrees: 10.0,
                shift: 0.1,
                zoom: 0.1,
                flip: true,
                ..Augmentation::NONE
            },
            mixing: Mixing::default(),
            distillation: None,
        };
        let best = || Settings {
            common: CommonSettings {
                epochs: 60,
                batch: 64,
                learning_rate: 4e-3,
                schedule: Schedule::ONE_CYCLE,
                optimizer: AdamConfig {
                    weight_decay: 0.02,
                    ..AdamConfig::default()
                },
                average: Some(0.999),
                ..plain.common.clone()
            },
            early_stop: None,
            augmentation: Augmentation {
                light: 0.2,
                ..plain.augmentation
            },
            mixing: Mixing {
                mixup: 0.2,
                ..plain.mixing
            },
            ..plain.clone()
        };
        match self {
            Recipe::Seed => plain,
            Recipe::Best => best(),
            Recipe::Robust => Settings {
                augmentation: Augmentation {
                    cover: 0.15,
                    exposure: 2.0,
                    rotation_degrees: 20.0,
                    shift: 0.09,
                    scale: 0.2,
                    zoom: 0.04,
                    blur: 0.2,
                    reduce: 0.35,
                    compress: 0.2,
                    ..best().augmentation
                },
                mixing: Mixing::default(),
                ..best()
            },
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Recipe::Best => "best",
            Recipe::Robust => "robust",
            Recipe::Seed => "seed",
        }
    }
}
