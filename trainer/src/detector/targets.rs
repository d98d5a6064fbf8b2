//! What the places of a batch are to say, worked out from what they say.

use candle_core::{Device, Result, Tensor};
use emotion_models::face_net::{GridCell, VALUES};
use emotion_models::preprocess::Region;
use rayon::prelude::*;

use super::annotations::LabelSource;
use super::assign::{Assignment, assign};
use super::loss::DetectionTargets;
use super::sample::Sample;

/// What a face drawn by a detector counts beside one drawn by a person.
const MODEL_FACE: f32 = 0.6;
/// What the background counts where a detector looked for faces: it misses some.
const MODEL_BACKGROUND: f32 = 0.6;

/// What one sample adds to [`DetectionTargets`].
struct SampleTargets {
    scores: Vec<f32>,
    weights: Vec<f32>,
    answers: Vec<Assignment>,
}

/// The targets of samples for whose places the network said `logits`, [`VALUES`] for each place of each sample.
///
/// # Errors
///
/// When a tensor cannot be made.
pub fn targets(
    samples: &[Sample],
    places: &[GridCell],
    logits: &[f32],
) -> Result<DetectionTargets> {
    let parts: Vec<SampleTargets> = samples
        .par_iter()
        .zip(logits.par_chunks_exact(places.len() * VALUES))
        .map(|(sample, logits)| of_sample(sample, places, logits))
        .collect();

    let (mut answering, mut at, mut boxes, mut box_weights) = (vec![], vec![], vec![], vec![]);
    for (index, (part, sample)) in parts.iter().zip(samples).enumerate() {
        for answer in &part.answers {
            let place = places[answer.place];
            let face = sample.faces[answer.face];
            let Region {
                x,
                y,
                width,
                height,
            } = face.region;
            answering.push((index * places.len() + answer.place) as u32);
            at.extend([place.x, place.y, place.stride]);
            boxes.extend([x + width / 2.0, y + height / 2.0, width, height]);
            box_weights.push(weight(face.labels));
        }
    }
    let count = answering.len();
    let all = |values: fn(&SampleTargets) -> &[f32]| {
        let values: Vec<f32> = parts.iter().flat_map(values).copied().collect();
        let count = values.len();
        Tensor::from_vec(values, count, &Device::Cpu)
    };
    Ok(DetectionTargets {
        scores: all(|part| &part.scores)?,
        weights: all(|part| &part.weights)?,
        answering: Tensor::from_vec(answering, count, &Device::Cpu)?,
        places: Tensor::from_vec(at, (count, 3), &Device::Cpu)?,
        boxes: Tensor::from_vec(boxes, (count, 4), &Device::Cpu)?,
        box_weights: Tensor::from_vec(box_weights, count, &Device::Cpu)?,
    })
}

fn weight(labels: LabelSource) -> f32 {
    match labels {
        LabelSource::Human => 1.0,
        LabelSource::Model => MODEL_FACE,
    }
}

fn of_sample(sample: &Sample, places: &[GridCell], logits: &[f32]) -> SampleTargets {
    let faces: Vec<Region> = sample.faces.iter().map(|face| face.region).collect();
    let answers = assign(places, logits, &faces);
    let weigh = |(place, values): (&GridCell, &[f32; VALUES])| {
        let holds = |region: &&Region| {
            let inside = |at: f32, start: f32, len: f32| (start..start + len).contains(&at);
            inside(place.x, region.x, region.width) && inside(place.y, region.y, region.height)
        };
        if sample.ignored.iter().any(|region| holds(&region)) {
            return 0.0;
        }
        // A place beside a doubtful face may have found that one.
        let found = place.region(*values);
        if sample.ignored.iter().any(|region| found.iou(region) > 0.3) {
            return 0.0;
        }
        if sample.doubtful.iter().any(|region| holds(&region)) {
            return MODEL_BACKGROUND;
        }
        1.0
    };
    let values = logits.as_chunks::<VALUES>().0;
    let mut weights: Vec<f32> = places.iter().zip(values).map(weigh).collect();
    let mut scores = vec![0.0; places.len()];
    for answer in &answers {
        // How well the box fits says which of several places is right, but even a bad box holds a face.
        scores[answer.place] = f32::midpoint(1.0, answer.overlap);
        weights[answer.place] = weight(sample.faces[answer.face].labels);
    }
    SampleTargets {
        scores,
        weights,
        answers,
    }
}

#[cfg(test)]
mod tests;
