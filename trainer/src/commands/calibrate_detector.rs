//! `emotion-trainer calibrate-detector`.

use anyhow::{Result, anyhow};
use emotion_models::Weights;
use emotion_models::weights::{Head, Task};

use super::common::{load_weights, thousands, use_threads};
use crate::cli::CalibrateDetectorArgs;
use crate::detector::calibration::PlattScaling;
use crate::detector::images::TrainingSelection;
use crate::detector::matching::MatchedBox;
use crate::detector::{images, validation};
use crate::emotion::reliability::Reliability;
use crate::run::network::Network;

/// Calibrates the confidence of a detector on the validation images of a folder.
///
/// # Errors
///
/// When the weights are not a detector's, the data is broken, or the file cannot be written.
pub fn run(args: &CalibrateDetectorArgs) -> Result<()> {
    use_threads(args.threads)?;
    let weights = load_weights(&args.weights)?;
    let network = Network::of(weights.expect(Task::Detection)?)?;
    let has_landmarks = weights.metadata().heads.contains(&Head::Landmarks);
    let (_, images) = images::load_for_training(&args.data, &TrainingSelection::default())?;
    let boxes = validation::matched_boxes(&network, &images, has_landmarks)?;
    let calibration = PlattScaling::fit(&boxes);

    let mut values = weights.tensors().clone();
    calibration.apply(&mut values)?;
    let mut metadata = weights.metadata().clone();
    metadata.training += &format!("; calibrated on {} pictures", images.len());
    let out = args.out.display().to_string();
    // The message contains the cause already.
    let calibrated = Weights::new(&out, metadata, values).map_err(|error| anyhow!("{error}"))?;
    calibrated.save(&args.out)?;

    let error = |calibration| 100.0 * calibration_error(&boxes, calibration);
    println!(
        "{} boxes on {} pictures: logit × {:.3} {:+.3}, calibration error {:.1} % before, {:.1} % now\nweights {out}",
        thousands(boxes.len()),
        thousands(images.len()),
        calibration.slope,
        calibration.offset,
        error(PlattScaling::IDENTITY),
        error(calibration),
    );
    Ok(())
}

/// The expected calibration error of the boxes.
fn calibration_error(boxes: &[MatchedBox], calibration: PlattScaling) -> f64 {
    let mut reliability = Reliability::default();
    for MatchedBox { found, face, .. } in boxes {
        let confidence = calibration.confidence(f64::from(found.score));
        reliability.add(confidence, face.is_some());
    }
    reliability.expected_calibration_error()
}
