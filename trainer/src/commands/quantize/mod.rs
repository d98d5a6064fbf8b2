//! `emotion-trainer quantize`.

mod calibration;
mod classifier;
mod detector;
mod report;

use anyhow::{Result, anyhow};
use emotion_models::weights::Task;

use super::common::{load_weights, use_threads};
use crate::cli::QuantizeArgs;

/// Quantises weights, and reports what that changes.
///
/// # Errors
///
/// When the weights or the data are broken, the weights are quantised already, or the file cannot be written.
pub fn run(args: &QuantizeArgs) -> Result<()> {
    use_threads(args.threads)?;
    let weights = load_weights(&args.weights)?;
    // The message contains the cause already.
    weights
        .expect_floats()
        .map_err(|error| anyhow!("{error}"))?;
    let (quantized, comparison) = match weights.metadata().architecture.task() {
        Task::Classification => classifier::quantized(&weights, args)?,
        Task::Detection => detector::quantized(&weights, args)?,
    };
    let quantized = quantized.with_quantization_report(comparison.report.clone());
    quantized
        .save(&args.out)
        .map_err(|error| anyhow!("{error}"))?;
    if args.json {
        println!("{}", comparison.json());
    } else {
        print!("{}", comparison.table());
        println!("weights {}", args.out.display());
    }
    Ok(())
}
