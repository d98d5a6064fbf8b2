//! `emotion-trainer import-teacher`.

use anyhow::Result;
use emotion_models::weights::Head;

use crate::cli::ImportTeacherArgs;
use crate::formats::pytorch;

/// Converts a teacher that PyTorch trained to a weights file.
///
/// # Errors
///
/// When the file is not that network, or the result cannot be written.
pub fn run(args: &ImportTeacherArgs) -> Result<()> {
    let stem = args.file.file_stem().unwrap_or_default();
    let name = args.name.clone();
    let name = name.unwrap_or_else(|| stem.to_string_lossy().into_owned());
    let weights = pytorch::import(&args.file, args.arch, &name)?;
    weights.save(&args.out)?;
    let metadata = weights.metadata();
    let heads: Vec<&str> = metadata.heads.iter().copied().map(Head::name).collect();
    println!(
        "{}: {} with the heads {}, {}",
        args.out.display(),
        metadata.architecture,
        heads.join(" and "),
        metadata.training,
    );
    Ok(())
}
