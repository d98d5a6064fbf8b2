//! Faces that other heads hide in part.

use emotion_models::preprocess::Region;

/// How far a head reaches beyond the box of its face, in sizes of the face on each side.
const HEAD: f32 = 0.3;
/// A face is occluded if a head covers a larger share of it.
const OCCLUDED: f32 = 0.1;
/// If less than this share of an occluded face's expected length is detected, the rest counts as hidden.
const CUT_OFF: f32 = 0.9;

/// Whether the head of the face `other` may hide a part of the face at `region`.
pub(super) fn is_occluded(region: &Region, other: &Region) -> bool {
    covered_share(region, other) > OCCLUDED
}

/// The share of `region` that the head of the face `other` covers.
pub(super) fn covered_share(region: &Region, other: &Region) -> f32 {
    let overlap = |a: f32, a_length: f32, b: f32, b_length: f32| {
        let (start, end) = (b - HEAD * b_length, b + (1.0 + HEAD) * b_length);
        ((a + a_length).min(end) - a.max(start)).max(0.0)
    };
    overlap(region.x, region.width, other.x, other.width)
        * overlap(region.y, region.height, other.y, other.height)
        / (region.width * region.height)
}

/// Extends the visible part of a face behind the face `occluder` to the size of `whole`. Without this, a face would seem to
/// stop and to shrink when somebody walks in front of it.
pub(super) fn completed(visible: &Region, whole: &Region, occluder: &Region) -> Region {
    let ((x, y), (other_x, other_y)) = (whole.centre(), occluder.centre());
    let [right, down] = [
        (other_x - x) as f32 / whole.width,
        (other_y - y) as f32 / whole.height,
    ];
    let extended = |start: f32, length: f32, whole: f32, towards_end: f32| {
        if length >= CUT_OFF * whole {
            return (start, length);
        }
        // Where the occluder is beside the face and not above or below it, both ends may be hidden.
        let before = (0.5 - towards_end).clamp(0.0, 1.0);
        (start - before * (whole - length), whole)
    };
    let (x, width) = extended(visible.x, visible.width, whole.width, right);
    let (y, height) = extended(visible.y, visible.height, whole.height, down);
    Region::new(x, y, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(x: f32, y: f32, width: f32, height: f32) -> Region {
        Region::new(x, y, width, height)
    }

    #[test]
    fn the_visible_part_of_a_face_is_extended_behind_the_face_in_front() {
        let expected = region(100.0, 50.0, 40.0, 50.0);
        let [left, right, above] = [
            region(80.0, 50.0, 40.0, 50.0),
            region(120.0, 55.0, 40.0, 50.0),
            region(102.0, 20.0, 40.0, 50.0),
        ];
        let visible = region(102.0, 52.0, 20.0, 48.0);
        assert_eq!(
            completed(&visible, &expected, &right),
            region(102.0, 52.0, 40.0, 48.0)
        );
        assert_eq!(
            completed(&visible, &expected, &left),
            region(82.0, 52.0, 40.0, 48.0)
        );
        let visible = region(101.0, 70.0, 40.0, 30.0);
        assert_eq!(
            completed(&visible, &expected, &above),
            region(101.0, 50.0, 40.0, 50.0)
        );
        // The occluder is to the right and a little below: most of the missing height is at the bottom.
        let below = region(120.0, 65.0, 40.0, 50.0);
        let visible = region(102.0, 52.0, 20.0, 40.0);
        assert_eq!(
            completed(&visible, &expected, &below),
            region(102.0, 50.0, 40.0, 50.0)
        );
        // Without one above or below, both ends of the height may be hidden.
        let visible = region(101.0, 51.0, 38.0, 30.0);
        assert_eq!(
            completed(&visible, &expected, &right),
            region(101.0, 43.0, 38.0, 50.0)
        );
        // Nearly all of it is visible.
        let visible = region(101.0, 51.0, 38.0, 46.0);
        assert_eq!(completed(&visible, &expected, &right), visible);
    }
}
