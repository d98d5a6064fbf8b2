//! Which frames are recorded.

use super::settings::IncludedFrames;
use crate::face::Face;
use crate::zones::FrameZones;

/// Decides which frames are recorded, by the last recorded one.
#[derive(Debug, Default)]
pub struct RecordSelection {
    time: Option<gst::ClockTime>,
    content: Option<(Vec<FaceKey>, Vec<ZoneKey>)>,
}

/// What makes two records differ: a face and its emotion, but not its place and its confidence.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FaceKey {
    id: Option<i32>,
    emotion: Option<String>,
}

/// What makes the zones and lines of two records differ: the counts and whether a limit is exceeded.
type ZoneKey = (u64, u64, bool);

impl RecordSelection {
    /// Whether to record the frame with `faces` and `zones` at the running time `time`, at most one in each `interval`. If so, it
    /// becomes the last recorded frame. A frame without a time is always far enough from the last one.
    pub fn takes(
        &mut self,
        include: IncludedFrames,
        interval: gst::ClockTime,
        time: Option<gst::ClockTime>,
        faces: &[Face],
        zones: Option<&FrameZones>,
    ) -> bool {
        if let (Some(last), Some(now)) = (self.time, time)
            // The time goes back only where a new stream begins.
            && now >= last
            && now - last < interval
        {
            return false;
        }
        let content = (include == IncludedFrames::Changes).then(|| (keys(faces), zone_keys(zones)));
        if content.is_some() && content == self.content {
            return false;
        }
        (self.time, self.content) = (time, content);
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

fn zone_keys(zones: Option<&FrameZones>) -> Vec<ZoneKey> {
    let of_zones = |zones: &FrameZones| -> Vec<ZoneKey> {
        let lines = zones.lines.iter();
        let lines = lines.map(|line| (line.crossed_in, line.crossed_out, false));
        let zones = zones.zones.iter();
        let zones = zones.map(|zone| (zone.entered, zone.left, zone.is_exceeded));
        zones.chain(lines).collect()
    };
    zones.map(of_zones).unwrap_or_default()
}

#[cfg(test)]
mod tests;
