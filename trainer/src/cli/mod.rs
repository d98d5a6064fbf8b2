//! The command line.

mod detector;
mod recipe;
mod values;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use emotion_detect::Options;
use emotion_models::inference::Precision;
use emotion_models::preprocess::{DEFAULT_MARGIN, LightCorrection};
use emotion_models::weights::Architecture;

use crate::data::Split;
use crate::emotion::recipe::Settings;
pub use detector::{CalibrateDetectorArgs, EvaluateDetectorArgs, TrainDetectorArgs};
pub use recipe::{RecipeArgs, ScheduleName};
pub use values::Minutes;
use values::{architecture, dtype, light_correction, margin, minutes};

/// Share of the votes when --votes stands alone.
const VOTES_SHARE: f32 = 0.5;

/// Trains and evaluates the emotion networks on FER-2013, and the face detector
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
    Train(Box<TrainArgs>),
    /// Train the face detector on pictures with boxes
    TrainDetector(Box<TrainDetectorArgs>),
    /// Fit the confidence of a detector to other pictures, without training; train-detector does it for its own
    CalibrateDetector(CalibrateDetectorArgs),
    /// Report how well weights do on a split
    Evaluate(EvaluateArgs),
    /// Report how well a face detector finds the faces of pictures with boxes
    EvaluateDetector(EvaluateDetectorArgs),
    /// Draw loss, accuracy and learning rate of a run, of the detector too, from its log
    Curves(CurvesArgs),
    /// Print the emotions of the faces in pictures
    Predict(PredictArgs),
    /// Write weights as a model for other programs
    Export(ExportArgs),
    /// Convert Keras' mini_XCEPTION (HDF5) to a weights file
    #[cfg(feature = "keras")]
    ImportKeras(ImportKerasArgs),
}

/// Options of `summary`.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// The network
    #[arg(long, value_parser = architecture(), default_value = "mini_xception")]
    pub arch: Architecture,

    /// Width and height of the input in pixels
    #[arg(long, default_value_t = crate::data::FACE_SIZE, value_name = "PIXELS")]
    pub input_size: usize,
}

/// Options of `train` and `train-detector`: where a run is kept.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder for best.safetensors, last.ckpt.safetensors, log.csv and curves.svg [default:
    /// runs/NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,

    /// Go on with the run in this folder, to the result that it would have had without a stop
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,

    /// Minutes after which the state is saved within an epoch too, 0 for never
    #[arg(long, value_name = "MINUTES", value_parser = minutes, default_value = "5")]
    pub save_every: Minutes,
}

/// Options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// fer2013.csv, plain, gzip or zstd packed, or a folder of pictures: DIR/train/happy/*.png
    /// and so on with train, val and test, or DIR/happy/*.png to have them split
    #[arg(long, value_name = "CSV|DIR")]
    pub data: PathBuf,

    /// fer2013new.csv, the votes of FER+ for the Training rows of fer2013.csv
    #[arg(long, value_name = "CSV")]
    pub votes: Option<PathBuf>,

    /// Where the run is kept
    #[command(flatten)]
    pub run: RunArgs,

    /// Weights whose answers are learnt besides the labels; several: the mean of their answers. A
    /// resumed run finds its teachers by itself unless they have moved
    #[arg(long, value_name = "FILE,…", value_delimiter = ',')]
    pub teacher: Vec<PathBuf>,

    /// Weights to begin with instead of random ones, a file or the name of built-in ones: faces of
    /// your own need fewer epochs then, and a lower --lr
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "resume")]
    pub init: Option<PathBuf>,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,

    /// How to train; see the options of --recipe for what else can be changed
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

impl TrainArgs {
    /// The settings of a new run.
    pub fn settings(&self) -> Settings {
        let mut settings = self.recipe.settings();
        if self.votes.is_some() && self.recipe.votes_share.is_none() {
            settings.votes_share = VOTES_SHARE;
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

    /// fer2013.csv, plain, gzip or zstd packed, or a folder of pictures as for train
    #[arg(long, value_name = "CSV|DIR")]
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

    /// How the light of each face is corrected, as the plugin's light-correction
    #[arg(long, value_parser = light_correction(), default_value = "none")]
    pub light_correction: LightCorrection,

    /// Report the accuracy also on the faces darkened and brightened by 1.5 stops and lit from the
    /// side, with each light correction
    #[arg(long)]
    pub light: bool,

    /// The numbers that the network computes with [default: the fastest that this machine has, as
    /// the plugin does]
    #[arg(long, value_parser = dtype())]
    pub dtype: Option<Precision>,

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

/// Options of `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// PNG, JPEG, BMP, WebP or PNM files
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,

    /// A weights file, or the name of built-in weights
    #[arg(long, value_name = "FILE|NAME", default_value = "mini_xception")]
    pub weights: PathBuf,

    /// What a picture holds
    #[arg(long, value_enum, default_value_t = Crop::Face)]
    pub crop: Crop,

    /// How far the crop reaches beyond a found face on each side, as a fraction of its longer side
    #[arg(long, value_name = "SHARE", default_value_t = DEFAULT_MARGIN, value_parser = margin, allow_negative_numbers = true)]
    pub margin: f32,

    /// A weights file of the detector that finds the faces, or the name of built-in ones
    #[arg(long, value_name = "FILE|NAME", default_value = "face_net")]
    pub detector: PathBuf,

    /// Smallest face that is found, in pixels; 0: 16 of those that the detector sees
    #[arg(long, value_name = "PIXELS", default_value_t = Options::default().min_size_px)]
    pub min_size: u32,

    /// Print one JSON object per picture instead
    #[arg(long)]
    pub json: bool,
}

/// What a picture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Crop {
    /// Faces that are to be found
    Face,
    /// One face, nothing else
    None,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A weights file, or the name of built-in weights
    #[arg(long, value_name = "FILE|NAME", default_value = "mini_xception")]
    pub weights: PathBuf,

    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Onnx)]
    pub format: Format,

    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// A kind of model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For ONNX Runtime, OpenCV and others; labels and preprocessing stand in its metadata
    Onnx,
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

#[cfg(test)]
mod tests;
