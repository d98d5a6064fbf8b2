//! Classifies the faces of a split.

use anyhow::Result;
use emotion_models::Classifier;
use emotion_models::preprocess::{LightCorrection, Preprocessor};
use emotion_models::weights::Head;
use indicatif::ProgressBar;

use crate::data::{CLASSES, Faces};
use crate::emotion::metrics::{ClassificationMetrics, softmax};
use crate::progress_bar::style;
use crate::run::network;

/// A probability for each emotion of each face.
pub(super) type Probabilities = Vec<[f64; CLASSES]>;

/// The answers to all faces.
pub(super) struct Answers {
    /// To each face alone.
    pub(super) once: Probabilities,
    /// The mean of the answers to the face and to its mirror image.
    pub(super) mirrored: Probabilities,
    /// The probability that the face is covered, if all networks have learnt it.
    pub(super) covers: Option<Vec<f64>>,
}

/// The mean answers of the networks to each face with this light correction.
///
/// # Errors
///
/// When a network fails.
pub(super) fn probabilities(
    networks: &mut [Classifier],
    faces: &Faces,
    batch: usize,
    light: LightCorrection,
) -> Result<Answers> {
    let bar = ProgressBar::new((networks.len() * faces.len()) as u64)
        .with_style(style("{bar:24} {pos}/{len} faces, {eta} left"));
    let mut once = vec![[0.0; CLASSES]; faces.len()];
    let mut mirrored = once.clone();
    let mut covers = Some(vec![0.0; faces.len()]);
    let share = 1.0 / networks.len() as f64;
    for network in networks {
        let size = network.metadata().input_size;
        let mut mirror_rows = Vec::with_capacity(faces.len());
        let preprocessor = Preprocessor::new(size).with_light(light);
        let rows = network::logits(faces, &preprocessor, batch, |mut values, count| {
            let rows = network.outputs(&values)?;
            values.chunks_exact_mut(size).for_each(<[f32]>::reverse);
            mirror_rows.extend(network.outputs(&values)?);
            bar.inc(count as u64);
            Ok(rows)
        })?;
        let temperature = f64::from(network.metadata().temperature);
        for (row, (face, mirror)) in rows.iter().zip(&mirror_rows).enumerate() {
            let [face, mirror] =
                [face, mirror].map(|outputs| softmax(&outputs[..CLASSES], temperature));
            for class in 0..CLASSES {
                once[row][class] += share * face[class];
                mirrored[row][class] += share * f64::midpoint(face[class], mirror[class]);
            }
        }
        covers = covers
            .zip(network.metadata().outputs(Head::Cover))
            .map(|(mut covers, range)| {
                for (cover, row) in covers.iter_mut().zip(&rows) {
                    *cover += share / (1.0 + f64::from(-row[range.start]).exp());
                }
                covers
            });
    }
    bar.finish_and_clear();
    Ok(Answers {
        once,
        mirrored,
        covers,
    })
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
