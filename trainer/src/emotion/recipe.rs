//! The two ways to train, as plain values: a run stores them, so that it can be repeated.

use std::path::PathBuf;

use emotion_models::weights::Architecture;
use serde::{Deserialize, Serialize};

use crate::data::FACE_SIZE;
use crate::data::augment::Augmentation;
use crate::data::mixing::Mixing;
use crate::emotion::distillation::Distillation;
use crate::emotion::epoch::EmotionEpoch;
use crate::run::optimizer::AdamConfig;
use crate::run::schedule::Schedule;
use crate::run::state::{Common, RunSettings};
use crate::run::weights_id::WeightsId;

/// A named set of [`Settings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// AdamW with a one-cycle learning rate, faces mixed and lit otherwise, and an average of the
    /// weights
    Best,
    /// Adam 1e-3 reduced on plateaus, as the published weights were trained
    Seed,
}

/// What decides which epoch is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectionMetric {
    /// The highest validation accuracy.
    Accuracy,
    /// The lowest validation loss.
    Loss,
}

impl SelectionMetric {
    /// Whether the first of two epochs is to be kept rather than the second.
    pub fn better(self) -> fn(&EmotionEpoch, &EmotionEpoch) -> bool {
        match self {
            SelectionMetric::Accuracy => |epoch, best| epoch.val_acc > best.val_acc,
            SelectionMetric::Loss => |epoch, best| epoch.val_loss < best.val_loss,
        }
    }
}

/// Everything that decides a run, apart from the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The recipe that the values come from.
    pub recipe: Recipe,
    /// The network.
    #[serde(
        with = "architecture",
        default = "architecture::before_there_were_others"
    )]
    pub architecture: Architecture,
    /// What the weights are called, if not like the network.
    #[serde(default)]
    pub name: Option<String>,
    /// Seed of the first values, the order and the augmentation.
    pub seed: u64,
    /// Width and height that the network takes, in pixels.
    pub input_size: usize,
    /// Most epochs to train.
    pub epochs: usize,
    /// Epochs without a lower validation loss after which training stops.
    pub early_stop: Option<usize>,
    /// Faces in a step.
    pub batch: usize,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// How the learning rate goes.
    pub schedule: Schedule,
    /// The optimiser's constants.
    pub optimizer: AdamConfig,
    /// Probability that is taken from the label and spread over all classes.
    pub label_smoothing: f32,
    /// Share that the votes have in a target where there are any; the label has the rest.
    #[serde(default)]
    pub votes_share: f32,
    /// How far rare classes count more: 0 each face the same, 1 each class the same.
    #[serde(default)]
    pub class_balance: f32,
    /// Share of the averaged weights that stays at each step; none: the weights are not averaged.
    pub average: Option<f64>,
    /// How far faces are changed.
    pub augmentation: Augmentation,
    /// How faces of a batch are mixed.
    #[serde(default)]
    pub mixing: Mixing,
    /// What decides which epoch is kept.
    pub choice: SelectionMetric,
    /// What it learns from teachers, if it has any.
    #[serde(default)]
    pub distillation: Option<Distillation>,
    /// The weights that it began with, if not random ones.
    #[serde(default)]
    pub init: Option<WeightsId>,
}

impl Settings {
    /// What the weights are called.
    pub fn name(&self) -> &str {
        self.name
            .as_deref()
            .unwrap_or_else(|| self.architecture.name())
    }
}

/// What tells the faces of a run from others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaceDataSummary {
    /// A hash of faces, labels and votes; older runs lack it.
    #[serde(default)]
    pub data: Option<String>,
    /// Files of the teachers where the run began, to find them again.
    #[serde(default)]
    pub teacher_files: Vec<PathBuf>,
    /// Number of faces that it trains on.
    pub training_faces: usize,
    /// Number of faces that it validates on.
    pub validation_faces: usize,
}

impl RunSettings for Settings {
    type Epoch = EmotionEpoch;
    type DataSummary = FaceDataSummary;
    /// The first one was written at the ends of epochs only, without a totals.
    const FORMATS: &'static [&'static str] = &[
        "emotion-trainer checkpoint 2",
        "emotion-trainer checkpoint 1",
    ];

    fn common(&self) -> Common<'_> {
        Common {
            name: self.name(),
            architecture: self.architecture,
            input_size: self.input_size,
            seed: self.seed,
            epochs: self.epochs,
            early_stop: self.early_stop,
            learning_rate: self.learning_rate,
            schedule: self.schedule,
            optimizer: self.optimizer,
            average: self.average,
        }
    }

    fn better(&self) -> fn(&EmotionEpoch, &EmotionEpoch) -> bool {
        self.choice.better()
    }

    /// The last step may have fewer faces.
    fn steps_per_epoch(&self, source: &FaceDataSummary) -> usize {
        source.training_faces.div_ceil(self.batch)
    }
}

/// An architecture is stored by its name, as in the weights.
mod architecture {
    use emotion_models::weights::Architecture;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn before_there_were_others() -> Architecture {
        Architecture::MiniXception
    }

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

const AUGMENTATION: Augmentation = Augmentation {
    rotation_degrees: 10.0,
    shift: 0.1,
    zoom: 0.1,
    flip: true,
    ..Augmentation::NONE
};

impl Recipe {
    /// Its values.
    pub fn settings(self) -> Settings {
        match self {
            Recipe::Best => Settings {
                recipe: self,
                architecture: Architecture::MiniXception,
                name: None,
                seed: 1,
                input_size: FACE_SIZE,
                epochs: 60,
                early_stop: None,
                batch: 64,
                learning_rate: 4e-3,
                schedule: Schedule::ONE_CYCLE,
                optimizer: AdamConfig {
                    weight_decay: 0.02,
                    ..AdamConfig::default()
                },
                label_smoothing: 0.0,
                votes_share: 0.0,
                class_balance: 0.0,
                average: Some(0.999),
                augmentation: Augmentation {
                    light: 0.2,
                    ..AUGMENTATION
                },
                mixing: Mixing {
                    mixup: 0.2,
                    ..Mixing::default()
                },
                choice: SelectionMetric::Accuracy,
                distillation: None,
                init: None,
            },
            Recipe::Seed => Settings {
                recipe: self,
                architecture: Architecture::MiniXception,
                name: None,
                seed: 1,
                input_size: FACE_SIZE,
                epochs: 10_000,
                early_stop: Some(50),
                batch: 32,
                learning_rate: 1e-3,
                schedule: Schedule::PLATEAU,
                optimizer: AdamConfig {
                    epsilon: 1e-7,
                    ..AdamConfig::default()
                },
                label_smoothing: 0.0,
                votes_share: 0.0,
                class_balance: 0.0,
                average: None,
                augmentation: AUGMENTATION,
                mixing: Mixing::default(),
                choice: SelectionMetric::Loss,
                distillation: None,
                init: None,
            },
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Recipe::Best => "best",
            Recipe::Seed => "seed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn settings_of_runs_from_before_an_option_was_there_leave_it_off() {
        let settings = Recipe::Seed.settings();
        let mut stored = serde_json::to_value(&settings).unwrap();
        let remove = |stored: &mut Value, names: &[&str]| {
            let fields = stored.as_object_mut().unwrap();
            for name in names {
                fields.remove(*name).expect("a field of this name");
            }
        };
        remove(&mut stored, &["votes_share", "class_balance", "mixing"]);
        let augmentation = &mut stored["augmentation"];
        remove(augmentation, &["exposure", "light", "noise", "erasing"]);
        assert_eq!(
            serde_json::from_value::<Settings>(stored).unwrap(),
            settings
        );
    }
}
