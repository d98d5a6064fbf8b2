//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::data::Split;
use crate::recipe::{Recipe, Settings};

/// Trains and evaluates the emotion networks on FER-2013
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the layers of the network, their output shapes and parameters
    Summary(SummaryArgs),
    /// Train a network on the Training rows; PublicTest chooses the epoch that is kept
    Train(TrainArgs),
    /// Report how well weights do on a split
    Evaluate(EvaluateArgs),
    /// Draw loss, accuracy and learning rate of a run from its log
    Curves(CurvesArgs),
    /// Convert Keras' mini_XCEPTION (HDF5) to a weights file
    #[cfg(feature = "keras")]
    ImportKeras(ImportKerasArgs),
}

/// Options of `summary`.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// Width and height of the input in pixels
    #[arg(long, default_value_t = crate::data::FACE_SIZE, value_name = "PIXELS")]
    pub input_size: usize,
}

/// Options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// fer2013.csv, plain, gzip or zstd packed
    #[arg(long, value_name = "CSV")]
    pub data: PathBuf,

    /// Folder for best.safetensors, last.ckpt.safetensors and log.csv
    #[arg(
        long,
        value_name = "DIR",
        default_value = "runs/mini_xception",
        conflicts_with = "resume"
    )]
    pub out: PathBuf,

    /// Go on with the run in this folder, to the result that it would have had without a stop
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,

    /// How to train; see the options of --recipe for what else can be changed
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// A recipe and what is changed about it.
#[derive(Debug, Args)]
pub struct RecipeArgs {
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

    /// Seed of the first weights, the order and the augmentation [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub seed: Option<u64>,

    /// Decoupled weight decay [best: 1e-4, seed: 0]
    #[arg(long, value_name = "LAMBDA", value_parser = not_negative, conflicts_with = "resume")]
    pub weight_decay: Option<f64>,

    /// Probability spread evenly over the classes, below 1 [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = below_one, conflicts_with = "resume")]
    pub label_smoothing: Option<f64>,

    /// Share of the averaged weights that stays at each step, 0 for none [best: 0.999, seed: 0]
    #[arg(long, value_name = "DECAY", value_parser = below_one, conflicts_with = "resume")]
    pub ema: Option<f64>,
}

impl RecipeArgs {
    /// The recipe's settings with the changes.
    pub fn settings(&self) -> Settings {
        let mut settings = self.recipe.settings();
        if let Some(epochs) = self.epochs {
            settings.epochs = epochs.get();
        }
        if let Some(batch) = self.batch {
            settings.batch = batch.get();
        }
        if let Some(lr) = self.lr {
            settings.learning_rate = lr;
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
        if let Some(decay) = self.ema {
            settings.average = (decay > 0.0).then_some(decay);
        }
        settings
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
        default_value = "mini_xception"
    )]
    pub weights: Vec<PathBuf>,

    /// fer2013.csv, plain, gzip or zstd packed
    #[arg(long, value_name = "CSV")]
    pub data: PathBuf,

    /// The rows to evaluate on
    #[arg(long, value_enum, default_value_t = Split::Private)]
    pub split: Split,

    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,

    /// Folder for confusion.svg and reliability.svg [default: runs/evaluation/WEIGHTS-SPLIT]
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,

    /// Draw nothing
    #[arg(long, conflicts_with = "plots")]
    pub no_plots: bool,

    /// Faces in a batch
    #[arg(long, value_name = "N", default_value = "128")]
    pub batch: NonZeroUsize,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// Options of `curves`.
#[derive(Debug, Args)]
pub struct CurvesArgs {
    /// The log of a run
    pub log: PathBuf,

    /// The file to draw to [default: beside the log, with `curves.svg` for `log.csv`]
    #[arg(long, value_name = "SVG")]
    pub out: Option<PathBuf>,

    /// What stands above the curves [default: the path of the log]
    #[arg(long)]
    pub title: Option<String>,
}

/// Options of `import-keras`.
#[cfg(feature = "keras")]
#[derive(Debug, Args)]
pub struct ImportKerasArgs {
    /// Keras' model, HDF5
    pub file: PathBuf,

    /// The weights file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

fn number(text: &str, expected: &str, valid: impl Fn(f64) -> bool) -> Result<f64, String> {
    let number = text.parse().ok().filter(|&number| valid(number));
    number.ok_or_else(|| format!("expected {expected}"))
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, "a number above 0", |number| {
        number > 0.0 && number.is_finite()
    })
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "a number from 0", |number| {
        number >= 0.0 && number.is_finite()
    })
}

fn below_one(text: &str) -> Result<f64, String> {
    number(text, "a number from 0 to below 1", |number| {
        (0.0..1.0).contains(&number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    fn settings(options: &str) -> Settings {
        let line = format!("emotion-trainer train --data fer2013.csv {options}");
        match parse(&line).unwrap().command {
            Command::Train(args) => args.recipe.settings(),
            _ => unreachable!("the line says train"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn options_change_the_recipe_and_leave_the_rest() {
        let changed = settings("--recipe seed --epochs 3 --lr 0.01 --ema 0.9");
        let expected = Settings {
            epochs: 3,
            learning_rate: 0.01,
            average: Some(0.9),
            ..Recipe::Seed.settings()
        };
        assert_eq!(changed, expected);
        assert_eq!(settings("--recipe best --ema 0").average, None);
    }

    #[test]
    fn a_resumed_run_takes_no_other_settings() {
        let line = "emotion-trainer train --data fer2013.csv --resume runs/a --lr 0.1";
        assert_eq!(
            parse(line).unwrap_err().kind(),
            clap::error::ErrorKind::ArgumentConflict
        );
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for options in ["--epochs 0", "--batch 0", "--lr 0", "--lr nan", "--ema 1"] {
            let line = format!("emotion-trainer train --data fer2013.csv {options}");
            assert_eq!(
                parse(&line).unwrap_err().kind(),
                clap::error::ErrorKind::ValueValidation,
                "{options}"
            );
        }
    }
}
