//! Which history belongs to which face of a frame. Knows no GStreamer.

use std::time::Duration;

use emotion_models::preprocess::Region;

use crate::baseline::Baseline;
use crate::interval::{Interval, has_changed};
use crate::smoothing::Smoother;
use crate::emotion::EmotionResult;

/// Faces that overlap less from one frame to the next are not the same.
const MIN_IOU: f32 = 0.3;

/// A face that was not seen for so long is forgotten.
const FORGET: Duration = Duration::from_secs(2);

/// Histories that are kept at most, besides those of the frame's own faces.
const MAX_TRACKS: usize = 1024;

/// A face to be matched: its track, if it has one, and its rectangle.
pub type Place = (Option<i32>, Region);

/// The history of one face.
#[derive(Debug)]
pub struct Track {
    object_id: Option<i32>,
    /// Counts the faces of the stream.
    number: i32,
    region: Region,
    seen: Duration,
    pub smoother: Smoother,
    pub baseline: Baseline,
    /// What was last said of the face.
    pub last: Option<Look>,
}

/// A face when it was last classified.
#[derive(Debug)]
pub struct Look {
    pub time: Duration,
    /// Frames since then.
    pub frames: u32,
    pub crop: Vec<f32>,
    pub emotion: EmotionResult,
}

impl Track {
    /// The id that tells the face from others: its detector's, else the track's own number.
    pub fn id(&self) -> i32 {
        self.object_id.unwrap_or(self.number)
    }

    /// Whether the face, which looks like `crop` at `time`, is to be classified anew.
    pub fn is_due(&self, interval: Interval, time: Duration, crop: &[f32]) -> bool {
        self.last.as_ref().is_none_or(|look| {
            interval.is_over(look.frames + 1, time.saturating_sub(look.time))
                || has_changed(&look.crop, crop)
        })
    }

    /// The name that is shown for the face so far.
    pub fn shown(&self) -> Option<&str> {
        self.last.as_ref().map(|look| look.emotion.label.as_str())
    }
}

/// The histories of the faces in a stream.
#[derive(Debug, Default)]
pub struct Tracks {
    tracks: Vec<Track>,
    /// How many faces there were.
    count: i32,
}

impl Tracks {
    /// For each face of the frame at `time`, the index of its track until the next call: a face with an id continues the
    /// history of that id, one without continues the history that it overlaps most, each history once.
    pub fn assign(&mut self, time: Duration, faces: &[Place]) -> Vec<usize> {
        if self.tracks.iter().any(|track| track.seen > time) {
            self.tracks.clear();
        }
        self.tracks.retain(|track| time - track.seen <= FORGET);
        let surplus = self.tracks.len().saturating_sub(MAX_TRACKS);
        self.tracks.drain(..surplus);

        let mut taken = vec![false; self.tracks.len()];
        let mut assigned = Vec::with_capacity(faces.len());
        for (object_id, region) in faces {
            let overlap = |track: &Track| match object_id {
                Some(_) => f32::from(u8::from(track.object_id == *object_id)),
                None if track.object_id.is_none() => track.region.iou(region),
                None => 0.0,
            };
            let found = (0..taken.len())
                .filter(|&i| !taken[i])
                .map(|i| (i, overlap(&self.tracks[i])))
                .filter(|(_, overlap)| *overlap >= MIN_IOU)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let index = found.map_or_else(
                || {
                    self.begin(*object_id, *region, time);
                    taken.push(false);
                    taken.len() - 1
                },
                |(index, _)| index,
            );
            taken[index] = true;
            let track = &mut self.tracks[index];
            (track.region, track.seen) = (*region, time);
            assigned.push(index);
        }
        assigned
    }

    fn begin(&mut self, object_id: Option<i32>, region: Region, seen: Duration) {
        self.count = self.count.wrapping_add(1);
        self.tracks.push(Track {
            object_id,
            number: self.count,
            region,
            seen,
            smoother: Smoother::default(),
            baseline: Baseline::default(),
            last: None,
        });
    }

    /// The track with an index that [`assign`](Self::assign) has given.
    pub fn track(&mut self, index: usize) -> &mut Track {
        &mut self.tracks[index]
    }

