//! Which history belongs to which face of a frame. Knows no GStreamer.

use std::time::Duration;

use emotion_models::preprocess::Region;

use super::smoothing::{Method, Smoother, Steady};

/// Faces that overlap less from one frame to the next are not the same.
const MIN_IOU: f32 = 0.3;

/// A face that was not seen for so long is forgotten.
const FORGET: Duration = Duration::from_secs(2);

/// Histories that are kept at most.
const MAX_TRACKS: usize = 1024;

/// A face to be matched: its track, if it has one, and its rectangle.
pub(super) type Place = (Option<i32>, Region);

#[derive(Debug)]
struct Track {
    object_id: Option<i32>,
    region: Region,
    seen: Duration,
    smoother: Smoother,
}

/// The histories of the faces in a stream.
#[derive(Debug, Default)]
pub(super) struct Tracks(Vec<Track>);

impl Tracks {
    /// What is to be shown for each face of the frame at `time`: a face with an id continues the history of that id, one
    /// without continues the history that it overlaps most, each history once.
    pub(super) fn smooth(
        &mut self,
        time: Duration,
        faces: &[(Place, Vec<f64>)],
        method: Method,
        window: Duration,
    ) -> Vec<Steady> {
        if self.0.iter().any(|track| track.seen > time) {
            self.0.clear();
        }
        self.0.retain(|track| time - track.seen <= FORGET);
        let mut taken = vec![false; self.0.len()];
        let mut steady = Vec::with_capacity(faces.len());
        for ((object_id, region), probabilities) in faces {
            let overlap = |track: &Track| match object_id {
                Some(_) => f32::from(u8::from(track.object_id == *object_id)),
                None if track.object_id.is_none() => track.region.iou(region),
                None => 0.0,
            };
            let found = (0..self.0.len())
                .filter(|&i| !taken[i])
                .map(|i| (i, overlap(&self.0[i])))
                .filter(|(_, overlap)| *overlap >= MIN_IOU)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let index = found.map_or_else(
                || {
                    self.0.push(Track {
                        object_id: *object_id,
                        region: *region,
                        seen: time,
                        smoother: Smoother::default(),
                    });
                    taken.push(false);
                    self.0.len() - 1
                },
                |(index, _)| index,
            );
            taken[index] = true;
            let track = &mut self.0[index];
            (track.region, track.seen) = (*region, time);
            steady.push(track.smoother.add(time, probabilities, method, window));
        }
        let surplus = self.0.len().saturating_sub(MAX_TRACKS);
        self.0.drain(..surplus);
        steady
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(1);

    fn at(x: f32) -> Region {
        Region {
            x,
            y: 0.0,
            width: 10.0,
            height: 10.0,
        }
    }

    fn labels(tracks: &mut Tracks, ms: u64, faces: &[(Place, Vec<f64>)]) -> Vec<usize> {
        let time = Duration::from_millis(ms);
        let steady = tracks.smooth(time, faces, Method::Adaptive, WINDOW);
        steady.iter().map(|steady| steady.label_id).collect()
    }

    fn sad(place: Place) -> (Place, Vec<f64>) {
        (place, vec![0.9, 0.1])
    }

    fn happy(place: Place) -> (Place, Vec<f64>) {
        (place, vec![0.1, 0.9])
    }

    #[test]
    fn faces_that_change_their_order_keep_their_histories() {
        for ids in [[None, None], [Some(4), Some(2)]] {
            let mut tracks = Tracks::default();
            let (left, right) = ((ids[0], at(0.0)), (ids[1], at(50.0)));
            labels(&mut tracks, 0, &[sad(left), happy(right)]);
            // One frame against the history does not change a label.
            let swapped = labels(&mut tracks, 40, &[sad(right), happy(left)]);
            assert_eq!(swapped, [1, 0], "{ids:?}");
        }
    }

    #[test]
    fn another_id_at_the_same_place_is_another_face() {
        let mut tracks = Tracks::default();
        labels(&mut tracks, 0, &[sad((Some(1), at(0.0)))]);
        assert_eq!(labels(&mut tracks, 40, &[happy((Some(2), at(0.0)))]), [1]);
    }

    #[test]
    fn faces_that_are_gone_are_forgotten() {
        let mut tracks = Tracks::default();
        for id in 0..10_000 {
            labels(&mut tracks, 100 * id, &[sad((Some(id as i32), at(0.0)))]);
        }
        assert!(tracks.0.len() <= 21, "{}", tracks.0.len());
    }
}
