//! What training the detector makes small.

use candle_core::{D, Result, Tensor};

/// What the places of a batch are to say, place after place of sample after sample.
#[derive(Debug, Clone)]
pub struct DetectionTargets {
    /// `[P]`, how much of a face each place is to see, 0 to 1: how well its box fits the face.
    pub scores: Tensor,
    /// `[P]`, how much each place counts; 0 where nobody can tell.
    pub weights: Tensor,
    /// `[A]`, the indices of the places that answer for a face.
    pub answering: Tensor,
    /// `[A, 3]`, x and y of the centres of these places, and the stride.
    pub places: Tensor,
    /// `[A, 4]`, the centres of their faces, widths and heights in pixels.
    pub boxes: Tensor,
    /// `[A]`, how much each of them counts.
    pub box_weights: Tensor,
}

/// What the boxes weigh against the scores.
const BOX_WEIGHT: f64 = 5.0;

/// The loss of values `[P, 5]`, a scalar: binary cross-entropy of all scores and EIoU (Zhang et al. 2022) of the boxes
/// of those that answer, over the weights of the boxes (at least 1).
///
/// # Errors
///
/// When the shapes differ.
pub fn detection(values: &Tensor, targets: &DetectionTargets) -> Result<Tensor> {
    let scores = values.narrow(1, 0, 1)?.squeeze(1)?;
    let scores = (binary_cross_entropy(&scores, &targets.scores)? * &targets.weights)?.sum_all()?;
    let total = targets.box_weights.sum_all()?.to_scalar::<f32>()?.max(1.0);
    let loss = if targets.answering.elem_count() == 0 {
        scores
    } else {
        let answers = values.index_select(&targets.answering, 0)?;
        let boxes = boxes(&answers, &targets.places)?;
        let apart = (eiou(&boxes, &targets.boxes)? * &targets.box_weights)?;
        (scores + (apart.sum_all()? * BOX_WEIGHT)?)?
    };
    loss * (1.0 / f64::from(total))
}

/// −t·ln σ(x) − (1 − t)·ln(1 − σ(x)), stable for any x.
fn binary_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let softplus = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    (logits.relu()? - (logits * targets)?)? + softplus
}

/// Centres and sizes in pixels, `[A, 4]`, of values `[A, 5]`, as `GridCell::region` has them.
fn boxes(values: &Tensor, places: &Tensor) -> Result<Tensor> {
    let strides = places.narrow(1, 2, 1)?;
    let centres = places.narrow(1, 0, 2)? + values.narrow(1, 1, 2)?.broadcast_mul(&strides)?;
    let sizes = values.narrow(1, 3, 2)?.exp()?.broadcast_mul(&strides)?;
    Tensor::cat(&[&centres?, &sizes], 1)
}

/// 1 − IoU, and the squared distances of centres, widths and heights relative to the box around both, `[A]`.
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
