//! `emotion-trainer export`.

use anyhow::Result;
use emotion_models::inference::Precision;

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
    let metadata = weights.metadata();
    let (bytes, description) = match args.format {
        ModelFormat::Onnx => {
            let (bytes, numbers) = match args.precision {
                Precision::Int8 => (onnx::encode_integers(&weights)?, "with integers (QDQ) "),
                _ => (onnx::encode(&weights)?, ""),
            };
            let opset = onnx::OPSET;
            let about = onnx::description(metadata);
            (bytes, format!("{numbers}in ONNX, opset {opset}; {about}"))
        }
        ModelFormat::Half => (weights.to_half_precision()?, "in half precision".to_owned()),
    };
    files::write(&args.out, bytes)?;
    println!("{}: {} {description}", args.out.display(), metadata.name);
    Ok(())
}
