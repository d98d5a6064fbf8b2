//! `emotion-packaging FOLDER` writes manual pages, completions of shells and the settings of the service into FOLDER.

use std::path::PathBuf;

use clap::Parser;

/// Writes manual pages, completions of shells and the settings of the service.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where to write them
    folder: PathBuf,
}

fn main() -> anyhow::Result<()> {
    emotion_packaging::write_all(&Args::parse().folder)
}
