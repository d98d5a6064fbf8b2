//! Which places of the network's maps answer for which face: SimOTA (Ge et al. 2021, "YOLOX").
//!
//! A face asks the places within it or near its centre. Each of them is the dearer the surer it is that there is no face
//! and the further its box lies from the face's; of the cheapest, as many answer as their boxes cover the face together.
//! So a face that the network finds well teaches several places and a small one at least one.

use emotion_models::face_net::{GridCell, VALUES};
use emotion_models::preprocess::Region;

/// Places this many strides from the centre of a face, along either axis, are near it.
const NEAR: f32 = 2.5;
/// Boxes whose overlaps say how many places answer.
const COUNTED: usize = 10;
/// What the overlap weighs against the score.
const OVERLAP_WEIGHT: f32 = 3.0;
/// More than any other cost: of a place that is not both within the face and near its centre.
const OUTSIDE: f32 = 1e5;

/// A place that answers for a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assignment {
    /// Index of the place.
    pub place: usize,
    /// Index of the face.
    pub face: usize,
    /// Intersection over union of the place's box and the face.
    pub overlap: f32,
}

/// The places that answer for `faces`, in order; `logits` holds [`VALUES`] for each place.
pub fn assign(places: &[GridCell], logits: &[f32], faces: &[Region]) -> Vec<Assignment> {
    let values = logits.as_chunks::<VALUES>().0;
    // For each place, the face that it answers for at the lowest cost.
    let mut chosen: Vec<Option<(f32, Assignment)>> = vec![None; places.len()];
    for (face, region) in faces.iter().enumerate() {
        let mut asked = Vec::new();
        for (place, (at, &values)) in places.iter().zip(values).enumerate() {
            let [within, near] = position(*at, region);
            if !within && !near {
                continue;
            }
            let overlap = at.region(values).iou(region);
            let mut cost = surprise(values[0]) - OVERLAP_WEIGHT * (overlap + 1e-8).ln();
            if !(within && near) {
                cost += OUTSIDE;
            }
            let answer = Assignment {
                place,
                face,
                overlap,
            };
            asked.push((cost, answer));
        }
        let mut overlaps: Vec<f32> = asked.iter().map(|(_, answer)| answer.overlap).collect();
        overlaps.sort_by(|a, b| b.total_cmp(a));
        let count = overlaps.iter().take(COUNTED).sum::<f32>() as usize;
        asked.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        for (cost, answer) in asked.into_iter().take(count.max(1)) {
            let other = &mut chosen[answer.place];
            if other.is_none_or(|(other, _)| cost < other) {
                *other = Some((cost, answer));
            }
        }
    }
    chosen
        .into_iter()
        .flatten()
        .map(|(_, answer)| answer)
        .collect()
}

/// Whether the place lies within the face, and whether it lies near its centre.
fn position(place: GridCell, face: &Region) -> [bool; 2] {
    let within = |at: f32, start: f32, len: f32| (start..start + len).contains(&at);
    let near =
        |at: f32, start: f32, len: f32| (at - (start + len / 2.0)).abs() < NEAR * place.stride;
    [
        within(place.x, face.x, face.width) && within(place.y, face.y, face.height),
        near(place.x, face.x, face.width) && near(place.y, face.y, face.height),
    ]
}

/// −ln of the probability of a face.
fn surprise(logit: f32) -> f32 {
    (-logit).max(0.0) + (-logit.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests;
