//! `emotion-trainer train`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use emotion_models::Emotion;

use super::{thousands, use_threads};
use crate::cli::{Minutes, TrainArgs};
use crate::data::Dataset;
use crate::distillation::Teachers;
use crate::folder::Folder;
use crate::interrupt::{Interrupt, Interrupted};
use crate::progress::Progress;
use crate::training::{Data, Outcome, Trainer};

/// Trains a network, or goes on with a run.
///
/// # Errors
///
/// When the data is broken, the folder cannot be used, or the loss is no longer a number; and
/// [`Interrupted`] after Ctrl-C.
pub fn run(args: &TrainArgs) -> Result<()> {
    use_threads(args.threads)?;
    let teachers = Teachers::load(&args.teacher)?;
    let (training, validation) = Dataset::load_for_training(&args.data, args.votes.as_deref())?;
    let data = Data {
        training: Arc::new(training),
        validation: Arc::new(validation),
        teachers,
    };
    let mut trainer = match &args.resume {
        Some(folder) => Trainer::resume(data, Folder::new(folder))?,
        None => begin(args, data)?,
    };
    let Minutes(period) = args.save_every;
    trainer.save_every(period);

    let progress = Progress::new(trainer.settings().epochs);
    progress.note(&opening(&trainer));
    let interrupt = Interrupt::listen()?;
    let outcome = trainer.run(&progress, || interrupt.is_wished())?;
    drop(progress);
    match outcome {
        Outcome::Finished => {
            print!("{}", report(&trainer));
            Ok(())
        }
        Outcome::Stopped => Err(Interrupted(how_to_go_on(&trainer, args)).into()),
    }
}

fn begin(args: &TrainArgs, data: Data) -> Result<Trainer> {
    let mut settings = args.settings();
    settings.distillation = args.recipe.distillation(data.teachers.identities());
    let beside_others = || PathBuf::from("runs").join(settings.name());
    let out = args.out.clone().unwrap_or_else(beside_others);
    let folder = Folder::new(out);
    let Some(init) = &args.init else {
        return Trainer::new(settings, data, folder);
    };
    let weights = super::weights(init)?;
    let found = weights.metadata();
    let wanted = args.recipe.arch.unwrap_or(found.architecture);
    let shown = init.display();
    ensure!(
        found.architecture == wanted,
        "--init {shown} holds a {}, --arch says {wanted}: leave --arch out, or choose other weights",
        found.architecture
    );
    ensure!(
        found.labels == Emotion::names(),
        "--init {shown} tells {} apart, expected {}: choose weights that were trained on the same emotions",
        found.labels.join(", "),
        Emotion::names().join(", "),
    );
    Trainer::new_with(settings, &weights, data, folder)
}

fn opening(trainer: &Trainer) -> String {
    let settings = trainer.settings();
    let (training, validation) = trainer.faces();
    let mut text = format!(
        "{}, {} parameters; {} training and {} validation faces; recipe {}, batch {}, seed {}; {}",
        settings.architecture,
        thousands(trainer.network().parameters.count()),
        thousands(training),
        thousands(validation),
        settings.recipe.name(),
        settings.batch,
        settings.seed,
        trainer.folder().path().display(),
    );
    if let Some(init) = &settings.init {
        text += &format!("\nbegins with {init}");
    }
    if let Some(distillation) = &settings.distillation {
        let names = distillation.teachers.iter().map(|t| t.name.as_str());
        let names: Vec<&str> = names.collect();
        text += &format!("\ntaught by {}", names.join(", "));
    }
    if !trainer.log().is_empty() || trainer.tally().steps > 0 {
        text += &format!("\ngoes on after {}", position(trainer));
    }
    text
}

/// The last thing that was done.
fn position(trainer: &Trainer) -> String {
    let (epochs, steps) = (trainer.log().len(), trainer.tally().steps);
    if steps > 0 {
        format!("step {steps} of epoch {}", epochs + 1)
    } else {
        format!("epoch {epochs}")
    }
}

/// The best epoch and where things are.
fn report(trainer: &Trainer) -> String {
    let Some(best) = trainer.best() else {
        return String::new();
    };
    let folder = trainer.folder();
    let improved = folder.improved(trainer.settings().name(), best);
    format!(
        "best of {} epochs is {}: {:.2} % accuracy and loss {:.4} on PublicTest, temperature {:.3}\n\
         weights {}, also as {}\nlog     {}, drawn in {}\n",
        trainer.log().len(),
        best.epoch,
        100.0 * best.val_acc,
        best.val_loss,
        best.temperature.unwrap_or(1.0),
        folder.best().display(),
        improved.display(),
        folder.log().display(),
        folder.curves().display(),
    )
}

fn how_to_go_on(trainer: &Trainer, args: &TrainArgs) -> String {
    let votes = args.votes.as_deref();
    let votes = votes.map(|votes| format!(" --votes {}", shell_word(votes)));
    format!(
        "stopped after {}; go on with\nemotion-trainer train --data {}{} --resume {}",
        position(trainer),
        shell_word(&args.data),
        votes.unwrap_or_default(),
        shell_word(trainer.folder().path()),
    )
}

/// A path as a shell takes it for one word.
fn shell_word(path: &Path) -> String {
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
