//! What `train` and `train-detector` share.

use std::path::Path;

use anyhow::Result;

use crate::cli::Minutes;
use crate::run::interrupt::{Interrupt, Interrupted};
use crate::run::log::LogRow;
use crate::run::progress::Progress;
use crate::run::state::RunSettings;
use crate::run::task::TrainingTask;
use crate::run::trainer::{Trainer, TrainingOutcome};

/// Trains to the end or until a signal comes, and prints `report`s. `command` is what has to be typed to go on, but for
/// the folder of the run.
///
/// # Errors
///
/// Those of the trainer, and [`Interrupted`].
pub(super) fn conduct<S: TrainingTask>(
    mut trainer: Trainer<S>,
    Minutes(period): Minutes,
    opening: &str,
    command: &str,
    report: fn(&Trainer<S>, &<S::Settings as RunSettings>::Epoch) -> String,
) -> Result<()> {
    trainer.save_every(period);
    let progress = Progress::new(trainer.settings().common().epochs);
    progress.note(opening);
    if !trainer.log().is_empty() || trainer.totals().steps > 0 {
        progress.note(&format!("goes on after {}", position(&trainer)));
    }
    let interrupt = Interrupt::listen()?;
    let outcome = trainer.run(&progress, || interrupt.is_wished())?;
    drop(progress);
    match outcome {
        TrainingOutcome::Finished => {
            if let Some(best) = trainer.best() {
                println!("{}\n{}", report(&trainer, best), files(&trainer, best));
            }
            Ok(())
        }
        TrainingOutcome::Stopped => Err(Interrupted(format!(
            "stopped after {}; go on with\n{command} --resume {}",
            position(&trainer),
            shell_word(trainer.folder().path()),
        ))
        .into()),
    }
}

/// The last thing that was done.
fn position<S: TrainingTask>(trainer: &Trainer<S>) -> String {
    let (epochs, steps) = (trainer.log().len(), trainer.totals().steps);
    if steps > 0 {
        format!("step {steps} of epoch {}", epochs + 1)
    } else {
        format!("epoch {epochs}")
    }
}

/// Where things are.
fn files<S: TrainingTask>(trainer: &Trainer<S>, best: &impl LogRow) -> String {
    let folder = trainer.folder();
    let improved = folder.improved(trainer.settings().common().name, best);
    format!(
        "weights {}, also as {}\nlog     {}, drawn in {}",
        folder.best().display(),
        improved.display(),
        folder.log().display(),
        folder.curves().display(),
    )
}

/// A path as a shell takes it for one word.
pub(super) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_and_quotes_is_one_word_to_a_shell() {
        assert_eq!(shell_word(Path::new("runs/mine-2.1")), "runs/mine-2.1");
        assert_eq!(shell_word(Path::new("my 'runs'")), r"'my '\''runs'\'''");
    }
}
