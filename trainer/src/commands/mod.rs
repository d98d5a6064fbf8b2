//! The subcommands. Results are printed to stdout, everything else to stderr.

#![allow(clippy::print_stdout, reason = "results are what these programs print")]

pub mod calibrate_detector;
mod common;
pub mod curves;
pub mod evaluate;
pub mod evaluate_detector;
pub mod export;
#[cfg(feature = "keras")]
pub mod import_keras;
pub mod import_teacher;
pub mod mine_negatives;
pub mod predict;
pub mod quantize;
mod runs;
pub mod summary;
pub mod train;
pub mod train_detector;
pub mod train_turned;

use anyhow::Result;

use crate::cli::{Cli, Command};

/// Runs the subcommand.
///
/// # Errors
///
/// Those of the subcommand, for its user.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Summary(args) => summary::run(&args),
        Command::Train(args) => train::run(&args),
        Command::TrainDetector(args) => train_detector::run(&args),
        Command::TrainTurned(args) => train_turned::run(&args),
        Command::MineNegatives(args) => mine_negatives::run(&args),
        Command::CalibrateDetector(args) => calibrate_detector::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::EvaluateDetector(args) => evaluate_detector::run(&args),
        Command::Curves(args) => curves::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Quantize(args) => quantize::run(&args),
        Command::Export(args) => export::run(&args),
        Command::ImportTeacher(args) => import_teacher::run(&args),
        #[cfg(feature = "keras")]
        Command::ImportKeras(args) => import_keras::run(&args),
    }
}
