//! Which frames are recorded.

use super::settings::IncludedFrames;
use crate::face::Face;

/// Decides which frames are recorded, by the last recorded one.
#[derive(Debug, Default)]
pub struct RecordSelection {
    time: Option<gst::ClockTime>,
    faces: Option<Vec<FaceKey>>,
}

/// What makes two records differ: a face and its emotion, but not its place and its confidence.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FaceKey {
    id: Option<i32>,
    emotion: Option<String>,
}

impl RecordSelection {
    /// Whether to record the frame with `faces` at the running time `time`, at most one in each `interval`. If so, it
    /// becomes the last recorded frame. A frame without a time is always far enough from the last one.
    pub fn takes(
        &mut self,
        include: IncludedFrames,
        interval: gst::ClockTime,
        time: Option<gst::ClockTime>,
        faces: &[Face],
    ) -> bool {
        if let (Some(last), Some(now)) = (self.time, time)
            // The time goes back only where a new stream begins.
            && now >= last
            && now - last < interval
        {
            return false;
        }
        let faces = (include == IncludedFrames::Changes).then(|| keys(faces));
        if faces.is_some() && faces == self.faces {
            return false;
        }
        (self.time, self.faces) = (time, faces);
        true
    }
}

/// Sorted, for the order of detection does not matter.
fn keys(faces: &[Face]) -> Vec<FaceKey> {
    let mut all: Vec<_> = faces
        .iter()
        .map(|face| FaceKey {
            id: face.object_id,
            emotion: face.emotion.as_ref().map(|emotion| emotion.label.clone()),
        })
        .collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests;
