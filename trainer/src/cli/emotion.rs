//! Options of the commands for the emotion networks.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use emotion_models::inference::Precision;
use emotion_models::preprocess::LightCorrection;
use emotion_models::weights::{Architecture, WeightsId};

use super::common::{CommonArgs, RunArgs, set, with_default};
use super::values::{
    alpha, architecture, below_one, degrees, dtype, fraction, level, light_correction, positive,
    share, stops,
};
use crate::data::Split;
use crate::emotion::distillation::Distillation;
use crate::emotion::recipe::{Recipe, Settings};

/// Share of the votes if --votes is given alone.
const VOTES_SHARE: f32 = 0.5;

/// Defaults of the common settings.
const DEFAULTS: [(&str, &str); 7] = [
    ("name", "default: the network's name"),
    (
        "epochs",
        "best: 60, seed: until 50 epochs bring no progress",
    ),
    ("batch", "best: 64, seed: 32"),
    ("lr", "best: 4e-3, seed: 1e-3"),
    ("schedule", "best: one-cycle, seed: plateau"),
    ("weight_decay", "best: 0.02, seed: 0"),
    ("ema", "best: 0.999, seed: 0"),
];

/// Options of `train`.
#[derive(Debug, Args)]
#[command(mut_args(|arg| with_default(arg, &DEFAULTS)))]
pub struct TrainArgs {
    /// fer2013.csv, plain, gzip or zstd packed, or a folder of pictures: DIR/train/happy/*.png
    /// and so on with train, val and test, or DIR/happy/*.png to have them split
    #[arg(long, value_name = "CSV|DIR")]
    pub data: PathBuf,

    /// fer2013new.csv, the votes of FER+ for the rows of fer2013.csv; Training faces in which most
    /// people see no face or no known emotion are left out
    #[arg(long, value_name = "CSV")]
    pub votes: Option<PathBuf>,

    /// Pictures with face boxes, as for train-detector: their faces are learnt from the teachers
    /// alone
    #[arg(long, value_name = "DIR")]
    pub unlabelled: Option<PathBuf>,

    /// Where and how the run is executed
    #[command(flatten)]
    pub run: RunArgs,

    /// Weights whose answers are learnt besides the labels; several: the mean of their answers. A
    /// resumed run finds its teachers by itself unless they have moved
    #[arg(long, value_name = "FILE,…", value_delimiter = ',')]
    pub teacher: Vec<PathBuf>,

    /// Common settings
    #[command(flatten)]
    pub common: CommonArgs,

    /// The recipe and its changes
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// A recipe and changes to it.
#[derive(Debug, Args)]
#[group(id = "recipe settings", conflicts_with = "resume")]
pub struct RecipeArgs {
    /// The network [default: that of --init, else mini_xception]
    #[arg(long, value_parser = architecture())]
    pub arch: Option<Architecture>,

    /// Values to start from
    #[arg(long, value_enum, default_value_t = Recipe::Best)]
    pub recipe: Recipe,

    /// Probability spread evenly over the classes, below 1 [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = below_one)]
    pub label_smoothing: Option<f64>,

    /// Share of the votes in the targets, next to the label, and of the people's head in a
    /// teacher's answer; with 0 votes serve the measures alone; needs --votes [with --votes: 0.5]
    #[arg(long, value_name = "SHARE", value_parser = fraction, requires = "votes")]
    pub votes_share: Option<f64>,

    /// Weight of rare classes in the loss: 0 each face the same, 1 each class the same [default: 0]
    #[arg(long, value_name = "POWER", value_parser = fraction)]
    pub class_balance: Option<f64>,

    /// Share of the faces with a mask, hand, glasses or bar over mouth or eyes; above 0, the network
    /// learns to notice them [robust: 0.15, else 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub cover: Option<f64>,

    /// Largest rotation to either side [robust: 20, else 10]
    #[arg(long, value_name = "DEGREES", value_parser = degrees)]
    pub rotation: Option<f64>,

    /// Largest shift along each axis, as a fraction of the side [robust: 0.09, else 0.1]
    #[arg(long, value_name = "SHARE", value_parser = below_one)]
    pub shift: Option<f64>,

    /// Largest change of scale, below 1 [robust: 0.2, else 0]
    #[arg(long, value_name = "AMOUNT", value_parser = below_one)]
    pub scale: Option<f64>,

    /// Largest further change of scale along each axis, below 1 [robust: 0.04, else 0.1]
    #[arg(long, value_name = "AMOUNT", value_parser = below_one)]
    pub zoom: Option<f64>,

    /// Share of the faces that are reduced to 16 to 47 pixels [robust: 0.35, else 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub reduce: Option<f64>,

    /// Share of the faces that are blurred, by up to a tenth of their side [robust: 0.2, else 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub blur: Option<f64>,

    /// Share of the faces that are compressed as JPEG [robust: 0.2, else 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub compress: Option<f64>,

    /// Largest random change of the exposure and of light from one side, in stops [robust: 2, else 0]
    #[arg(long, value_name = "STOPS", value_parser = stops)]
    pub exposure: Option<f64>,

    /// Largest random change of brightness, contrast and gamma, below 1 [best: 0.2, seed: 0]
    #[arg(long, value_name = "AMOUNT", value_parser = below_one)]
    pub light: Option<f64>,

