//! `emotion-trainer train-detector`.

use std::path::Path;

use anyhow::Result;

use super::common::{load_weights, thousands, use_threads};
use super::runs::{self, shell_word};
use crate::cli::TrainDetectorArgs;
use crate::detector::epoch::DetectorEpoch;
use crate::detector::task::DetectorTask;
use crate::run::folder::RunFolder;
use crate::run::trainer::Trainer;

/// Trains the face detector, or resumes a run.
///
/// # Errors
///
/// When the data is broken, the folder cannot be used, or the loss becomes NaN or infinite; and
/// [`Interrupted`](crate::run::interrupt::Interrupted) after Ctrl-C.
pub fn run(args: &TrainDetectorArgs) -> Result<()> {
    use_threads(args.run.threads)?;
    let task = DetectorTask::load(&args.data, &args.selection())?;
    let faces = task.faces();
    let trainer = match &args.run.resume {
        Some(folder) => Trainer::resume(task, RunFolder::new(folder))?,
        None => begin(args, task)?,
    };
    let opening = opening(&trainer, faces);
    let data = shell_word(&args.data);
    let mut command = format!("emotion-trainer train-detector --data {data}");
    if let Some(file) = &args.hard_negatives {
        command += &format!(" --hard-negatives {}", shell_word(file));
    }
    if let Some(source) = &args.leave_out {
        command += &format!(" --leave-out {}", shell_word(Path::new(source)));
    }
    runs::train(trainer, args.run.save_every, &opening, &command, report)
}

fn begin(args: &TrainDetectorArgs, task: DetectorTask) -> Result<Trainer<DetectorTask>> {
    let mut settings = args.settings();
    settings.landmarks = task.has_landmarks();
    let folder = runs::folder(&args.run, &settings);
    match &args.common.init {
        Some(init) => Trainer::new_with(settings, &load_weights(init)?, task, folder),
        None => Trainer::new(settings, task, folder),
    }
}

fn opening(trainer: &Trainer<DetectorTask>, [training, validation]: [usize; 2]) -> String {
    let data = &trainer.state().data;
    let landmarks = if trainer.settings().landmarks {
        " with landmarks"
    } else {
        ""
    };
    format!(
        "face_net{landmarks}, {} parameters; {} training pictures with {} faces, {} validation pictures with {}; \
         samples of {size}×{size} pixels, {}",
        thousands(trainer.network().parameters.count()),
        thousands(data.training_pictures),
        thousands(training),
        thousands(data.validation_pictures),
        thousands(validation),
        runs::opening(trainer),
        size = trainer.settings().sampling.size,
    )
}

/// The best epoch.
fn report(trainer: &Trainer<DetectorTask>, best: &DetectorEpoch) -> String {
    format!(
        "best of {} epochs is {}: average precision {:.4} at IoU 0.5, recall {:.1} % at precision {:.1} % from confidence {:.2}",
        trainer.log().len(),
        best.epoch,
        best.val_ap50,
        100.0 * best.val_recall,
        100.0 * best.val_precision,
        best.val_threshold,
    )
}
