//! The options that change a recipe.

use std::num::NonZeroUsize;

use clap::Args;
use emotion_models::weights::Architecture;

use super::values::{
    alpha, architecture, below_one, fraction, level, name, not_negative, positive, share, stops,
};
use crate::emotion::distillation::Distillation;
use crate::emotion::recipe::{Recipe, Settings};
use crate::run::schedule::Schedule;
use crate::run::weights_id::WeightsId;

/// A schedule with the constants that are usual for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ScheduleName {
    /// Up over 0.3 of the steps and down to nearly 0, both along half a cosine
    OneCycle,
    /// Up over 0.05 of the steps in a line, down to 0 along half a cosine
    Cosine,
    /// A tenth each time that 12 epochs bring no lower validation loss
    Plateau,
    /// The same throughout
    Constant,
}

impl ScheduleName {
    pub(super) fn schedule(self) -> Schedule {
        match self {
            ScheduleName::OneCycle => Schedule::ONE_CYCLE,
            ScheduleName::Cosine => Schedule::COSINE,
            ScheduleName::Plateau => Schedule::PLATEAU,
            ScheduleName::Constant => Schedule::Constant,
        }
    }
}

/// A recipe and what is changed about it.
#[derive(Debug, Args)]
pub struct RecipeArgs {
    /// The network [default: that of --init, else mini_xception]
    #[arg(long, value_parser = architecture(), conflicts_with = "resume")]
    pub arch: Option<Architecture>,

    /// What the weights are called, in results and in file names [default: the network's name]
    #[arg(long, value_parser = name, conflicts_with = "resume")]
    pub name: Option<String>,

    /// Values to start from
    #[arg(long, value_enum, default_value_t = Recipe::Best, conflicts_with = "resume")]
    pub recipe: Recipe,

    /// Epochs to train [best: 60, seed: until 50 epochs bring no progress]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub epochs: Option<NonZeroUsize>,

    /// Faces in a step [best: 64, seed: 32]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub batch: Option<NonZeroUsize>,

    /// Highest learning rate [best: 4e-3, seed: 1e-3]
    #[arg(long, value_parser = positive, conflicts_with = "resume")]
    pub lr: Option<f64>,

    /// How the learning rate goes [best: one-cycle, seed: plateau]
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub schedule: Option<ScheduleName>,

    /// Seed of the first weights, the order and the augmentation [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub seed: Option<u64>,

    /// Decoupled weight decay [best: 0.02, seed: 0]
    #[arg(long, value_name = "LAMBDA", value_parser = not_negative, conflicts_with = "resume")]
    pub weight_decay: Option<f64>,

    /// Probability spread evenly over the classes, below 1 [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = below_one, conflicts_with = "resume")]
    pub label_smoothing: Option<f64>,

    /// Share of the votes in the targets, next to the label; needs --votes [with --votes: 0.5]
    #[arg(long, value_name = "SHARE", value_parser = fraction, requires = "votes", conflicts_with = "resume")]
    pub votes_share: Option<f64>,

    /// Weight of rare classes in the loss: 0 each face the same, 1 each class the same [default: 0]
    #[arg(long, value_name = "POWER", value_parser = fraction, conflicts_with = "resume")]
    pub class_balance: Option<f64>,

    /// Largest random change of the exposure and of light from one side, in stops [default: 0]
    #[arg(long, value_name = "STOPS", value_parser = stops, conflicts_with = "resume")]
    pub exposure: Option<f64>,

    /// Largest random change of brightness, contrast and gamma, below 1 [best: 0.2, seed: 0]
    #[arg(long, value_name = "AMOUNT", value_parser = below_one, conflicts_with = "resume")]
    pub light: Option<f64>,

    /// Largest standard deviation of random noise in grey levels, up to 255 [default: 0]
    #[arg(long, value_name = "LEVELS", value_parser = level, conflicts_with = "resume")]
    pub noise: Option<f64>,

    /// Share of the faces of which a random rectangle is covered [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction, conflicts_with = "resume")]
    pub erasing: Option<f64>,

    /// Lay two faces over each other, the shares drawn from Beta(ALPHA, ALPHA) [best: 0.2, seed: 0,
    /// never]
    #[arg(long, value_name = "ALPHA", value_parser = alpha, conflicts_with = "resume")]
    pub mixup: Option<f64>,

    /// Put a piece of one face into another; with --mixup, each batch has the one or the other
    #[arg(long, value_name = "ALPHA", value_parser = alpha, conflicts_with = "resume")]
    pub cutmix: Option<f64>,

    /// Share of the averaged weights that stays at each step, 0 for none [best: 0.999, seed: 0]
    #[arg(long, value_name = "DECAY", value_parser = below_one, conflicts_with = "resume")]
    pub ema: Option<f64>,

    /// Share of the teachers in the loss, above 0
    #[arg(long, value_name = "ALPHA", value_parser = share, default_value = "0.7", conflicts_with = "resume")]
    pub distill_weight: f64,

    /// What the logits of teachers and student are divided by when they are compared
    #[arg(long, value_name = "T", value_parser = positive, default_value = "2", conflicts_with = "resume")]
    pub distill_temperature: f64,

    /// Teachers answer by the mean over the face and its mirror image, in twice the time
    #[arg(long, conflicts_with = "resume")]
    pub teacher_flip: bool,
}

impl RecipeArgs {
    /// The recipe's settings with the changes.
    pub fn settings(&self) -> Settings {
        let mut settings = self.recipe.settings();
        if let Some(architecture) = self.arch {
            settings.architecture = architecture;
        }
        settings.name.clone_from(&self.name);
        if let Some(epochs) = self.epochs {
            settings.epochs = epochs.get();
        }
        if let Some(batch) = self.batch {
            settings.batch = batch.get();
        }
        if let Some(lr) = self.lr {
            settings.learning_rate = lr;
        }
        if let Some(schedule) = self.schedule {
            settings.schedule = schedule.schedule();
        }
        if let Some(seed) = self.seed {
            settings.seed = seed;
        }
        if let Some(weight_decay) = self.weight_decay {
            settings.optimizer.weight_decay = weight_decay;
        }
        if let Some(label_smoothing) = self.label_smoothing {
            settings.label_smoothing = label_smoothing as f32;
        }
        let changes = [
            (self.votes_share, &mut settings.votes_share),
            (self.class_balance, &mut settings.class_balance),
            (self.exposure, &mut settings.augmentation.exposure),
            (self.light, &mut settings.augmentation.light),
            (self.noise, &mut settings.augmentation.noise),
            (self.erasing, &mut settings.augmentation.erasing),
            (self.mixup, &mut settings.mixing.mixup),
            (self.cutmix, &mut settings.mixing.cutmix),
        ];
        for (change, setting) in changes {
            if let Some(change) = change {
                *setting = change as f32;
            }
        }
        if let Some(decay) = self.ema {
            settings.average = (decay > 0.0).then_some(decay);
        }
        settings
    }

    /// What is learnt from `teachers`, if there are any.
    pub fn distillation(&self, teachers: Vec<WeightsId>) -> Option<Distillation> {
        (!teachers.is_empty()).then_some(Distillation {
            teachers,
            weight: self.distill_weight,
            temperature: self.distill_temperature,
            flip: self.teacher_flip,
        })
    }
}
