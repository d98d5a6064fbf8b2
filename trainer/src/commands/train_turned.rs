//! `emotion-trainer train-turned`.

use anyhow::{Result, anyhow};

use super::common::{load_weights, percent, thousands, use_threads};
use crate::cli::TrainTurnedArgs;
use crate::detector::annotations::{self, ImageSplit};
use crate::emotion::turned::{TurnedFaces, TurnedFacesPlan};

/// Adds an output for turned faces to a network that stays as it is.
///
/// # Errors
///
/// When the weights or the pictures are broken, or the file cannot be written.
pub fn run(args: &TrainTurnedArgs) -> Result<()> {
    use_threads(args.threads)?;
    let weights = load_weights(&args.weights)?;
    // The message contains the cause already.
    weights
        .expect_floats()
        .map_err(|error| anyhow!("{error}"))?;
    let annotations = annotations::load(&args.data)?;
    let faces = |split| {
        let plan = TurnedFacesPlan {
            split,
            seed: args.seed,
            views: args.views.get(),
        };
        TurnedFaces::new(&weights, &annotations, plan)
    };
    let (training, validation) = (faces(ImageSplit::Train)?, faces(ImageSplit::Val)?);
    let head = training.fit()?;
    let note = format!("; turned faces from {} crops", thousands(training.len()));
    let trained = head.added_to(&weights, &note)?;
    trained
        .save(&args.out)
        .map_err(|error| anyhow!("{error}"))?;
    for (split, faces) in [
        (ImageSplit::Train, &training),
        (ImageSplit::Val, &validation),
    ] {
        let metrics = faces.evaluate(&head);
        println!(
            "{split}: {} crops; mean probability of turned {} for turned faces, {} for upright ones",
            thousands(metrics.faces),
            percent(metrics.of_turned, 1),
            percent(metrics.of_upright, 1),
        );
    }
    println!("weights {}", args.out.display());
    Ok(())
}
