//! The command line.

mod common;
mod detector;
mod emotion;
mod tools;
mod values;

use clap::{Parser, Subcommand};

pub use common::{CommonArgs, RunArgs, ScheduleName};
pub use detector::{
    CalibrateDetectorArgs, EvaluateDetectorArgs, MineNegativesArgs, TrainDetectorArgs,
};
pub use emotion::{EvaluateArgs, RecipeArgs, TrainArgs};
#[cfg(feature = "keras")]
pub use tools::ImportKerasArgs;
pub use tools::{
    ClipChoice, CropMode, CurvesArgs, ExportArgs, ImportTeacherArgs, ModelFormat, PredictArgs,
    QuantizeArgs, SummaryArgs, TrainTurnedArgs,
};
pub use values::Minutes;

/// Trains and evaluates the emotion networks on FER-2013, and the face detector
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// The subcommand
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the layers of the network, their output shapes and parameters
    Summary(SummaryArgs),
    /// Train a network on the Training rows; PublicTest selects the epoch to keep
    Train(Box<TrainArgs>),
    /// Train the face detector on pictures with boxes
    TrainDetector(Box<TrainDetectorArgs>),
    /// Add an output that tells faces on their side and upside down to a network that stays as it is
    TrainTurned(TrainTurnedArgs),
    /// Find what a detector takes for faces where there are none, for --hard-negatives of train-detector
    MineNegatives(MineNegativesArgs),
    /// Calibrate the confidence of a detector on other pictures, without training; train-detector calibrates on its own
    CalibrateDetector(CalibrateDetectorArgs),
    /// Evaluate weights on a split
    Evaluate(EvaluateArgs),
    /// Evaluate a face detector on pictures with boxes
    EvaluateDetector(EvaluateDetectorArgs),
    /// Draw loss, accuracy and learning rate of a run of either kind from its log
    Curves(CurvesArgs),
    /// Print the emotions of the faces in pictures
    Predict(PredictArgs),
    /// Turn weights into integers of eight bits: smaller and faster
    Quantize(QuantizeArgs),
    /// Write weights as a model for other programs
    Export(ExportArgs),
    /// Convert a network that PyTorch trained (safetensors) to a weights file, for --teacher or --init
    ImportTeacher(ImportTeacherArgs),
    /// Convert Keras' mini_XCEPTION (HDF5) to a weights file
    #[cfg(feature = "keras")]
    ImportKeras(ImportKerasArgs),
}

#[cfg(test)]
mod tests;
