//! `emotion-trainer export`.

use anyhow::Result;

use super::common::load_weights;
use crate::cli::{ExportArgs, ModelFormat};
use crate::formats::onnx;
use crate::run::files;

/// Writes weights as a model for other programs.
///
/// # Errors
///
/// When the weights are broken, or the file cannot be written.
pub fn run(args: &ExportArgs) -> Result<()> {
    let weights = load_weights(&args.weights)?;
    let bytes = match args.format {
        ModelFormat::Onnx => onnx::encode(&weights)?,
    };
    files::write(&args.out, bytes)?;
    let metadata = weights.metadata();
    println!(
        "{}: {} in ONNX, opset {}; {}",
        args.out.display(),
        metadata.name,
        onnx::OPSET,
        onnx::description(metadata),
    );
    Ok(())
}
