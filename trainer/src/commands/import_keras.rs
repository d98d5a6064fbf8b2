//! `emotion-trainer import-keras`.

use anyhow::Result;

use crate::cli::ImportKerasArgs;
use crate::formats::keras;

/// Converts Keras' mini_XCEPTION to a weights file.
///
/// # Errors
///
/// When the file is not that network, or the result cannot be written.
pub fn run(args: &ImportKerasArgs) -> Result<()> {
    let weights = keras::import(&args.file)?;
    weights.save(&args.out)?;
    let metadata = weights.metadata();
    println!(
        "{}: {} for {}×{} faces, {}",
        args.out.display(),
        metadata.architecture,
        metadata.input_size,
        metadata.input_size,
        metadata.training,
    );
    Ok(())
}
