//! Options of the commands that neither train nor evaluate.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use emotion_detect::Options;
use emotion_models::inference::Precision;
use emotion_models::preprocess::DEFAULT_MARGIN;
use emotion_models::weights::Architecture;

use super::values::{architecture, exported_precision, fraction, margin, name};
use crate::data::FACE_SIZE;
use crate::quantization::statistics::ClipMethod;

/// Options of `summary`.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// The network
    #[arg(long, value_parser = architecture(), default_value = "mini_xception")]
    pub arch: Architecture,

    /// Width and height of the input in pixels
    #[arg(long, default_value_t = FACE_SIZE, value_name = "PIXELS")]
    pub input_size: usize,
}

/// Options of `curves`.
#[derive(Debug, Args)]
pub struct CurvesArgs {
    /// The log of a run
    pub log: PathBuf,

    /// The file to draw to [default: beside the log, with `curves.svg` for `log.csv`]
    #[arg(long, value_name = "SVG")]
    pub out: Option<PathBuf>,

    /// Title of the figure [default: the path of the log]
    #[arg(long)]
    pub title: Option<String>,
}

/// Options of `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// PNG, JPEG, BMP, WebP, GIF, TIFF or PNM files
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,

    /// A weights file, or the name of built-in weights
    #[arg(long, value_name = "FILE|NAME", default_value = "residual_xception")]
    pub weights: PathBuf,

    /// What a picture shows
    #[arg(long, value_enum, default_value_t = CropMode::Face)]
    pub crop: CropMode,

    /// Margin of the crop around a found face, as a fraction of its longer side
    #[arg(long, value_name = "SHARE", default_value_t = DEFAULT_MARGIN, value_parser = margin, allow_negative_numbers = true)]
    pub margin: f32,

    /// A weights file of the detector that finds the faces, or the name of built-in ones
    #[arg(long, value_name = "FILE|NAME", default_value = "face_net")]
    pub detector: PathBuf,

    /// Probability below which a face is uncertain, higher on poor crops; 0 names every face [default: that of the weights,
    /// or 0 if they have none]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub threshold: Option<f64>,

    /// Smallest face that is found, in pixels; 0: 16 pixels of the detector's input
    #[arg(long, value_name = "PIXELS", default_value_t = Options::default().min_size_px)]
    pub min_size: u32,

    /// Print one JSON object per picture instead
    #[arg(long)]
    pub json: bool,
}

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CropMode {
    /// Faces that have to be found
    Face,
    /// One face, nothing else
    None,
}

/// Options of `train-turned`.
#[derive(Debug, Args)]
pub struct TrainTurnedArgs {
    /// A weights file of a residual_xception network, or the name of built-in weights
    #[arg(value_name = "FILE|NAME")]
    pub weights: PathBuf,

    /// A folder of pictures with boxes, as for train-detector
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// Times that each face is turned by another angle
    #[arg(long, value_name = "N", default_value = "4")]
    pub views: NonZeroUsize,

    /// Seed of the angles
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// The weights file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// Options of `quantize`.
#[derive(Debug, Args)]
pub struct QuantizeArgs {
    /// A weights file, or the name of built-in weights
    #[arg(value_name = "FILE|NAME")]
    pub weights: PathBuf,

    /// What the range of the activations is learnt from: of a classifier fer2013.csv or a folder as
    /// for train, whose Training faces count, of a detector a folder as for train-detector, whose
    /// training pictures count
    #[arg(long, value_name = "CSV|DIR")]
    pub data: PathBuf,

    /// fer2013new.csv, the votes of FER+ for the rows of fer2013.csv: also report what people see
    #[arg(long, value_name = "CSV")]
    pub votes: Option<PathBuf>,

    /// The range of an activation: all values, without their tails, or that with the least squared
    /// error
    #[arg(long, value_enum, default_value_t = ClipChoice::Error)]
    pub clip: ClipChoice,

    /// Share of the values in each tail, for --clip tail
    #[arg(long, value_name = "SHARE", value_parser = fraction, default_value_t = 1e-4)]
    pub tail: f64,

    /// Faces or pictures that the ranges are learnt from
    #[arg(long, value_name = "N", default_value = "2048")]
    pub samples: NonZeroUsize,

    /// The weights file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// How the range of an activation is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClipChoice {
    /// From the lowest to the highest value
    Max,
    /// Without the tails
    Tail,
    /// With the least mean squared error
    Error,
}

impl QuantizeArgs {
    /// How the range of an activation is chosen.
    pub fn clip_method(&self) -> ClipMethod {
        match self.clip {
            ClipChoice::Max => ClipMethod::Max,
            ClipChoice::Tail => ClipMethod::Tail(self.tail),
            ClipChoice::Error => ClipMethod::MeanSquaredError,
        }
    }
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A weights file, or the name of built-in weights
    #[arg(long, value_name = "FILE|NAME", default_value = "residual_xception")]
    pub weights: PathBuf,

    /// Format of the model
    #[arg(long, value_enum, default_value_t = ModelFormat::Onnx)]
    pub format: ModelFormat,

    /// Numbers of an ONNX model: int8 for a quantised network, with QuantizeLinear and
    /// DequantizeLinear
    #[arg(long, value_parser = exported_precision(), default_value = "f32")]
    pub precision: Precision,

    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// A format of model files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModelFormat {
    /// For ONNX Runtime, OpenCV and others; its metadata holds labels and preprocessing
    Onnx,
    /// A weights file in half precision, half as large
    Half,
}

/// Options of `import-teacher`.
#[derive(Debug, Args)]
pub struct ImportTeacherArgs {
    /// Its tensors, named and shaped as those of the network, F32 or F16
    pub file: PathBuf,

    /// The network
    #[arg(long, value_parser = architecture(), default_value = "residual_xception_large")]
    pub arch: Architecture,

    /// Name of the weights [default: that of the file]
    #[arg(long, value_parser = name)]
    pub name: Option<String>,

    /// The weights file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
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
