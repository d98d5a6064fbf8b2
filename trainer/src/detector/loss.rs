//! The loss function of the detector.

use candle_core::{D, Result, Tensor};
use emotion_models::preprocess::Landmarks;

/// The target outputs of the grid cells of a batch, sample by sample.
#[derive(Debug, Clone)]
pub struct DetectionTargets {
    /// `[P]`, the target probability of a face in each cell.
    pub scores: Tensor,
    /// `[P]`, the weight of each cell; 0 in ignored regions.
    pub weights: Tensor,
    /// `[A]`, the indices of the cells that are assigned to a face.
    pub assigned: Tensor,
    /// `[A, 3]`, x and y of the centres of these cells, and the stride.
    pub cells: Tensor,
    /// `[A, 4]`, centres, widths and heights of their faces in pixels.
    pub boxes: Tensor,
    /// `[A]`, the weight of each box.
    pub box_weights: Tensor,
    /// `[A, 10]`, x and y of the landmarks in pixels; zeros where they are unknown.
    pub landmarks: Tensor,
    /// `[A]`, the weight of the landmarks, divided by the longer side of the face; 0 where they are unknown.
    pub landmark_weights: Tensor,
}

/// Weight of the boxes against the scores.
const BOX_WEIGHT: f64 = 5.0;
/// Weight of the landmarks against the scores. With 5 they became the mean shape of upright faces.
const LANDMARK_WEIGHT: f64 = 20.0;

/// The loss of values `[P, 5]`, a scalar: binary cross-entropy of all scores plus EIoU (Zhang et al. 2022) of the boxes of
/// assigned cells, divided by the sum of the box weights (at least 1).
///
/// # Errors
///
/// When the shapes differ.
pub fn detection(values: &Tensor, targets: &DetectionTargets) -> Result<Tensor> {
    let scores = values.narrow(1, 0, 1)?.squeeze(1)?;
    let scores = (binary_cross_entropy(&scores, &targets.scores)? * &targets.weights)?.sum_all()?;
    let total = targets.box_weights.sum_all()?.to_scalar::<f32>()?.max(1.0);
    let loss = if targets.assigned.elem_count() == 0 {
        scores
    } else {
        let assigned = values.index_select(&targets.assigned, 0)?;
        let boxes = boxes(&assigned, &targets.cells)?;
        let distances = (eiou(&boxes, &targets.boxes)? * &targets.box_weights)?;
        (scores + (distances.sum_all()? * BOX_WEIGHT)?)?
    };
    loss * (1.0 / f64::from(total))
}

/// The loss of values `[P, 10]`, a scalar: the mean distance of the landmarks of assigned cells along x and y, as a fraction
/// of the longer side of the face, divided like the loss of the boxes.
///
/// # Errors
///
/// When the shapes differ.
pub fn landmarks(values: &Tensor, targets: &DetectionTargets) -> Result<Tensor> {
    let total = targets.box_weights.sum_all()?.to_scalar::<f32>()?.max(1.0);
    if targets.assigned.elem_count() == 0 {
        return values.sum_all()? * 0.0;
    }
    let assigned = values.index_select(&targets.assigned, 0)?;
    let strides = targets.cells.narrow(1, 2, 1)?;
    let centres = targets
        .cells
        .narrow(1, 0, 2)?
        .repeat((1, Landmarks::COUNT))?;
    let points = (assigned.broadcast_mul(&strides)? + centres)?;
    let distances = (points - &targets.landmarks)?.abs()?.mean(1)?;
    (distances * &targets.landmark_weights)?.sum_all()? * (LANDMARK_WEIGHT / f64::from(total))
}

/// −t·ln σ(x) − (1 − t)·ln(1 − σ(x)), stable for any x.
fn binary_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let softplus = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    (logits.relu()? - (logits * targets)?)? + softplus
}

/// Centres and sizes in pixels, `[A, 4]`, of values `[A, 5]`, as in `GridCell::region`.
fn boxes(values: &Tensor, cells: &Tensor) -> Result<Tensor> {
    let strides = cells.narrow(1, 2, 1)?;
    let centres = cells.narrow(1, 0, 2)? + values.narrow(1, 1, 2)?.broadcast_mul(&strides)?;
    let sizes = values.narrow(1, 3, 2)?.exp()?.broadcast_mul(&strides)?;
    Tensor::cat(&[&centres?, &sizes], 1)
}

/// EIoU `[A]`: 1 − IoU plus the squared distances of centres, widths and heights relative to the enclosing box.
fn eiou(found: &Tensor, expected: &Tensor) -> Result<Tensor> {
    let [found_centre, found_size] = [0, 2].map(|start| found.narrow(1, start, 2));
    let [centre, size] = [0, 2].map(|start| expected.narrow(1, start, 2));
    let (found_centre, found_size) = (found_centre?, found_size?);
    let (centre, size) = (centre?, size?);
    let corner = |centre: &Tensor, size: &Tensor, sign: f64| centre + (size * (sign / 2.0))?;
    let [found_start, found_end] = [-1.0, 1.0].map(|sign| corner(&found_centre, &found_size, sign));
    let [start, end] = [-1.0, 1.0].map(|sign| corner(&centre, &size, sign));
    let (found_start, found_end, start, end) = (found_start?, found_end?, start?, end?);

    let shared = (found_end.minimum(&end)? - found_start.maximum(&start)?)?.relu()?;
    let product = |sides: &Tensor| -> Result<Tensor> {
        sides.narrow(D::Minus1, 0, 1)? * sides.narrow(D::Minus1, 1, 1)?
    };
    let both = product(&shared)?;
    let union = ((product(&found_size)? + product(&size)?)? - &both)?;
    let iou = (both / union)?;

    let around = (found_end.maximum(&end)? - found_start.minimum(&start)?)?.sqr()?;
    let apart = (found_centre - centre)?.sqr()?.sum_keepdim(1)?;
    let apart = (apart / around.sum_keepdim(1)?)?;
    let larger = ((found_size - size)?.sqr()? / around)?.sum_keepdim(1)?;
    ((1.0 - iou)? + apart + larger)?.squeeze(1)
}

#[cfg(test)]
mod tests;
