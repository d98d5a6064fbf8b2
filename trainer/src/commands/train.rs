//! `emotion-trainer train`.

use std::sync::Arc;

use anyhow::{Result, ensure};
use emotion_models::Emotion;

use super::common::{load_weights, thousands, use_threads};
use super::runs::{self, shell_word};
use crate::cli::TrainArgs;
use crate::data::Dataset;
use crate::emotion::distillation::Teachers;
use crate::emotion::epoch::EmotionEpoch;
use crate::emotion::task::EmotionTask;
use crate::emotion::unlabelled;
use crate::run::folder::RunFolder;
use crate::run::trainer::Trainer;

/// Trains an emotion network, or resumes a run.
///
/// # Errors
///
/// When the data is broken, the folder cannot be used, or the loss becomes NaN or infinite; and
/// [`Interrupted`](crate::run::interrupt::Interrupted) after Ctrl-C.
pub fn run(args: &TrainArgs) -> Result<()> {
    use_threads(args.run.threads)?;
    let teachers = Teachers::load(&args.teacher)?;
    let (mut training, validation) = Dataset::load_for_training(&args.data, args.votes.as_deref())?;
    if let Some(folder) = &args.unlabelled {
        unlabelled::append(&mut training, folder)?;
    }
    let task = EmotionTask {
        training: Arc::new(training),
        validation: Arc::new(validation),
        teachers,
    };
    let trainer = match &args.run.resume {
        Some(folder) => Trainer::resume(task, RunFolder::new(folder))?,
        None => begin(args, task)?,
    };
    let opening = opening(&trainer);
    let mut command = format!("emotion-trainer train --data {}", shell_word(&args.data));
    for (option, path) in [("votes", &args.votes), ("unlabelled", &args.unlabelled)] {
        if let Some(path) = path {
            command += &format!(" --{option} {}", shell_word(path));
        }
    }
    runs::train(trainer, args.run.save_every, &opening, &command, report)
}

fn begin(args: &TrainArgs, task: EmotionTask) -> Result<Trainer<EmotionTask>> {
    let mut settings = args.settings();
    settings.distillation = args.recipe.distillation(task.teachers.ids());
    let folder = runs::folder(&args.run, &settings);
    let Some(init) = &args.common.init else {
        return Trainer::new(settings, task, folder);
    };
    let weights = load_weights(init)?;
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
        "--init {shown} has the labels {}, expected {}: choose weights that were trained on the same emotions",
        found.labels.join(", "),
        Emotion::names().join(", "),
    );
    Trainer::new_with(settings, &weights, task, folder)
}

fn opening(trainer: &Trainer<EmotionTask>) -> String {
    let settings = trainer.settings();
    let data = &trainer.state().data;
    let mut text = format!(
        "{}, {} parameters; {} training and {} validation faces; recipe {}, {}",
        settings.architecture,
        thousands(trainer.network().parameters.count()),
        thousands(data.training_faces),
        thousands(data.validation_faces),
        settings.recipe.name(),
        runs::opening(trainer),
    );
    if let Some(distillation) = &settings.distillation {
        let names = distillation.teachers.iter().map(|t| t.name.as_str());
        let names: Vec<&str> = names.collect();
        text += &format!("\nteachers: {}", names.join(", "));
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
        best.temperature,
    )
}