    /// Another network says something else of the same face: what is relative to the old one's answers begins anew, and
    /// each face is classified on the next frame. With the `same_labels`, smoothing goes on.
    pub fn change_model(&mut self, same_labels: bool) {
        for track in &mut self.tracks {
            track.baseline = Baseline::default();
            if !same_labels {
                track.smoother = Smoother::default();
            }
            if let Some(look) = &mut track.last {
                look.crop.clear();
            }
        }
    }

    /// Labels have other names or groups from now on.
    pub fn change_labels(&mut self) {
        self.change_model(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> Region {
        Region {
            x,
            y: 0.0,
            width: 10.0,
            height: 10.0,
        }
    }

    fn ids(tracks: &mut Tracks, ms: u64, faces: &[Place]) -> Vec<i32> {
        let assigned = tracks.assign(Duration::from_millis(ms), faces);
        let ids = assigned.into_iter().map(|index| tracks.track(index).number);
        ids.collect()
    }

    #[test]
    fn faces_that_change_their_order_keep_their_histories() {
        for object_ids in [[None, None], [Some(4), Some(2)]] {
            let mut tracks = Tracks::default();
            let (left, right) = ((object_ids[0], at(0.0)), (object_ids[1], at(50.0)));
            assert_eq!(ids(&mut tracks, 0, &[left, right]), [1, 2]);
            assert_eq!(ids(&mut tracks, 40, &[right, left]), [2, 1]);
        }
    }

    #[test]
    fn another_id_at_the_same_place_is_another_face() {
        let mut tracks = Tracks::default();
        assert_eq!(ids(&mut tracks, 0, &[(Some(1), at(0.0))]), [1]);
        assert_eq!(ids(&mut tracks, 40, &[(Some(2), at(0.0))]), [2]);
    }

    #[test]
    fn two_faces_at_one_place_are_two() {
        let mut tracks = Tracks::default();
        let both = [(None, at(0.0)), (None, at(1.0))];
        assert_eq!(ids(&mut tracks, 0, &both), [1, 2]);
        assert_eq!(ids(&mut tracks, 40, &both), [1, 2]);
    }

    #[test]
    fn a_time_that_goes_back_begins_anew() {
        let mut tracks = Tracks::default();
        ids(&mut tracks, 1000, &[(None, at(0.0))]);
        assert_eq!(ids(&mut tracks, 0, &[(None, at(0.0))]), [2]);
    }

    #[test]
    fn faces_that_are_gone_are_forgotten() {
        let mut tracks = Tracks::default();
        for id in 0..10_000 {
            ids(&mut tracks, 100 * id, &[(Some(id as i32), at(0.0))]);
        }
        assert!(tracks.tracks.len() <= 21, "{}", tracks.tracks.len());
    }

    #[test]
    fn more_faces_than_are_kept_are_still_told_apart_in_their_frame() {
        let mut tracks = Tracks::default();
        for frame in 0..3 {
            let faces: Vec<Place> = (0..2000)
                .map(|i| (Some(frame * 2000 + i), at(0.0)))
                .collect();
            let mut ids = ids(&mut tracks, 40 * frame as u64, &faces);
            ids.dedup();
            assert_eq!(ids.len(), 2000);
            assert!(tracks.tracks.len() <= MAX_TRACKS + 2000);
        }
    }

    #[test]
    fn a_face_is_due_after_its_interval_or_when_it_looks_different() {
        let mut tracks = Tracks::default();
        let index = tracks.assign(Duration::ZERO, &[(None, at(0.0))])[0];
        let track = tracks.track(index);
        let interval = Interval::Time(Duration::from_secs(1));
        let crop: Vec<f32> = (0..100).map(|i| (i % 2) as f32).collect();
        let other: Vec<f32> = crop.iter().map(|v| 1.0 - v).collect();
        let half = Duration::from_millis(500);
        assert!(track.is_due(interval, half, &crop), "never classified");
        track.last = Some(Look {
            time: Duration::ZERO,
            frames: 0,
            crop: crop.clone(),
            emotion: EmotionResult::default(),
        });
        assert!(!track.is_due(interval, half, &crop));
        assert!(track.is_due(interval, half, &other));
        assert!(track.is_due(interval, 2 * half, &crop));
    }
}
