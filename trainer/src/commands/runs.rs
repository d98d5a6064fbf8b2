//! The common part of `train` and `train-detector`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cli::{Minutes, RunArgs};
use crate::run::folder::RunFolder;
use crate::run::interrupt::{Interrupt, Interrupted};
use crate::run::log::LogRow;
use crate::run::progress::TrainingProgress;
use crate::run::settings::RunSettings;
use crate::run::task::{EpochOf, TrainingTask};
use crate::run::trainer::{Trainer, TrainingOutcome};

/// Trains to the end or until a signal, and prints the `report`. `command` is the command to continue, without the folder of
/// the run.
///
/// # Errors
///
/// Those of the trainer, and [`Interrupted`].
pub(super) fn train<T: TrainingTask>(
    mut trainer: Trainer<T>,
    Minutes(period): Minutes,
    opening: &str,
    command: &str,
    report: fn(&Trainer<T>, &EpochOf<T>) -> String,
) -> Result<()> {
    trainer.save_every(period);
    let progress = TrainingProgress::new(trainer.settings().common().epochs);
    progress.note(opening);
    if !trainer.log().is_empty() || trainer.totals().steps > 0 {
        progress.note(&format!("continues after {}", position(&trainer)));
    }
    let interrupt = Interrupt::listen()?;
    let outcome = trainer.run(&progress, || interrupt.is_requested())?;
    drop(progress);
    match outcome {
        TrainingOutcome::Finished => {
            if let Some(best) = trainer.best() {
                println!("{}\n{}", report(&trainer, best), files(&trainer, best));
            }
            Ok(())
        }
        TrainingOutcome::Stopped => Err(Interrupted(format!(
            "stopped after {}; continue with\n{command} --resume {}",
            position(&trainer),
            shell_word(trainer.folder().path()),
        ))
        .into()),
    }
}

/// The folder of a new run.
pub(super) fn folder(args: &RunArgs, settings: &impl RunSettings) -> RunFolder {
    let default = || PathBuf::from("runs").join(settings.name());
    RunFolder::new(args.out.clone().unwrap_or_else(default))
}

/// The last part of the line that a run prints first.
pub(super) fn opening<T: TrainingTask>(trainer: &Trainer<T>) -> String {
    let common = trainer.settings().common();
    let mut text = format!(
        "batch {}, seed {}; {}",
        common.batch,
        common.seed,
        trainer.folder().path().display(),
    );
    if let Some(init) = &common.init {
        text += &format!("\ninitial weights: {init}");
    }
    text
}

/// The last finished step or epoch.
fn position<T: TrainingTask>(trainer: &Trainer<T>) -> String {
    let (epochs, steps) = (trainer.log().len(), trainer.totals().steps);
    if steps > 0 {
        format!("step {steps} of epoch {}", epochs + 1)
    } else {
        format!("epoch {epochs}")
    }
}

/// The paths of the results.
fn files<T: TrainingTask>(trainer: &Trainer<T>, best: &impl LogRow) -> String {
    let folder = trainer.folder();
    let improved = folder.improved(trainer.settings().name(), best);
    format!(
        "weights {}, also as {}\nlog     {}, drawn in {}",
        folder.best().display(),
        improved.display(),
        folder.log().display(),
        folder.curves().display(),
    )
}

/// A path quoted as one word of a shell.
pub(super) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    // Fails only for a NUL, which no path contains.
    shlex::try_quote(&text).map_or_else(|_| text.clone(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_and_quotes_is_one_word_to_a_shell() {
        assert_eq!(shell_word(Path::new("runs/mine-2.1")), "runs/mine-2.1");
        assert_eq!(shell_word(Path::new("my 'runs'")), r#""my 'runs'""#);
    }
}