    /// Largest standard deviation of random noise in grey levels, up to 255 [default: 0]
    #[arg(long, value_name = "LEVELS", value_parser = level)]
    pub noise: Option<f64>,

    /// Share of the faces on which a random rectangle is covered [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub erasing: Option<f64>,

    /// Blend two faces, with shares from Beta(ALPHA, ALPHA) [best: 0.2, seed: 0, never]
    #[arg(long, value_name = "ALPHA", value_parser = alpha)]
    pub mixup: Option<f64>,

    /// Paste a piece of one face into another; with --mixup, each batch uses one of both
    #[arg(long, value_name = "ALPHA", value_parser = alpha)]
    pub cutmix: Option<f64>,

    /// Share of the teachers in the loss, above 0
    #[arg(long, value_name = "ALPHA", value_parser = share, default_value = "0.7")]
    pub distill_weight: f64,

    /// Divisor of the logits of teachers and student when they are compared
    #[arg(long, value_name = "T", value_parser = positive, default_value = "2")]
    pub distill_temperature: f64,

    /// Moves each face in this many ways in turn instead of another way each epoch, so that teachers
    /// have to classify each of them only once; takes no --mixup or --cutmix
    #[arg(long, value_name = "N")]
    pub teacher_views: Option<NonZeroUsize>,

    /// Teachers average over the face and its mirror image, in twice the time
    #[arg(long)]
    pub teacher_flip: bool,
}

impl TrainArgs {
    /// The settings of a new run.
    pub fn settings(&self) -> Settings {
        let recipe = &self.recipe;
        let mut settings = recipe.recipe.settings();
        self.common.apply(&mut settings.common);
        set(&mut settings.architecture, recipe.arch);
        if self.votes.is_some() {
            settings.votes_share = VOTES_SHARE;
        }
        let changes = [
            (recipe.label_smoothing, &mut settings.label_smoothing),
            (recipe.votes_share, &mut settings.votes_share),
            (recipe.class_balance, &mut settings.class_balance),
            (recipe.cover, &mut settings.augmentation.cover),
            (recipe.rotation, &mut settings.augmentation.rotation_degrees),
            (recipe.shift, &mut settings.augmentation.shift),
            (recipe.scale, &mut settings.augmentation.scale),
            (recipe.zoom, &mut settings.augmentation.zoom),
            (recipe.reduce, &mut settings.augmentation.reduce),
            (recipe.blur, &mut settings.augmentation.blur),
            (recipe.compress, &mut settings.augmentation.compress),
            (recipe.exposure, &mut settings.augmentation.exposure),
            (recipe.light, &mut settings.augmentation.light),
            (recipe.noise, &mut settings.augmentation.noise),
            (recipe.erasing, &mut settings.augmentation.erasing),
            (recipe.mixup, &mut settings.mixing.mixup),
            (recipe.cutmix, &mut settings.mixing.cutmix),
        ];
        for (change, setting) in changes {
            set(setting, change.map(|value| value as f32));
        }
        settings
    }
}

impl RecipeArgs {
    /// The distillation from these teachers, if there are any.
    pub fn distillation(&self, teachers: Vec<WeightsId>) -> Option<Distillation> {
        (!teachers.is_empty()).then_some(Distillation {
            teachers,
            weight: self.distill_weight,
            temperature: self.distill_temperature,
            flip: self.teacher_flip,
            views: self.teacher_views.map(NonZeroUsize::get),
        })
    }
}

/// Options of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// A weights file, or the name of the built-in weights; of several, separated by commas, the
    /// mean of their probabilities is evaluated
    #[arg(
        long,
        value_name = "FILE|NAME",
        value_delimiter = ',',
        default_value = "residual_xception"
    )]
    pub weights: Vec<PathBuf>,

    /// fer2013.csv, plain, gzip or zstd packed, or a folder of pictures as for train
    #[arg(long, value_name = "CSV|DIR")]
    pub data: PathBuf,

    /// fer2013new.csv, the votes of FER+ for the rows of fer2013.csv: also report what people see
    #[arg(long, value_name = "CSV")]
    pub votes: Option<PathBuf>,

    /// The rows to evaluate on [default: private; of a folder without splits, all pictures]
    #[arg(long, value_enum)]
    pub split: Option<Split>,

    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,

    /// Folder for confusion.svg and reliability.svg [default: runs/evaluation/WEIGHTS-SPLIT]
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,

    /// Draw nothing
    #[arg(long, conflicts_with = "plots")]
    pub no_plots: bool,

    /// Light correction of each face, as the plugin's light-correction
    #[arg(long, value_parser = light_correction(), default_value = "none")]
    pub light_correction: LightCorrection,

    /// Report the accuracy also on the faces darkened and brightened by 1.5 stops and lit from the
    /// side, with each light correction
    #[arg(long)]
    pub light: bool,

    /// Report the accuracy also on the faces reduced, rotated, blurred, compressed, badly cut out and
    /// covered
    #[arg(long)]
    pub robust: bool,

    /// Number type that the network computes with [default: the fastest of this machine, as in the
    /// plugin]
    #[arg(long, visible_alias = "precision", value_parser = dtype())]
    pub dtype: Option<Precision>,

    /// Faces in a batch
    #[arg(long, value_name = "N", default_value = "128")]
    pub batch: NonZeroUsize,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}
