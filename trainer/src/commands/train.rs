//! `emotion-trainer train`.

use std::sync::Arc;

use anyhow::Result;

use super::{thousands, use_threads};
use crate::checkpoint::Folder;
use crate::cli::TrainArgs;
use crate::data::fer2013::Fer2013;
use crate::progress::Progress;
use crate::training::{Data, Trainer};

/// Trains a network, or goes on with a run.
///
/// # Errors
///
/// When the data is broken, the folder cannot be used, or the loss is no longer a number.
pub fn run(args: &TrainArgs) -> Result<()> {
    use_threads(args.threads)?;
    let Fer2013 {
        training, public, ..
    } = Fer2013::load(&args.data)?;
    let data = Data {
        training: Arc::new(training),
        validation: Arc::new(public),
    };
    let counts = (data.training.len(), data.validation.len());
    let mut trainer = match &args.resume {
        Some(folder) => Trainer::resume(data, Folder::new(folder))?,
        None => Trainer::new(args.recipe.settings(), data, Folder::new(&args.out))?,
    };

    let settings = trainer.settings();
    let progress = Progress::new(settings.epochs);
    progress.note(&format!(
        "mini_xception, {} parameters; {} training and {} validation faces; recipe {}, batch {}, seed {}; {}",
        thousands(trainer.network().parameters.count()),
        thousands(counts.0),
        thousands(counts.1),
        settings.recipe.name(),
        settings.batch,
        settings.seed,
        trainer.folder().path().display(),
    ));
    trainer.run(&progress)?;
    drop(progress);

    if let Some(best) = trainer.best() {
        println!(
            "epoch {}: {:.2} % accuracy and loss {:.4} on PublicTest, in {}",
            best.epoch,
            100.0 * best.val_acc,
            best.val_loss,
            trainer.folder().best().display()
        );
    }
    Ok(())
}
