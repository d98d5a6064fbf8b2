//! The options of the commands for the face detector.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use emotion_detect::Options;
use emotion_models::inference::Precision;

use super::RunArgs;
use super::recipe::ScheduleName;
use super::values::{below_one, dtype, fraction, name, not_negative, pixels, positive};
use crate::detector::annotations::ImageSplit;
use crate::detector::settings::Settings;

/// Options of `train-detector`.
#[derive(Debug, Args)]
pub struct TrainDetectorArgs {
    /// Folder with boxes.jsonl, an object per picture: {"image": "a.jpg", "width": 640, "height":
    /// 480, "boxes": [[x, y, width, height], …]}, and if you like "split": "train" or "val",
    /// "labels": "human" or "model", and "ignore", boxes in which nobody can tell; or with WIDER
    /// FACE's wider_face_split, WIDER_train and WIDER_val
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// Where the run is kept
    #[command(flatten)]
    pub run: RunArgs,

    /// Weights of a detector to begin with instead of random ones; they need fewer epochs then, and
    /// a lower --lr
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "resume")]
    pub init: Option<PathBuf>,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,

    /// What the weights are called, in results and in file names [default: face_net]
    #[arg(long, value_parser = name, conflicts_with = "resume")]
    pub name: Option<String>,

    /// Epochs to train [default: 120]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub epochs: Option<NonZeroUsize>,

    /// Samples in a step [default: 32]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub batch: Option<NonZeroUsize>,

    /// Highest learning rate [default: 2.5e-3]
    #[arg(long, value_parser = positive, conflicts_with = "resume")]
    pub lr: Option<f64>,

    /// How the learning rate goes [default: cosine]
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub schedule: Option<ScheduleName>,

    /// Seed of the first weights and of the samples [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub seed: Option<u64>,

    /// Decoupled weight decay [default: 0.02]
    #[arg(long, value_name = "LAMBDA", value_parser = not_negative, conflicts_with = "resume")]
    pub weight_decay: Option<f64>,

    /// Share of the averaged weights that stays at each step, 0 for none [default: 0.999]
    #[arg(long, value_name = "DECAY", value_parser = below_one, conflicts_with = "resume")]
    pub ema: Option<f64>,

    /// Width and height of the samples that are cut from the pictures, a multiple of 32 [default:
    /// 256]; the network takes pictures of any size
    #[arg(long, value_name = "PIXELS", value_parser = pixels, conflicts_with = "resume")]
    pub input_size: Option<usize>,

    /// Smallest face in a sample, the longer side of its box in pixels, from 6 [default: 8]
    #[arg(long, value_name = "PIXELS", value_parser = smallest_face, conflicts_with = "resume")]
    pub min_face: Option<f64>,

    /// Largest face in a sample, likewise; not larger than the sample [default: 220]
    #[arg(long, value_name = "PIXELS", value_parser = largest_face, conflicts_with = "resume")]
    pub max_face: Option<f64>,
}

/// Options of `calibrate-detector`.
#[derive(Debug, Args)]
pub struct CalibrateDetectorArgs {
    /// A weights file, or the name of built-in weights
    #[arg(long, value_name = "FILE|NAME")]
    pub weights: PathBuf,

    /// A folder as for train-detector; its validation pictures count
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// The weights file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// Options of `evaluate-detector`.
#[derive(Debug, Args)]
pub struct EvaluateDetectorArgs {
    /// A weights file, or the name of built-in weights
    #[arg(long, value_name = "FILE|NAME", default_value = "face_net")]
    pub weights: PathBuf,

    /// Judge what another detector found instead: JSON Lines with a line for each picture,
    /// {"image": "a.jpg", "found": [[x, y, width, height, confidence], …]}
    #[arg(long, value_name = "JSONL", conflicts_with = "weights")]
    pub found: Option<PathBuf>,

    /// A folder as for train-detector
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// The pictures to evaluate on; those that do not say what they are for are evaluated on always
    #[arg(long, value_enum, default_value_t = ImageSplit::Val)]
    pub split: ImageSplit,

