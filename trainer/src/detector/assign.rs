//! Assigns grid cells of the network's maps to faces: SimOTA (Ge et al. 2021, "YOLOX").
//!
//! Candidates of a face are the cells within it or near its centre. The cost of a cell grows with the loss of its score and
//! the distance of its box from the face. As many of the cheapest cells are assigned as the sum of their overlaps, so a
//! face that the network finds well trains several cells, and any face at least one.

use emotion_models::face_net::{GridCell, VALUES};
use emotion_models::preprocess::Region;

/// Cells up to this many strides from the centre of a face, along either axis, are near it.
const NEAR: f32 = 2.5;
/// Largest number of overlaps that are summed.
const COUNTED: usize = 10;
/// Weight of the overlap against the score.
const OVERLAP_WEIGHT: f32 = 3.0;
/// Cost, above any other, of a cell that is not both within the face and near its centre.
const OUTSIDE: f32 = 1e5;

/// A grid cell that is assigned to a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assignment {
    /// Index of the cell.
    pub cell: usize,
    /// Index of the face.
    pub face: usize,
    /// Intersection over union of the cell's box and the face.
    pub overlap: f32,
}

/// The cells that are assigned to `faces`, in order; `values` holds [`VALUES`] for each cell.
pub fn assign(cells: &[GridCell], values: &[f32], faces: &[Region]) -> Vec<Assignment> {
    let values = values.as_chunks::<VALUES>().0;
    // For each cell the cheapest face.
    let mut chosen: Vec<Option<(f32, Assignment)>> = vec![None; cells.len()];
    for (face, region) in faces.iter().enumerate() {
        let mut candidates = Vec::new();
        for (index, (cell, &values)) in cells.iter().zip(values).enumerate() {
            let [within, near] = position(*cell, region);
            if !within && !near {
                continue;
            }
            let overlap = cell.region(values).iou(region);
            let mut cost = log_loss(values[0]) - OVERLAP_WEIGHT * (overlap + 1e-8).ln();
            if !(within && near) {
                cost += OUTSIDE;
            }
            let assignment = Assignment {
                cell: index,
                face,
                overlap,
            };
            candidates.push((cost, assignment));
        }
        let overlaps = candidates.iter().map(|(_, candidate)| candidate.overlap);
        let mut overlaps: Vec<f32> = overlaps.collect();
        overlaps.sort_by(|a, b| b.total_cmp(a));
        let count = overlaps.iter().take(COUNTED).sum::<f32>() as usize;
        candidates.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        for (cost, assignment) in candidates.into_iter().take(count.max(1)) {
            let other = &mut chosen[assignment.cell];
            if other.is_none_or(|(other, _)| cost < other) {
                *other = Some((cost, assignment));
            }
        }
    }
    chosen
        .into_iter()
        .flatten()
        .map(|(_, assignment)| assignment)
        .collect()
}

/// Whether the cell is within the face, and whether it is near its centre.
fn position(cell: GridCell, face: &Region) -> [bool; 2] {
    let within = |at: f32, start: f32, len: f32| (start..start + len).contains(&at);
    let near =
        |at: f32, start: f32, len: f32| (at - (start + len / 2.0)).abs() < NEAR * cell.stride;
    [
        within(cell.x, face.x, face.width) && within(cell.y, face.y, face.height),
        near(cell.x, face.x, face.width) && near(cell.y, face.y, face.height),
    ]
}

/// −ln of the probability of a face.
fn log_loss(logit: f32) -> f32 {
    (-logit).max(0.0) + (-logit.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests;
