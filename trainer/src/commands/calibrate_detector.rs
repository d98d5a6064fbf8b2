//! `emotion-trainer calibrate-detector`.

use anyhow::{Result, anyhow};
use emotion_models::Weights;
use emotion_models::weights::Task;

use super::{thousands, use_threads};
use crate::cli::CalibrateDetectorArgs;
use crate::detector::calibration::PlattScaling;
use crate::detector::matching::MatchedBox;
use crate::detector::{images, validation};
use crate::emotion::calibration::Reliability;
use crate::run::network::Network;

/// Fits the confidence of a detector to the validation pictures of a folder.
///
/// # Errors
///
/// When the weights are not a detector's, the data is broken, or the file cannot be written.
pub fn run(args: &CalibrateDetectorArgs) -> Result<()> {
    use_threads(args.threads)?;
    let weights = super::weights(&args.weights)?;
    let network = Network::of(weights.expect(Task::Detection)?)?;
    let (_, pictures) = images::read_for_training(&args.data)?;
    let judged = validation::judged(&network, &pictures)?;
    let calibration = PlattScaling::fit(&judged);

    let mut values = weights.tensors().clone();
    calibration.apply(&mut values)?;
    let mut metadata = weights.metadata().clone();
    metadata.training += &format!("; calibrated on {} pictures", pictures.len());
    let out = args.out.display().to_string();
    // Its message holds the cause already.
    let calibrated = Weights::new(&out, metadata, values).map_err(|error| anyhow!("{error}"))?;
    calibrated.save(&args.out)?;

    let error = |calibration| 100.0 * calibration_error(&judged, calibration);
    println!(
        "{} boxes on {} pictures: logit × {:.3} {:+.3}, calibration error {:.1} % before, {:.1} % now\nweights {out}",
        thousands(judged.len()),
        thousands(pictures.len()),
        calibration.slope,
        calibration.offset,
        error(PlattScaling::IDENTITY),
        error(calibration),
    );
    Ok(())
}

/// How far confidences are from the shares of faces.
fn calibration_error(judged: &[MatchedBox], calibration: PlattScaling) -> f64 {
    let mut reliability = Reliability::default();
    for MatchedBox { found, face } in judged {
        let confidence = calibration.confidence(f64::from(found.score));
        reliability.add(confidence, face.is_some());
    }
    reliability.expected_calibration_error()
}
