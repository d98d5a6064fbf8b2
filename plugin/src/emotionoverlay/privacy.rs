//! Which parts of a frame have to be hidden so that nobody is recognised: every face, whatever its confidence, with a
//! margin, and the places where faces were found shortly before and are not any more. A detector misses a face on single
//! frames, and frames that come late pass without one having looked at them.

use emotion_models::preprocess::Region;
use gst::ClockTime;

use super::geometry::{self, Rect, Size};
use crate::face::Face;

/// How far beyond a face is hidden, as a share of its width and height on each side: detectors leave out hair, ears and chin.
const MARGIN: f32 = 0.25;
/// A face that overlaps a former one by so much is the same.
const SAME: f32 = 0.3;
/// Places that are held at most.
const MAX_HELD: usize = 4096;

/// A face that was found, in shares of the frame's width and height, so that it stays right when the size changes.
#[derive(Debug)]
struct Held {
    object_id: Option<i32>,
    region: Region,
    seen: ClockTime,
}

/// The places that are hidden.
#[derive(Debug, Default)]
pub(super) struct Hiding(Vec<Held>);

impl Hiding {
    /// The places to be hidden on the frame at `now`; those of faces that are gone stay for the duration `hold`.
    pub(super) fn update(
        &mut self,
        faces: &[Face],
        frame: Size,
        now: ClockTime,
        hold: ClockTime,
    ) -> Vec<Rect> {
        let found: Vec<Held> = faces
            .iter()
            .filter_map(|face| {
                let area = geometry::visible(face.x, face.y, face.width, face.height, frame)?;
                Some(Held {
                    object_id: face.object_id,
                    region: shares(area, frame),
                    seen: now,
                })
            })
            .collect();
        self.0.retain(|held| {
            now.saturating_sub(held.seen) <= hold && !found.iter().any(|face| face.replaces(held))
        });
        self.0.extend(found);
        let surplus = self.0.len().saturating_sub(MAX_HELD);
        self.0.drain(..surplus);
        self.0
            .iter()
            .filter_map(|held| hidden(&held.region, frame))
            .collect()
    }
}

impl Held {
    fn replaces(&self, former: &Self) -> bool {
        let same_track = self.object_id.is_some() && self.object_id == former.object_id;
        same_track || self.region.iou(&former.region) >= SAME
    }
}

fn shares(area: Rect, frame: Size) -> Region {
    let (width, height) = (frame.width as f32, frame.height as f32);
    Region {
        x: area.x as f32 / width,
        y: area.y as f32 / height,
        width: area.width as f32 / width,
        height: area.height as f32 / height,
    }
}

/// The pixels of a region and its margin that lie in the frame.
fn hidden(region: &Region, frame: Size) -> Option<Rect> {
    let span = |start: f32, length: f32, limit: i32| {
        let from = ((start - MARGIN * length) * limit as f32).floor() as i32;
        let to = ((start + (1.0 + MARGIN) * length) * limit as f32).ceil() as i32;
        let (from, to) = (from.max(0), to.min(limit));
        (from < to).then_some((from, to - from))
    };
    let (x, width) = span(region.x, region.width, frame.width)?;
    let (y, height) = span(region.y, region.height, frame.height)?;
    Some(Rect::new(x, y, width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size {
        width: 400,
        height: 200,
    };
    const HOLD: ClockTime = ClockTime::SECOND;

    fn face(x: i32, y: i32, side: u32, object_id: Option<i32>) -> Face {
        Face {
            roi_id: 1,
            x,
            y,
            width: side,
            height: side,
            detection: None,
            object_id,
            emotion: None,
        }
    }

    fn at(ms: u64) -> ClockTime {
        ClockTime::from_mseconds(ms)
    }

    #[test]
    fn a_face_is_hidden_with_a_margin_within_the_frame() {
        let mut hiding = Hiding::default();
        let faces = [face(100, 80, 40, None), face(-20, -20, 40, None)];
        let hidden = hiding.update(&faces, FRAME, at(0), HOLD);
        assert_eq!(hidden, [Rect::new(90, 70, 60, 60), Rect::new(0, 0, 25, 25)]);
    }

    #[test]
    fn a_face_that_is_not_found_any_more_stays_hidden_for_a_while() {
        let mut hiding = Hiding::default();
        let faces = [face(100, 80, 40, None)];
        let place = hiding.update(&faces, FRAME, at(0), HOLD);
        assert_eq!(hiding.update(&[], FRAME, at(1000), HOLD), place);
        assert_eq!(hiding.update(&[], FRAME, at(1001), HOLD), []);
    }

    #[test]
    fn a_face_that_moves_is_hidden_at_its_new_place_only() {
        for id in [None, Some(3)] {
            let mut hiding = Hiding::default();
            hiding.update(&[face(100, 80, 40, id)], FRAME, at(0), HOLD);
            let hidden = hiding.update(&[face(110, 80, 40, id)], FRAME, at(40), HOLD);
            assert_eq!(hidden, [Rect::new(100, 70, 60, 60)], "{id:?}");
        }
    }

    #[test]
    fn a_lost_face_stays_hidden_while_another_is_found() {
        let mut hiding = Hiding::default();
        hiding.update(&[face(100, 80, 40, Some(1))], FRAME, at(0), HOLD);
        let other = [face(300, 80, 40, Some(2))];
        assert_eq!(hiding.update(&other, FRAME, at(40), HOLD).len(), 2);
    }

    #[test]
    fn a_held_place_moves_with_the_size_of_the_frame() {
        let mut hiding = Hiding::default();
        hiding.update(&[face(100, 80, 40, None)], FRAME, at(0), HOLD);
        let double = Size {
            width: 800,
            height: 400,
        };
        let hidden = hiding.update(&[], double, at(40), HOLD);
        assert_eq!(hidden, [Rect::new(180, 140, 120, 120)]);
    }
}
