//! The options of the commands for the face detector.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use emotion_detect::Options;
use emotion_models::inference::Precision;

use super::common::{CommonArgs, RunArgs, set, with_default};
use super::values::{degrees, dtype, fraction, number, pixels};
use crate::detector::annotations::ImageSplit;
use crate::detector::images::TrainingSelection;
use crate::detector::settings::Settings;

/// Defaults of the common settings.
const DEFAULTS: [(&str, &str); 7] = [
    ("name", "default: face_net"),
    ("epochs", "default: 120"),
    ("batch", "default: 32"),
    ("lr", "default: 2.5e-3"),
    ("schedule", "default: cosine"),
    ("weight_decay", "default: 0.02"),
    ("ema", "default: 0.999"),
];

/// Share of the crops that show hard negatives, if there are some.
const HARD_SHARE: f32 = 0.15;

/// Options of `train-detector`.
#[derive(Debug, Args)]
#[command(mut_args(|arg| with_default(arg, &DEFAULTS)))]
pub struct TrainDetectorArgs {
    /// Folder with boxes.jsonl, an object per picture: {"image": "a.jpg", "width": 640, "height":
    /// 480, "boxes": [[x, y, width, height], …]}, and optionally "split": "train" or "val",
    /// "labels": "human" or "model", and "ignore", boxes that may hold a face or not; or with WIDER
    /// FACE's wider_face_split, WIDER_train and WIDER_val
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// What mine-negatives has found on these pictures
    #[arg(long, value_name = "JSONL")]
    pub hard_negatives: Option<PathBuf>,

    /// A source of boxes.jsonl whose training pictures are left out, to see what that costs on its validation pictures
    #[arg(long, value_name = "SOURCE")]
    pub leave_out: Option<String>,

    /// Where and how the run is executed
    #[command(flatten)]
    pub run: RunArgs,

    /// Common settings
    #[command(flatten)]
    pub common: CommonArgs,

    /// Settings of the samples
    #[command(flatten)]
    pub sampling: SamplingArgs,
}

/// How samples are drawn.
#[derive(Debug, Args)]
#[group(id = "sampling settings", conflicts_with = "resume")]
pub struct SamplingArgs {
    /// Width and height of the samples that are cropped from the pictures, a multiple of 32 [default:
    /// 256]; the network takes pictures of any size
    #[arg(long, value_name = "PIXELS", value_parser = pixels)]
    pub input_size: Option<usize>,

    /// Smallest face in a sample, the longer side of its box in pixels, from 6 [default: 8]
    #[arg(long, value_name = "PIXELS", value_parser = smallest_face)]
    pub min_face: Option<f64>,

    /// Largest face in a sample, likewise; not larger than the sample [default: 220]
    #[arg(long, value_name = "PIXELS", value_parser = largest_face)]
    pub max_face: Option<f64>,

    /// Share of the samples that consist of close-ups: pictures on grey that a face fills or overfills
    /// [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub close_ups: Option<f64>,

    /// Largest rotation of a crop to either side [default: 20]
    #[arg(long, value_name = "DEGREES", value_parser = degrees)]
    pub rotation: Option<f64>,

    /// Share of the crops that are rotated [default: 0.4]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub rotated: Option<f64>,

    /// Share of the crops that show what --hard-negatives names [default: 0.15 with it]
    #[arg(long, value_name = "SHARE", value_parser = fraction, requires = "hard_negatives")]
    pub hard_share: Option<f64>,
}

/// Options of `mine-negatives`.
#[derive(Debug, Args)]
pub struct MineNegativesArgs {
    /// A weights file, or the name of built-in weights
    #[arg(long, value_name = "FILE|NAME", default_value = "face_net")]
    pub weights: PathBuf,

    /// A folder as for train-detector; its training pictures without faces count, and those whose boxes people have drawn
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// The file to write, for train-detector
    #[arg(long, value_name = "JSONL")]
    pub out: PathBuf,

    /// Least confidence of the boxes
    #[arg(long, value_name = "SHARE", value_parser = confidence, default_value_t = 0.1)]
    pub threshold: f32,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
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

    /// Evaluate the boxes of another detector instead: JSON Lines with a line for each picture,
    /// {"image": "a.jpg", "found": [[x, y, width, height, confidence], …]}
    #[arg(long, value_name = "JSONL", conflicts_with = "weights")]
    pub found: Option<PathBuf>,

