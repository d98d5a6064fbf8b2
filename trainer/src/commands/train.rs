//! `emotion-trainer train`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, ensure};
use emotion_models::Emotion;

use super::runs::{self, shell_word};
use super::{thousands, use_threads};
use crate::cli::TrainArgs;
use crate::data::Dataset;
use crate::emotion::distillation::Teachers;
use crate::emotion::epoch::EmotionEpoch;
use crate::emotion::task::EmotionTask;
use crate::run::folder::RunFolder;
use crate::run::trainer::Trainer;

/// Trains a network, or goes on with a run.
///
/// # Errors
///
/// When the data is broken, the folder cannot be used, or the loss is no longer a number; and
/// [`Interrupted`](crate::run::interrupt::Interrupted) after Ctrl-C.
pub fn run(args: &TrainArgs) -> Result<()> {
    use_threads(args.threads)?;
    let teachers = Teachers::load(&args.teacher)?;
    let (training, validation) = Dataset::load_for_training(&args.data, args.votes.as_deref())?;
    let data = EmotionTask {
        training: Arc::new(training),
        validation: Arc::new(validation),
        teachers,
    };
    let trainer = match &args.run.resume {
        Some(folder) => Trainer::resume(data, RunFolder::new(folder))?,
        None => begin(args, data)?,
    };
    let opening = opening(&trainer);
    runs::conduct(
        trainer,
        args.run.save_every,
        &opening,
        &command(args),
        report,
    )
}

fn begin(args: &TrainArgs, data: EmotionTask) -> Result<Trainer<EmotionTask>> {
    let mut settings = args.settings();
    settings.distillation = args.recipe.distillation(data.teachers.identities());
    let beside_others = || PathBuf::from("runs").join(settings.name());
    let out = args.run.out.clone().unwrap_or_else(beside_others);
    let folder = RunFolder::new(out);
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

fn opening(trainer: &Trainer<EmotionTask>) -> String {
    let settings = trainer.settings();
    let source = &trainer.state().data_summary;
    let mut text = format!(
        "{}, {} parameters; {} training and {} validation faces; recipe {}, batch {}, seed {}; {}",
        settings.architecture,
        thousands(trainer.network().parameters.count()),
        thousands(source.training_faces),
        thousands(source.validation_faces),
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
    text
}

/// The best epoch.
fn report(trainer: &Trainer<EmotionTask>, best: &EmotionEpoch) -> String {
    format!(
        "best of {} epochs is {}: {:.2} % accuracy and loss {:.4} on PublicTest, temperature {:.3}",
        trainer.log().len(),
        best.epoch,
        100.0 * best.val_acc,
        best.val_loss,
        best.temperature.unwrap_or(1.0),
    )
}

/// What is to be typed to go on, but for the folder of the run.
fn command(args: &TrainArgs) -> String {
    let votes = args.votes.as_deref();
    let votes = votes.map(|votes| format!(" --votes {}", shell_word(votes)));
    format!(
        "emotion-trainer train --data {}{}",
        shell_word(&args.data),
        votes.unwrap_or_default(),
    )
}
