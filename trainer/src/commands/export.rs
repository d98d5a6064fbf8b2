//! `emotion-trainer export`.

use anyhow::Result;

use crate::cli::{ExportArgs, Format};
use crate::{files, onnx};

/// Writes weights as a model for other programs.
///
/// # Errors
///
/// When the weights are broken, or the file cannot be written.
pub fn run(args: &ExportArgs) -> Result<()> {
    let weights = super::weights(&args.weights)?;
    let bytes = match args.format {
        Format::Onnx => onnx::encode(&weights)?,
    };
    files::replace(&args.out, &bytes)?;
    let metadata = weights.metadata();
    println!(
        "{out}: {name} in ONNX, opset {opset}; {input} [N, 1, {size}, {size}], grey, 0 to 255 mapped to -1 to 1; {output} \
         [N, {classes}], divided by {temperature} before the softmax",
        out = args.out.display(),
        name = metadata.name,
        opset = onnx::OPSET,
        input = onnx::INPUT,
        size = metadata.input_size,
        output = onnx::OUTPUT,
        classes = metadata.labels.len(),
        temperature = metadata.temperature,
    );
    Ok(())
}