    /// Confidence from which a box counts for recall and precision [default: that of facedetect]
    #[arg(long, value_name = "SHARE", value_parser = confidence, default_value_t = Options::default().threshold)]
    pub threshold: f32,

    /// Smallest face that is looked for, in pixels of the picture
    #[arg(long, value_name = "PIXELS", default_value_t = 1)]
    pub min_size: u32,

    /// Longer side of what the network sees of a picture at most, in pixels, 0 to choose it as
    /// facedetect does
    #[arg(long, value_name = "PIXELS", default_value_t = 0)]
    pub detection_size: u32,

    /// Tiles that the longer side of a picture is divided into, which the network looks at besides
    /// the whole
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub tiles: u32,

    /// Look at the pictures in other light as well: two stops darker, two stops brighter, and lit
    /// from one side
    #[arg(long)]
    pub light: bool,

    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,

    /// Folder for precision-recall.svg [default: runs/evaluation/WEIGHTS-DATA]
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,

    /// Draw nothing
    #[arg(long, conflicts_with = "plots")]
    pub no_plots: bool,

    /// The numbers that the network computes with [default: the fastest that this machine has, as
    /// the plugin does]
    #[arg(long, value_parser = dtype())]
    pub dtype: Option<Precision>,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

impl EvaluateDetectorArgs {
    /// The file or name of what is evaluated.
    pub fn detector(&self) -> &Path {
        self.found.as_deref().unwrap_or(&self.weights)
    }
}

fn confidence(text: &str) -> Result<f32, String> {
    fraction(text).map(|share| share as f32)
}

fn smallest_face(text: &str) -> Result<f64, String> {
    let pixels = text
        .parse()
        .ok()
        .filter(|pixels| (6.0..=64.0).contains(pixels));
    pixels.ok_or_else(|| "expected a number from 6 to 64".to_owned())
}

fn largest_face(text: &str) -> Result<f64, String> {
    let pixels = text
        .parse()
        .ok()
        .filter(|pixels| (64.0..=1024.0).contains(pixels));
    pixels.ok_or_else(|| "expected a number from 64 to 1024".to_owned())
}

impl TrainDetectorArgs {
    /// The settings of a new run.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
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
        if let Some(decay) = self.ema {
            settings.average = (decay > 0.0).then_some(decay);
        }
        if let Some(size) = self.input_size {
            settings.sampling.size = size;
        }
        if let Some(smallest) = self.min_face {
            settings.sampling.faces.0 = smallest as f32;
        }
        if let Some(largest) = self.max_face {
            settings.sampling.faces.1 = largest as f32;
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn parse(options: &str) -> Result<Settings, clap::Error> {
        let line = format!("emotion-trainer train-detector --data faces {options}");
        match Cli::try_parse_from(line.split_whitespace())?.command {
            Command::TrainDetector(args) => Ok(args.settings()),
            _ => unreachable!("the line says train-detector"),
        }
    }

    #[test]
    fn options_change_the_settings_and_leave_the_rest() {
        let changed =
            parse("--epochs 3 --lr 0.01 --ema 0 --input-size 320 --min-face 10 --name mine");
        let mut expected = Settings {
            name: Some("mine".to_owned()),
            epochs: 3,
            learning_rate: 0.01,
            average: None,
            ..Settings::default()
        };
        expected.sampling.size = 320;
        expected.sampling.faces.0 = 10.0;
        assert_eq!(changed.unwrap(), expected);
        assert_eq!(parse("").unwrap(), Settings::default());
    }

    #[test]
    fn impossible_values_are_refused() {
        for options in [
            "--input-size 100",
            "--input-size 0",
            "--input-size 2048",
            "--min-face 5",
            "--epochs 0",
            "--lr 0",
        ] {
            let error = parse(options).unwrap_err();
            let expected = clap::error::ErrorKind::ValueValidation;
            assert_eq!(error.kind(), expected, "{options}");
        }
    }

    #[test]
    fn a_resumed_run_takes_no_other_settings() {
        let error = parse("--resume runs/a --batch 8").unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict);
    }
}
