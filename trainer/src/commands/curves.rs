//! `emotion-trainer curves`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cli::CurvesArgs;
use crate::run::files;
use crate::run::log::{Log, LogRow};
use crate::{detector, emotion};

/// Draws the curves of a log.
///
/// # Errors
///
/// When the log is broken or has no epochs, or the figure cannot be written.
pub fn run(args: &CurvesArgs) -> Result<()> {
    let name = args.log.display().to_string();
    let csv = std::fs::read_to_string(&args.log).with_context(|| format!("cannot read {name}"))?;
    let title = args.title.as_deref().unwrap_or(&name);
    let figure = if is_of_detector(&csv) {
        detector::plots::curves(&log(&csv, &name)?, title)
    } else {
        emotion::plots::curves(&log(&csv, &name)?, title)
    };
    let figure = figure.context(name.clone())?;
    let out = args.out.clone().unwrap_or_else(|| beside(&args.log));
    files::write(&out, figure)?;
    println!("{}", out.display());
    Ok(())
}

/// Whether the columns are those of a detector's log.
fn is_of_detector(csv: &str) -> bool {
    let columns = csv.lines().next().unwrap_or_default();
    columns.split(',').any(|column| column == "val_ap50")
}

fn log<R: LogRow>(csv: &str, name: &str) -> Result<Log<R>> {
    Log::from_csv(csv).with_context(|| format!("{name} is not a training log"))
}

/// `NAME.curves.svg` for `NAME.log.csv`.
fn beside(log: &Path) -> PathBuf {
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    match name.strip_suffix("log.csv") {
        Some(start) => log.with_file_name(format!("{start}curves.svg")),
        None => log.with_extension("svg"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_stands_beside_its_log() {
        let beside = |log: &str| beside(Path::new(log)).display().to_string();
        assert_eq!(beside("runs/a/log.csv"), "runs/a/curves.svg");
        assert_eq!(
            beside("models/weights/mini_xception.log.csv"),
            "models/weights/mini_xception.curves.svg"
        );
        assert_eq!(beside("history.csv"), "history.svg");
    }
}
