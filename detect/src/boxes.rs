//! From the output of the network to boxes, one for each face.

use emotion_models::face_net::{GridCell, VALUES};
use std::ops::Range;

use emotion_models::preprocess::Region;

/// Sides of a box that may be a part of the face in another one, as shares of that one's.
const PART_SIZES: Range<f32> = 0.3..0.9;
/// Least share of such a box that lies in the other one.
const PART_INSIDE: f32 = 0.85;

/// The boxes with a logit of at least `min_logit` in the network's output, which has [`VALUES`] values for each of
/// `cells`. Yields each box, in pixels of the network's input, with its logit.
pub fn decode<'a>(
    cells: impl IntoIterator<Item = GridCell> + 'a,
    output: &'a [f32],
    min_logit: f32,
) -> impl Iterator<Item = (Region, f32)> + 'a {
    cells
        .into_iter()
        .zip(output.as_chunks::<VALUES>().0)
        .filter(move |(_, values)| values[0] >= min_logit)
        .map(|(cell, values)| (cell.region(*values), values[0]))
        // Weights from elsewhere may yield anything.
        .filter(|(region, _)| {
            [region.x, region.y, region.width, region.height]
                .iter()
                .all(|value| value.is_finite())
        })
}

/// Non-maximum suppression: from boxes sorted by falling confidence, removes each that overlaps a kept one by an
/// intersection over union of `iou` or more.
pub fn suppress_overlapping<T>(boxes: &mut Vec<T>, iou: f32, region: impl Fn(&T) -> &Region) {
    let mut kept = 0;
    for index in 0..boxes.len() {
        let candidate = region(&boxes[index]);
        let is_new = boxes[..kept]
            .iter()
            .all(|better| region(better).iou(candidate) < iou);
        if is_new {
            boxes.swap(kept, index);
            kept += 1;
        }
    }
    boxes.truncate(kept);
}

/// Removes boxes that are parts of a face in a larger box that stays: at least [`PART_INSIDE`] of them lies in it, and they
/// are not so small that they could be another face in front of it.
pub(crate) fn suppress_parts<T>(boxes: &mut Vec<T>, region: impl Fn(&T) -> &Region) {
    let side = |region: &Region| region.width.max(region.height);
    let is_part = |part: &Region, whole: &Region| {
        PART_SIZES.contains(&(side(part) / side(whole))) && part.share_in(whole) >= PART_INSIDE
    };
    let mut by_size: Vec<usize> = (0..boxes.len()).collect();
    by_size.sort_by(|&a, &b| side(region(&boxes[b])).total_cmp(&side(region(&boxes[a]))));
    let mut kept: Vec<usize> = Vec::with_capacity(boxes.len());
    for index in by_size {
        let part = region(&boxes[index]);
        if !kept
            .iter()
            .any(|&whole| is_part(part, region(&boxes[whole])))
        {
            kept.push(index);
        }
    }
    let mut index = 0..boxes.len();
    boxes.retain(|_| index.next().is_some_and(|index| kept.contains(&index)));
}

#[cfg(test)]
mod tests {
    use emotion_models::face_net::grid_cells;

    use super::*;

    fn region(x: f32) -> Region {
        Region::new(x, 0.0, 10.0, 10.0)
    }

    #[test]
    fn the_most_confident_of_overlapping_boxes_stays_and_chains_do_not_grow() {
        // The third overlaps the second, which is suppressed itself.
        let mut boxes = [0.0, 3.0, 6.0].map(region).to_vec();
        let expected = [boxes[0], boxes[2]];
        suppress_overlapping(&mut boxes, 0.4, |region| region);
        assert_eq!(boxes, expected);
    }

    #[test]
    fn boxes_below_the_least_logit_and_without_a_place_are_left_out() {
        let mut output = vec![-9.0; grid_cells(32, 32).count() * VALUES];
        output[..5].copy_from_slice(&[1.0, 0.5, 0.0, 1.0, 1.0]);
        output[5..10].copy_from_slice(&[2.0, f32::INFINITY, 0.0, 1.0, 1.0]);
        output[10..15].copy_from_slice(&[0.9, 0.5, 0.0, 1.0, 1.0]);
        let logits = decode(grid_cells(32, 32), &output, 1.0).map(|(_, logit)| logit);
        assert_eq!(logits.collect::<Vec<_>>(), [1.0]);
    }

    #[test]
    fn a_box_on_a_part_of_a_larger_face_goes_and_a_face_beside_or_far_smaller_stays() {
        let square = |x: f32, side: f32| Region::new(x, 10.0, side, side);
        let face = square(0.0, 100.0);
        let (part, beside, small) = (square(20.0, 50.0), square(70.0, 60.0), square(40.0, 20.0));
        let mut boxes = vec![part, face, beside, small];
        suppress_parts(&mut boxes, |region| region);
        assert_eq!(boxes, [face, beside, small]);
    }
}
