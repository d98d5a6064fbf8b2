//! `emotion-trainer train-detector`.

use std::path::PathBuf;

use anyhow::Result;

use super::runs::{self, shell_word};
use super::{thousands, use_threads};
use crate::cli::TrainDetectorArgs;
use crate::detector::epoch::DetectorEpoch;
use crate::detector::task::DetectorTask;
use crate::run::folder::RunFolder;
use crate::run::trainer::Trainer;

/// Trains the face detector, or goes on with a run.
///
/// # Errors
///
/// When the data is broken, the folder cannot be used, or the loss is no longer a number; and
/// [`Interrupted`](crate::run::interrupt::Interrupted) after Ctrl-C.
pub fn run(args: &TrainDetectorArgs) -> Result<()> {
    use_threads(args.threads)?;
    let pictures = DetectorTask::load(&args.data)?;
    let faces = pictures.faces();
    let trainer = match &args.run.resume {
        Some(folder) => Trainer::resume(pictures, RunFolder::new(folder))?,
        None => begin(args, pictures)?,
    };
    let opening = opening(&trainer, faces);
    let command = format!(
        "emotion-trainer train-detector --data {}",
        shell_word(&args.data)
    );
    runs::conduct(trainer, args.run.save_every, &opening, &command, report)
}

fn begin(args: &TrainDetectorArgs, pictures: DetectorTask) -> Result<Trainer<DetectorTask>> {
    let settings = args.settings();
    let beside_others = || PathBuf::from("runs").join(settings.name());
    let folder = RunFolder::new(args.run.out.clone().unwrap_or_else(beside_others));
    match &args.init {
        Some(init) => Trainer::new_with(settings, &super::weights(init)?, pictures, folder),
        None => Trainer::new(settings, pictures, folder),
    }
}

fn opening(trainer: &Trainer<DetectorTask>, [faces, faces_to_validate]: [usize; 2]) -> String {
    let settings = trainer.settings();
    let source = &trainer.state().data_summary;
    let mut text = format!(
        "face_net, {} parameters; {} training pictures with {} faces, {} validation pictures with {}; \
         samples of {size}×{size} pixels, batch {}, seed {}; {}",
        thousands(trainer.network().parameters.count()),
        thousands(source.training_pictures),
        thousands(faces),
        thousands(source.validation_pictures),
        thousands(faces_to_validate),
        settings.batch,
        settings.seed,
        trainer.folder().path().display(),
        size = settings.sampling.size,
    );
    if let Some(init) = &settings.init {
        text += &format!("\nbegins with {init}");
    }
    text
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
