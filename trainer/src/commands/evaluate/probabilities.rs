//! Classifies the faces of a split.

use anyhow::Result;
use emotion_models::Classifier;
use emotion_models::preprocess::{LightCorrection, Preprocessor};
use indicatif::ProgressBar;

use crate::data::{CLASSES, Faces};
use crate::emotion::metrics::{ClassificationMetrics, softmax};
use crate::progress_bar::style;
use crate::run::network;

/// A probability for each emotion of each face.
pub(super) type Probabilities = Vec<[f64; CLASSES]>;

/// The mean probabilities of the networks for each face with this light correction: of the face alone, and averaged over
/// the face and its mirror image.
pub(super) fn probabilities(
    networks: &mut [Classifier],
    faces: &Faces,
    batch: usize,
    light: LightCorrection,
) -> Result<(Probabilities, Probabilities)> {
    let bar = ProgressBar::new((networks.len() * faces.len()) as u64)
        .with_style(style("{bar:24} {pos}/{len} faces, {eta} left"));
    let mut once = vec![[0.0; CLASSES]; faces.len()];
    let mut mirrored = once.clone();
    let share = 1.0 / networks.len() as f64;
    for network in networks {
        let size = network.metadata().input_size;
        let mut mirror_logits = Vec::with_capacity(faces.len());
        let preprocessor = Preprocessor::new(size).with_light(light);
        let face_logits = network::logits(faces, &preprocessor, batch, |mut values, count| {
            let logits = network.logits(&values)?;
            values.chunks_exact_mut(size).for_each(<[f32]>::reverse);
            mirror_logits.extend(network.logits(&values)?);
            bar.inc(count as u64);
            Ok(logits)
        })?;
        let temperature = f64::from(network.metadata().temperature);
        for (row, (face, mirror)) in face_logits.iter().zip(&mirror_logits).enumerate() {
            let (face, mirror) = (softmax(face, temperature), softmax(mirror, temperature));
            for class in 0..CLASSES {
                once[row][class] += share * face[class];
                mirrored[row][class] += share * f64::midpoint(face[class], mirror[class]);
            }
        }
    }
    bar.finish_and_clear();
    Ok((once, mirrored))
}

/// The metrics of the rows for which `counts` is true.
pub(super) fn evaluate_rows(
    probabilities: &Probabilities,
    faces: &Faces,
    counts: impl Fn(usize) -> bool,
) -> ClassificationMetrics {
    let rows = probabilities.iter().zip(faces.labels()).enumerate();
    ClassificationMetrics::of_probabilities(
        rows.filter(|(row, _)| counts(*row))
            .map(|(_, (probabilities, &label))| (probabilities.as_slice(), label)),
    )
}
