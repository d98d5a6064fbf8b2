//! What is looked for.

use emotion_models::preprocess::{GreyRows, Part, Region};

use crate::DetectedFace;

/// What is looked for and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Width or height, whichever is larger, of the smallest face in pixels; 0 for what the detector finds surely: 16 pixels
    /// of what the network sees, or 30 of a cascade.
    pub min_size_px: u32,
    /// The same of the largest face, 0 for any.
    pub max_size_px: u32,
    /// The region that is looked at, in pixels, and in which the centres of the faces lie; none: the whole picture.
    pub region: Option<Region>,
    /// The number of faces that are kept, the largest; 0 for all.
    pub max_faces: usize,
    /// Of the network: the confidence of a face at least, 0 to 1.
    pub threshold: f32,
    /// Of the network: the longer side, in pixels, of what it sees of a picture at most; a larger one is reduced. 0
    /// chooses it by the size of the picture and of the smallest face.
    pub detection_size_px: u32,
    /// Of the network: into how many overlapping tiles the longer side of the picture is divided, each of which it sees
    /// besides the whole; below 2 there are none.
    pub tiles: u32,
    /// Of the network: the intersection over union from which two boxes are of one face.
    pub overlap: f32,
    /// Of a cascade: ratio of one searched face size to the next, above 1.
    pub scale_factor: f64,
    /// Of a cascade: a face is where more than this many neighbouring windows agree.
    pub min_neighbors: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_size_px: 0,
            max_size_px: 0,
            region: None,
            max_faces: 0,
            threshold: 0.5,
            detection_size_px: 0,
            tiles: 0,
            overlap: 0.4,
            scale_factor: 1.1,
            min_neighbors: 5,
        }
    }
}

impl Options {
    /// The part of `picture` that `region`, or the whole where there is none, covers in part or whole; none where that
    /// lies outside.
    pub(crate) fn part(region: Option<Region>, picture: &impl GreyRows) -> Option<Part> {
        let Some(region) = region else {
            return Some(Part::whole(picture));
        };
        // Numbers too large, and those that are none, end at the border.
        let span = |start: f32, length: f32, pixels: usize| {
            let first = start.floor().max(0.0) as usize;
            let end = ((start + length).ceil().max(0.0) as usize).min(pixels);
            (first < end).then(|| (first, end - first))
        };
        let (x, width) = span(region.x, region.width, picture.width())?;
        let (y, height) = span(region.y, region.height, picture.height())?;
        Some(Part {
            x,
            y,
            width,
            height,
        })
    }

    /// Whether a face of this size, at this place, is one that is looked for.
    pub(crate) fn wants(&self, face: &Region) -> bool {
        let side = face.width.max(face.height);
        let is_inside = self.region.is_none_or(|region| {
            let (x, y) = (face.x + face.width / 2.0, face.y + face.height / 2.0);
            (region.x..region.x + region.width).contains(&x)
                && (region.y..region.y + region.height).contains(&y)
        });
        side >= self.min_size_px as f32
            && (self.max_size_px == 0 || side <= self.max_size_px as f32)
            && is_inside
    }

    /// Leaves the largest faces, in the order in which they were.
    pub(crate) fn limit(&self, faces: &mut Vec<DetectedFace>) {
        if self.max_faces == 0 || faces.len() <= self.max_faces {
            return;
        }
        let area = |face: &DetectedFace| u64::from(face.width) * u64::from(face.height);
        let mut areas: Vec<u64> = faces.iter().map(area).collect();
        areas.sort_unstable_by(|a, b| b.cmp(a));
        let least = areas[self.max_faces - 1];
        // Of several that are as small as the last one, the first ones stay.
        let larger = areas.iter().filter(|&&area| area > least).count();
        let mut room = self.max_faces - larger;
        faces.retain(|face| match area(face).cmp(&least) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal if room > 0 => {
                room -= 1;
                true
            }
            _ => false,
        });
    }
}
