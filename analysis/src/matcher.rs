//! Recognises the faces of a frame among those of the frames before.

use std::ops::{Index, IndexMut};
use std::time::Duration;

use emotion_models::preprocess::{Landmarks, Region};

/// Rectangles with a smaller intersection over union do not show the same face.
const MIN_IOU: f32 = 0.3;

/// A face that was not seen for longer is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(2);

/// The largest number of faces kept from earlier frames.
const MAX_FACES: usize = 1024;

/// Where a face is on a frame, and the id that a tracker has given it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FacePosition {
    /// The id of the face's track, the same on each frame; `None` if faces are not tracked.
    pub object_id: Option<i32>,
    /// The rectangle in pixels; it may reach outside the picture.
    pub region: Region,
    /// Its landmarks in pixels, if the detector finds them.
    pub landmarks: Option<Landmarks>,
}

impl FacePosition {
    /// How likely both are the same face, 0 to 1. Ids decide where there are any, else the intersection over union.
    fn similarity(&self, other: &Self) -> f32 {
        match (self.object_id, other.object_id) {
            (None, None) => self.region.iou(&other.region),
            (a, b) => f32::from(u8::from(a == b)),
        }
    }
}

/// A face in a stream, with the history `H` that the caller keeps for it.
#[derive(Debug)]
pub struct MatchedFace<H> {
    position: FacePosition,
    number: i32,
    last_seen: Duration,
    is_new: bool,
    /// What the caller remembers about the face; the default on its first frame.
    pub history: H,
}

impl<H> MatchedFace<H> {
    /// The id of the face in the stream: the tracker's id, or the number of the face, counted from 1, if it has none.
    pub fn id(&self) -> i32 {
        self.position.object_id.unwrap_or(self.number)
    }

    /// Whether the latest frame is the first one with this face.
    pub fn is_new(&self) -> bool {
        self.is_new
    }
}

/// Finds the history of each face of a frame.
///
/// A face with an `object_id` continues the history of that id. A face without one continues the history without an id
/// whose last rectangle overlaps it most, if their intersection over union is at least 0.3. Each history serves one
/// face of a frame. A face that has not been seen for two seconds is forgotten. At most 1024 histories are carried over
/// to the next frame, so memory stays bounded.
///
/// ```
/// use std::time::Duration;
///
/// use emotion_analysis::{FaceMatcher, FacePosition};
/// use emotion_models::preprocess::Region;
///
/// let at = |x| FacePosition {
///     object_id: None,
///     region: Region::new(x, 0.0, 50.0, 50.0),
///     landmarks: None,
/// };
/// // The history of a face counts its frames.
/// let mut faces = FaceMatcher::<u32>::default();
/// for frame in 0..3 {
///     for index in faces.match_faces(Duration::from_millis(40 * frame), &[at(10.0), at(200.0)]) {
///         faces[index].history += 1;
///     }
/// }
/// // A single face, which has moved a little.
/// let index = faces.match_faces(Duration::from_millis(120), &[at(205.0)])[0];
/// assert_eq!(faces[index].history, 3);
/// assert!(!faces[index].is_new());
/// ```
#[derive(Debug)]
pub struct FaceMatcher<H> {
    /// In the order in which they appeared.
    faces: Vec<MatchedFace<H>>,
    /// How many faces there have been.
    count: i32,
}

impl<H> Default for FaceMatcher<H> {
    fn default() -> Self {
        Self {
            faces: Vec::new(),
            count: 0,
        }
    }
}

impl<H> FaceMatcher<H> {
    /// Forgets all faces. Numbers of new faces go on where they were.
    pub fn clear(&mut self) {
        self.faces.clear();
    }

    /// Whether a face was seen later than `time`, so that the stream has jumped back.
    pub fn is_ahead_of(&self, time: Duration) -> bool {
        self.faces.iter().any(|face| face.last_seen > time)
    }

    /// The ids of all faces that are not forgotten; see [`MatchedFace::id`].
    pub fn ids(&self) -> impl Iterator<Item = i32> {
        self.faces.iter().map(MatchedFace::id)
    }

    /// The histories of all faces that are not forgotten.
    pub fn histories_mut(&mut self) -> impl Iterator<Item = &mut H> {
        self.faces.iter_mut().map(|face| &mut face.history)
    }
}

impl<H: Default> FaceMatcher<H> {
    /// For each of `positions` on the frame at `time`, the index of its face in `self`, valid until the next call.
    ///
    /// Call it once per frame. Where times go back, faces are still recognised; to begin anew instead, ask
    /// [`is_ahead_of`](Self::is_ahead_of) and [`clear`](Self::clear).
    pub fn match_faces(&mut self, time: Duration, positions: &[FacePosition]) -> Vec<usize> {
        self.faces
            .retain(|face| time.saturating_sub(face.last_seen) <= FORGET_AFTER);
        let surplus = self.faces.len().saturating_sub(MAX_FACES);
        self.faces.drain(..surplus);

        let known = self.faces.len();
        let mut is_taken = vec![false; known];
        let mut match_face = |position: &FacePosition| {
            let best = (0..known)
                .filter(|&i| !is_taken[i])
                .map(|i| (i, position.similarity(&self.faces[i].position)))
                .filter(|(_, similarity)| *similarity >= MIN_IOU)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((index, _)) = best else {
                self.add(*position, time);
                return self.faces.len() - 1;
            };
            is_taken[index] = true;
            let face = &mut self.faces[index];
            (face.position, face.last_seen, face.is_new) = (*position, time, false);
            index
        };
        positions.iter().map(&mut match_face).collect()
    }

    fn add(&mut self, position: FacePosition, time: Duration) {
        self.count = self.count.wrapping_add(1);
        self.faces.push(MatchedFace {
            position,
            number: self.count,
            last_seen: time,
            is_new: true,
            history: H::default(),
        });
    }
}

impl<H> Index<usize> for FaceMatcher<H> {
    type Output = MatchedFace<H>;

    fn index(&self, index: usize) -> &MatchedFace<H> {
        &self.faces[index]
    }
}

impl<H> IndexMut<usize> for FaceMatcher<H> {
    fn index_mut(&mut self, index: usize) -> &mut MatchedFace<H> {
        &mut self.faces[index]
    }
}

#[cfg(test)]
mod tests;
