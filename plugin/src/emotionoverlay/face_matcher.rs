//! Recognises the faces of a frame among those of the frames before.

use std::ops::{Index, IndexMut};
use std::time::Duration;

use emotion_models::preprocess::Region;

/// A face that was not seen for longer is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(2);
/// Rectangles with a smaller intersection over union do not show the same face.
const MIN_IOU: f32 = 0.3;
/// The largest number of faces kept from earlier frames.
const MAX_FACES: usize = 1024;

/// Where a face is, and its track if it has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct FacePosition {
    pub(super) object_id: Option<i32>,
    pub(super) region: Region,
}

/// A face with its history.
#[derive(Debug)]
pub(super) struct MatchedFace<H> {
    position: FacePosition,
    last_seen: Duration,
    is_new: bool,
    pub(super) history: H,
}

/// The faces of a stream.
#[derive(Debug, Default)]
pub(super) struct FaceMatcher<H>(Vec<MatchedFace<H>>);

impl<H> MatchedFace<H> {
    /// Whether the latest frame is the first one with this face.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }
}

impl<H: Default> FaceMatcher<H> {
    /// For each of `positions` on the frame at `now`, the index of its face: one with an id is the face with that id, one
    /// without the face that it overlaps most, each face once.
    pub(super) fn match_faces(&mut self, now: Duration, positions: &[FacePosition]) -> Vec<usize> {
        let surplus = self.0.len().saturating_sub(MAX_FACES);
        self.0.drain(..surplus);
        self.0
            .retain(|face| now.saturating_sub(face.last_seen) <= FORGET_AFTER);
        let mut taken = vec![false; self.0.len()];
        let mut found = Vec::with_capacity(positions.len());
        for position in positions {
            let best = (0..self.0.len())
                .filter(|&i| !taken[i])
                .map(|i| (i, similarity(position, &self.0[i].position)))
                .filter(|(_, similarity)| *similarity >= MIN_IOU)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let index = best.map_or(self.0.len(), |(index, _)| index);
            if index == self.0.len() {
                self.0.push(MatchedFace {
                    position: *position,
                    last_seen: now,
                    is_new: true,
                    history: H::default(),
                });
                taken.push(true);
            } else {
                taken[index] = true;
                let face = &mut self.0[index];
                (face.position, face.last_seen, face.is_new) = (*position, now, false);
            }
            found.push(index);
        }
        found
    }
}

impl<H> Index<usize> for FaceMatcher<H> {
    type Output = MatchedFace<H>;

    fn index(&self, index: usize) -> &MatchedFace<H> {
        &self.0[index]
    }
}

impl<H> IndexMut<usize> for FaceMatcher<H> {
    fn index_mut(&mut self, index: usize) -> &mut MatchedFace<H> {
        &mut self.0[index]
    }
}

/// 1 for the same id; without ids, how much the rectangles overlap.
fn similarity(a: &FacePosition, b: &FacePosition) -> f32 {
    match (a.object_id, b.object_id) {
        (None, None) => a.region.iou(&b.region),
        (a, b) => f32::from(u8::from(a == b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(object_id: Option<i32>, x: f32) -> FacePosition {
        let region = Region {
            x,
            y: 0.0,
            width: 10.0,
            height: 10.0,
        };
        FacePosition { object_id, region }
    }

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn faces_are_recognised_whatever_their_order() {
        for ids in [[None, None], [Some(4), Some(2)]] {
            let mut faces = FaceMatcher::<()>::default();
            let (left, right) = (at(ids[0], 0.0), at(ids[1], 50.0));
            let first = faces.match_faces(MS(0), &[left, right]);
            assert!(faces[first[0]].is_new());
            let second = faces.match_faces(MS(40), &[right, left]);
            assert_eq!(second, [first[1], first[0]], "{ids:?}");
            assert!(!faces[first[0]].is_new());
        }
    }

    #[test]
    fn faces_that_are_gone_are_forgotten() {
        let mut faces = FaceMatcher::<()>::default();
        for id in 0..10_000 {
            faces.match_faces(MS(100 * id), &[at(Some(id as i32), 0.0)]);
        }
        assert!(faces.0.len() <= 22, "{}", faces.0.len());
    }

    #[test]
    fn two_hundred_faces_a_frame_are_remembered_within_bounds() {
        let mut faces = FaceMatcher::<()>::default();
        for frame in 0..40 {
            let positions: Vec<_> = (0..200).map(|i| at(Some(frame * 200 + i), 0.0)).collect();
            faces.match_faces(MS(frame as u64), &positions);
        }
        assert!(faces.0.len() <= MAX_FACES + 200);
    }
}
