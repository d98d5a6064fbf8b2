//! The subcommands. Results go to stdout, everything else to stderr.

#![allow(clippy::print_stdout, reason = "results are what these programs print")]

pub mod calibrate_detector;
pub mod curves;
pub mod evaluate;
pub mod evaluate_detector;
pub mod export;
#[cfg(feature = "keras")]
pub mod import_keras;
pub mod predict;
mod runs;
pub mod summary;
pub mod train;
pub mod train_detector;

use std::num::NonZeroUsize;
use std::path::{Component, Path};

use anyhow::{Context, Result, anyhow, bail};
use emotion_models::Weights;
use emotion_models::weights::Architecture;

use crate::cli::{Cli, Command};
use crate::run::files;

/// Does what the command line asks for.
///
/// # Errors
///
/// Whatever stops the command, for the person who typed it.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Summary(args) => summary::run(&args),
        Command::Train(args) => train::run(&args),
        Command::TrainDetector(args) => train_detector::run(&args),
        Command::CalibrateDetector(args) => calibrate_detector::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::EvaluateDetector(args) => evaluate_detector::run(&args),
        Command::Curves(args) => curves::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Export(args) => export::run(&args),
        #[cfg(feature = "keras")]
        Command::ImportKeras(args) => import_keras::run(&args),
    }
}

/// The weights in a file, or built-in ones by their name.
fn weights(weights: &Path) -> Result<Weights> {
    if weights.exists() {
        // Its message holds the cause already.
        return Weights::load(weights).map_err(|error| anyhow!("{error}"));
    }
    if weights.as_os_str() == Architecture::FaceNet.name() {
        return Ok(Weights::detector()?);
    }
    let known = Weights::built_in_names();
    let Some(name) = known.into_iter().find(|name| weights.as_os_str() == *name) else {
        bail!(
            "{}: cannot be read: there is no such file, and the built-in weights are called {} and {}",
            weights.display(),
            known.join(", "),
            Architecture::FaceNet
        );
    };
    Ok(Weights::built_in(name)?)
}

/// Writes figures to a folder under these names and says so.
fn save_figures(folder: &Path, figures: &[(&str, String)]) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, figure) in figures {
        let path = folder.join(name);
        files::write(&path, figure)?;
        eprintln!("{}", path.display());
    }
    Ok(())
}

/// What a file is called in titles and folders: `runs/mine/best.safetensors` is `mine-best`.
fn short_name(path: &Path) -> String {
    let path = path.with_extension("");
    let parts: Vec<_> = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts[parts.len().saturating_sub(2)..].join("-")
}

/// Sets the number of threads for all that follows, once per process.
fn use_threads(threads: Option<NonZeroUsize>) -> Result<()> {
    let threads = threads.map_or(0, NonZeroUsize::get);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .context("cannot start the threads")
}

/// An integer with commas between thousands.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let comma = |(index, digit): (usize, char)| {
        let before = index > 0 && (digits.len() - index).is_multiple_of(3);
        before.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 58_423, 1_234_567].map(thousands),
            ["0", "999", "1,000", "58,423", "1,234,567"]
        );
    }
}
