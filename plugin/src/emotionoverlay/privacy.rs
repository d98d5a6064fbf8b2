//! The areas of a frame to hide so that nobody is recognised.
//!
//! Every face is hidden with a margin, whatever its confidence. So is the place of a face that was found shortly before
//! and is missing now: a detector misses a face on single frames, and skips frames that are late.

use std::time::Duration;

use emotion_models::preprocess::Region;

use super::geometry::{self, Rect, Size};
use crate::face::Face;

/// The margin on each side of a face, as a share of its width and height: detectors leave out hair, ears and chin.
const MARGIN: f32 = 0.25;
/// The overlap (IoU) from which on two faces on consecutive frames are the same.
const MIN_IOU: f32 = 0.3;
/// The largest number of faces that are hidden one by one.
const MAX_HIDDEN: usize = 1024;

/// A face with its region in shares of the frame's width and height, which stays right when the size changes.
#[derive(Debug)]
struct HiddenFace {
    object_id: Option<i32>,
    region: Region,
    last_found: Duration,
}

/// The faces that are hidden.
#[derive(Debug, Default)]
pub(super) struct HiddenFaces {
    faces: Vec<HiddenFace>,
    /// When there were last too many faces to hide them one by one.
    crowded: Option<Duration>,
}

impl HiddenFaces {
    /// The areas to hide on the frame at `now`, in pixels of a picture of the size `stored`; `faces` are in pixels of the size
    /// `frame`. The place of a face that is missing stays hidden for the time `hold`. With more than 1024 faces everything is
    /// hidden.
    pub(super) fn update(
        &mut self,
        faces: &[Face],
        frame: Size,
        stored: Size,
        now: Duration,
        hold: Duration,
    ) -> Vec<Rect> {
        let faces = if faces.len() > MAX_HIDDEN {
            self.crowded = Some(now);
            &[]
        } else {
            faces
        };
        let found: Vec<HiddenFace> = faces
            .iter()
            .filter_map(|face| {
                let area = geometry::visible(face.x, face.y, face.width, face.height, frame)?;
                Some(HiddenFace {
                    object_id: face.object_id,
                    region: relative(area, frame),
                    last_found: now,
                })
            })
            .collect();
        self.faces.retain(|hidden| {
            now.saturating_sub(hidden.last_found) <= hold
                && !found.iter().any(|face| face.replaces(hidden))
        });
        self.faces.extend(found);
        if self.faces.len() > MAX_HIDDEN {
            self.crowded = Some(now);
            self.faces.clear();
        }
        let was_crowded = |crowded: Duration| now.saturating_sub(crowded) <= hold;
        if self.crowded.is_some_and(was_crowded) {
            return vec![Rect::at(0, 0, stored)];
        }
        self.faces
            .iter()
            .filter_map(|hidden| with_margin(&hidden.region, stored))
            .collect()
    }
}

impl HiddenFace {
    fn replaces(&self, former: &Self) -> bool {
        let same_track = self.object_id.is_some() && self.object_id == former.object_id;
        same_track || self.region.iou(&former.region) >= MIN_IOU
    }
}

fn relative(area: Rect, frame: Size) -> Region {
    let (width, height) = (frame.width as f32, frame.height as f32);
    Region {
        x: area.x as f32 / width,
        y: area.y as f32 / height,
        width: area.width as f32 / width,
        height: area.height as f32 / height,
    }
}

/// The pixels of a region and its margin that lie in the frame.
fn with_margin(region: &Region, frame: Size) -> Option<Rect> {
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
mod tests;
