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
pub(crate) type Probabilities = Vec<[f64; CLASSES]>;

/// The answers to all faces.
pub(crate) struct Answers {
    /// The probabilities.
    pub(crate) probabilities: Probabilities,
    /// The probability that the face is covered or turned, if all networks have learnt either.
    pub(crate) hidden: Option<Vec<f64>>,
}

impl Answers {
    /// The mean probabilities of the face and its mirror image.
    pub(crate) fn mean_with(&self, mirrored: &Self) -> Probabilities {
        let pairs = self.probabilities.iter().zip(&mirrored.probabilities);
        pairs
            .map(|(face, mirror)| std::array::from_fn(|id| f64::midpoint(face[id], mirror[id])))
            .collect()
    }
}

/// Whether faces are classified as they are, or left and right exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// As they are.
    AsIs,
    /// Left and right exchanged.
    Mirrored,
}

/// The mean answers of the networks to each face with this light correction.
///
/// # Errors
///
/// When a network fails.
pub(crate) fn classify(
    networks: &mut [Classifier],
    faces: &Faces,
    batch: usize,
    light: LightCorrection,
    side: Side,
) -> Result<Answers> {
    let bar = ProgressBar::new((networks.len() * faces.len()) as u64)
        .with_style(style("{bar:24} {pos}/{len} faces, {eta} left"));
    let mut probabilities = vec![[0.0; CLASSES]; faces.len()];
    let mut hidden = Some(vec![0.0; faces.len()]);
    let share = 1.0 / networks.len() as f64;
    for network in networks {
        let size = network.metadata().input_size;
        let preprocessor = Preprocessor::new(size).with_light(light);
        let rows = network::logits(faces, &preprocessor, batch, |mut values, count| {
            if side == Side::Mirrored {
                values.chunks_exact_mut(size).for_each(<[f32]>::reverse);
            }
            let rows = network.outputs(&values)?;
            bar.inc(count as u64);
            Ok(rows)
        })?;
        let temperature = f64::from(network.metadata().temperature);
        for (sums, row) in probabilities.iter_mut().zip(&rows) {
            for (sum, probability) in sums.iter_mut().zip(softmax(&row[..CLASSES], temperature)) {
                *sum += share * probability;
            }
        }
        let outputs = [Head::Cover, Head::Turned]
            .map(|head| network.metadata().outputs(head).map(|range| range.start));
        let outputs: Vec<usize> = outputs.into_iter().flatten().collect();
        hidden = hidden.filter(|_| !outputs.is_empty()).map(|mut hidden| {
            for (hidden, row) in hidden.iter_mut().zip(&rows) {
                // 1 − σ(z)
                let visible = outputs
                    .iter()
                    .map(|&output| 1.0 / (1.0 + f64::from(row[output]).exp()));
                *hidden += share * (1.0 - visible.product::<f64>());
            }
            hidden
        });
    }
    bar.finish_and_clear();
    Ok(Answers {
        probabilities,
        hidden,
    })
}

/// The metrics of the rows for which `counts` is true.
pub(crate) fn evaluate_rows(
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
