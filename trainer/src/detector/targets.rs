//! Target outputs of the grid cells of a batch. They depend on the current outputs, which decide the assignment.

use candle_core::{Device, Result, Tensor};
use emotion_models::face_net::{GridCell, LANDMARK_VALUES, VALUES};
use emotion_models::preprocess::{Landmarks, Region};
use rayon::prelude::*;

use super::annotations::LabelSource;
use super::assign::{Assignment, assign};
use super::loss::DetectionTargets;
use super::sample::Sample;

/// Weight of a face drawn by a detector, against one drawn by a person.
const MODEL_FACE: f32 = 0.6;
/// Weight of the background of images labelled by a detector, which misses some faces.
const MODEL_BACKGROUND: f32 = 0.6;
/// A cell is ignored if its box overlaps an ignored region by more than this.
const IGNORED_OVERLAP: f32 = 0.3;

/// The part of one sample in [`DetectionTargets`].
struct SampleTargets {
    scores: Vec<f32>,
    weights: Vec<f32>,
    assignments: Vec<Assignment>,
}

/// The targets of samples; `values` holds the [`VALUES`] of each cell of each sample.
///
/// # Errors
///
/// When a tensor cannot be made.
pub fn targets(samples: &[Sample], cells: &[GridCell], values: &[f32]) -> Result<DetectionTargets> {
    let parts: Vec<SampleTargets> = samples
        .par_iter()
        .zip(values.par_chunks_exact(cells.len() * VALUES))
        .map(|(sample, values)| of_sample(sample, cells, values))
        .collect();

    let (mut assigned, mut at, mut boxes, mut box_weights) = (vec![], vec![], vec![], vec![]);
    let (mut landmarks, mut landmark_weights) = (vec![], vec![]);
    for (index, (part, sample)) in parts.iter().zip(samples).enumerate() {
        for assignment in &part.assignments {
            let cell = cells[assignment.cell];
            let face = sample.faces[assignment.face];
            let Region {
                x,
                y,
                width,
                height,
            } = face.region;
            assigned.push((index * cells.len() + assignment.cell) as u32);
            at.extend([cell.x, cell.y, cell.stride]);
            boxes.extend([x + width / 2.0, y + height / 2.0, width, height]);
            box_weights.push(weight(face.labels));
            match face.landmarks {
                Some(Landmarks(points)) => {
                    landmarks.extend(points.as_flattened());
                    landmark_weights.push(weight(face.labels) / width.max(height));
                }
                None => {
                    landmarks.extend([0.0; LANDMARK_VALUES]);
                    landmark_weights.push(0.0);
                }
            }
        }
    }
    let count = assigned.len();
    let all = |values: fn(&SampleTargets) -> &[f32]| {
        let values: Vec<f32> = parts.iter().flat_map(values).copied().collect();
        let count = values.len();
        Tensor::from_vec(values, count, &Device::Cpu)
    };
    Ok(DetectionTargets {
        scores: all(|part| &part.scores)?,
        weights: all(|part| &part.weights)?,
        assigned: Tensor::from_vec(assigned, count, &Device::Cpu)?,
        cells: Tensor::from_vec(at, (count, 3), &Device::Cpu)?,
        boxes: Tensor::from_vec(boxes, (count, 4), &Device::Cpu)?,
        box_weights: Tensor::from_vec(box_weights, count, &Device::Cpu)?,
        landmarks: Tensor::from_vec(landmarks, (count, LANDMARK_VALUES), &Device::Cpu)?,
        landmark_weights: Tensor::from_vec(landmark_weights, count, &Device::Cpu)?,
    })
}

fn weight(labels: LabelSource) -> f32 {
    match labels {
        LabelSource::Human => 1.0,
        LabelSource::Model => MODEL_FACE,
    }
}

fn of_sample(sample: &Sample, cells: &[GridCell], values: &[f32]) -> SampleTargets {
    let faces: Vec<Region> = sample.faces.iter().map(|face| face.region).collect();
    let assignments = assign(cells, values, &faces);
    let background_weight = |(cell, values): (&GridCell, &[f32; VALUES])| {
        let holds = |region: &Region| {
            let inside = |at: f32, start: f32, len: f32| (start..start + len).contains(&at);
            inside(cell.x, region.x, region.width) && inside(cell.y, region.y, region.height)
        };
        // The box of a cell beside an ignored face may be that face.
        let found = cell.region(*values);
        let is_ignored = |region: &Region| holds(region) || found.iou(region) > IGNORED_OVERLAP;
        if sample.ignored.iter().any(is_ignored) {
            0.0
        } else if sample.doubtful.iter().any(holds) {
            MODEL_BACKGROUND
        } else {
            1.0
        }
    };
    let values = values.as_chunks::<VALUES>().0;
    let mut weights: Vec<f32> = cells.iter().zip(values).map(background_weight).collect();
    let mut scores = vec![0.0; cells.len()];
    for assignment in &assignments {
        // The better the box the higher the score, but even a bad box holds a face.
        scores[assignment.cell] = f32::midpoint(1.0, assignment.overlap);
        weights[assignment.cell] = weight(sample.faces[assignment.face].labels);
    }
    SampleTargets {
        scores,
        weights,
        assignments,
    }
}

#[cfg(test)]
mod tests;
