//! From the output of the network to boxes, one for each face.

use std::ops::Range;

use emotion_models::face_net::{GridCell, LANDMARK_VALUES, VALUES};
use emotion_models::preprocess::{Landmarks, Region};

/// When a box is taken for a part of the face in a larger one.
struct PartRule {
    /// Its longer side, as a share of the larger box's.
    sizes: Range<f32>,
    /// Least share of it that lies in the larger box.
    inside: f32,
}

const PART: PartRule = PartRule {
    sizes: 0.3..0.9,
    inside: 0.85,
};
/// If the larger box is the surer one. A box on an eye or a chin often reaches beyond the face.
const PART_OF_SURER: PartRule = PartRule {
    sizes: 0.25..0.9,
    inside: 0.65,
};

/// What the network says about one grid cell, in pixels of its input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodedFace {
    /// The box.
    pub region: Region,
    /// The logit of a face.
    pub logit: f32,
    /// The landmarks, of a network that finds them.
    pub landmarks: Option<Landmarks>,
}

/// The faces with a logit of at least `min_logit` in the network's output, which has [`VALUES`] values for each of
/// `cells`, and then, of a network that finds landmarks, [`LANDMARK_VALUES`] for each.
pub fn decode<'a>(
    cells: impl IntoIterator<Item = GridCell, IntoIter: ExactSizeIterator + 'a>,
    output: &'a [f32],
    min_logit: f32,
) -> impl Iterator<Item = DecodedFace> + 'a {
    let cells = cells.into_iter();
    let (values, landmarks) = output.split_at(cells.len() * VALUES);
    let landmarks = landmarks.as_chunks::<LANDMARK_VALUES>().0;
    cells
        .zip(values.as_chunks::<VALUES>().0)
        .enumerate()
        .filter(move |(_, (_, values))| values[0] >= min_logit)
        .map(move |(index, (cell, values))| DecodedFace {
            region: cell.region(*values),
            logit: values[0],
            landmarks: landmarks.get(index).map(|values| cell.landmarks(*values)),
        })
        // Weights from elsewhere may yield anything.
        .filter(
            |DecodedFace {
                 region, landmarks, ..
             }| {
                [region.x, region.y, region.width, region.height]
                    .iter()
                    .all(|value| value.is_finite())
                    && landmarks.is_none_or(|landmarks| landmarks.is_finite())
            },
        )
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

/// From boxes sorted by falling confidence, removes those that are parts of a face in a larger box that stays ([`PART`],
/// [`PART_OF_SURER`]). Far smaller ones stay: they could be another face in front of it.
pub(crate) fn suppress_parts<T>(boxes: &mut Vec<T>, region: impl Fn(&T) -> &Region) {
    let side = |region: &Region| region.width.max(region.height);
    let is_part = |part: usize, whole: usize| {
        let rule = if whole < part { PART_OF_SURER } else { PART };
        let [part, whole] = [part, whole].map(|index| region(&boxes[index]));
        rule.sizes.contains(&(side(part) / side(whole))) && part.share_in(whole) >= rule.inside
    };
    let mut by_size: Vec<usize> = (0..boxes.len()).collect();
    by_size.sort_by(|&a, &b| side(region(&boxes[b])).total_cmp(&side(region(&boxes[a]))));
    let mut kept: Vec<usize> = Vec::with_capacity(boxes.len());
    for index in by_size {
        if !kept.iter().any(|&whole| is_part(index, whole)) {
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
        let cells: Vec<GridCell> = grid_cells(32, 32).collect();
        let logits = decode(cells, &output, 1.0).map(|face| face.logit);
        assert_eq!(logits.collect::<Vec<_>>(), [1.0]);
    }

    #[test]
    fn landmarks_follow_the_values_of_all_cells() {
        let cells: Vec<GridCell> = grid_cells(32, 32).collect();
        let mut output = vec![-9.0; cells.len() * (VALUES + LANDMARK_VALUES)];
        output[2 * VALUES..][..VALUES].copy_from_slice(&[1.0, 0.0, 0.0, 1.0, 1.0]);
        let at = cells.len() * VALUES + 2 * LANDMARK_VALUES;
        output[at..][..LANDMARK_VALUES].fill(0.5);
        let found: Vec<DecodedFace> = decode(cells, &output, 0.0).collect();
        // The third cell of the map with a stride of 8.
        let expected = Landmarks([[24.0, 8.0]; Landmarks::COUNT]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].landmarks, Some(expected));
        output[at] = f32::NAN;
        assert_eq!(
            decode(grid_cells(32, 32).collect::<Vec<_>>(), &output, 0.0).count(),
            0
        );
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

    #[test]
    fn a_box_that_reaches_beyond_a_face_is_part_of_it_where_the_face_is_surer() {
        let face = Region::new(0.0, 0.0, 100.0, 100.0);
        // Three quarters of it lie in the face.
        let chin = Region::new(30.0, 70.0, 40.0, 40.0);
        let mut boxes = vec![face, chin];
        suppress_parts(&mut boxes, |region| region);
        assert_eq!(boxes, [face]);
        let mut boxes = vec![chin, face];
        suppress_parts(&mut boxes, |region| region);
        assert_eq!(boxes, [chin, face]);
    }
}