    /// A folder as for train-detector
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// The pictures to evaluate on; those without a split are always evaluated
    #[arg(long, value_enum, default_value_t = ImageSplit::Val)]
    pub split: ImageSplit,

    /// Least confidence of boxes that count for recall and precision [default: that of facedetect]
    #[arg(long, value_name = "SHARE", value_parser = confidence, default_value_t = Options::default().threshold)]
    pub threshold: f32,

    /// Smallest face to detect, in pixels of the picture
    #[arg(long, value_name = "PIXELS", default_value_t = 1)]
    pub min_size: u32,

    /// Largest longer side of the network's input in pixels, 0 to choose it as facedetect does
    #[arg(long, value_name = "PIXELS", default_value_t = 0)]
    pub detection_size: u32,

    /// Tiles along the longer side of a picture, which the network processes besides the whole
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub tiles: u32,

    /// Evaluate on the pictures in other light as well: two stops darker, two stops brighter, and
    /// lit from one side
    #[arg(long)]
    pub light: bool,

    /// Evaluate on close-ups and turned faces as well, made of the faces of the pictures
    #[arg(long)]
    pub made: bool,

    /// The emotion network whose answers about turned faces --made compares: a weights file, or the name of built-in weights
    #[arg(long, value_name = "FILE|NAME", default_value = "residual_xception")]
    pub emotions: PathBuf,

    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,

    /// Folder for precision-recall.svg [default: runs/evaluation/WEIGHTS-DATA]
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,

    /// Draw nothing
    #[arg(long, conflicts_with = "plots")]
    pub no_plots: bool,

    /// Number type that the network computes with [default: the fastest of this machine, as in the
    /// plugin]
    #[arg(long, visible_alias = "precision", value_parser = dtype())]
    pub dtype: Option<Precision>,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

impl EvaluateDetectorArgs {
    /// The file or name of the evaluated detector.
    pub fn detector(&self) -> &Path {
        self.found.as_deref().unwrap_or(&self.weights)
    }
}

fn confidence(text: &str) -> Result<f32, String> {
    fraction(text).map(|share| share as f32)
}

fn smallest_face(text: &str) -> Result<f64, String> {
    number(text, "a number from 6 to 64", |pixels| {
        (6.0..=64.0).contains(&pixels)
    })
}

fn largest_face(text: &str) -> Result<f64, String> {
    let expected = "a number from 64 to 1024";
    number(text, expected, |pixels| (64.0..=1024.0).contains(&pixels))
}

impl TrainDetectorArgs {
    /// What the run learns from besides the boxes of its data, and what it leaves out.
    pub fn selection(&self) -> TrainingSelection<'_> {
        TrainingSelection {
            hard_negatives: self.hard_negatives.as_deref(),
            left_out: self.leave_out.as_deref(),
        }
    }

    /// The settings of a new run.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        self.common.apply(&mut settings.common);
        let (sampling, args) = (&mut settings.sampling, &self.sampling);
        set(&mut sampling.size, args.input_size);
        set(&mut sampling.faces.0, args.min_face.map(|side| side as f32));
        set(&mut sampling.faces.1, args.max_face.map(|side| side as f32));
        set(
            &mut sampling.close_ups,
            args.close_ups.map(|share| share as f32),
        );
        set(
            &mut sampling.rotation.1,
            args.rotation.map(|degrees| degrees as f32),
        );
        set(
            &mut sampling.rotation.0,
            args.rotated.map(|share| share as f32),
        );
        if self.hard_negatives.is_some() {
            sampling.hard_negatives = args.hard_share.map_or(HARD_SHARE, |share| share as f32);
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
        let changed = parse(
            "--epochs 3 --lr 0.01 --ema 0 --input-size 320 --min-face 10 --name mine --close-ups 0.2 --rotation 60 --rotated 0.7 --hard-negatives hard.jsonl",
        );
        let mut expected = Settings::default();
        expected.common.name = Some("mine".to_owned());
        expected.common.epochs = 3;
        expected.common.learning_rate = 0.01;
        expected.common.average = None;
        expected.sampling.size = 320;
        expected.sampling.faces.0 = 10.0;
        expected.sampling.close_ups = 0.2;
        expected.sampling.rotation = (0.7, 60.0);
        expected.sampling.hard_negatives = HARD_SHARE;
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
            "--rotated 2",
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
