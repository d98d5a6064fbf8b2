//! How well a detector does on annotated pictures, in all and for faces of each size.

use std::ops::Range;

use emotion_models::preprocess::Region;

use super::matching::{
    GroundTruth, MatchedBox, PrecisionRecallCurve, PrecisionRecallPoint, ScoredBox, match_boxes,
};

/// Overlap from which a box is taken for the face, in the strict and in the lenient count.
pub const STRICT: f32 = 0.5;
/// Boxes are drawn by several conventions: with this overlap nobody would call it another face.
pub const LENIENT: f32 = 0.4;

/// Ends of the bands of face sizes: longer sides in pixels of the picture.
const SIZES: [f32; 6] = [0.0, 16.0, 32.0, 64.0, 128.0, f32::INFINITY];

/// A picture, what is true of it, and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedImage {
    /// Its faces.
    pub faces: Vec<Region>,
    /// Places where nobody can tell.
    pub ignored: Vec<Region>,
    /// What the detector found, also what it is not sure of.
    pub found: Vec<ScoredBox>,
}

/// The figures of faces of some sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct SizeMetrics {
    /// Longer sides of the faces, in pixels.
    pub sizes: Range<f32>,
    /// Precision and recall when overlaps of [`STRICT`] count.
    pub strict: PrecisionRecallCurve,
    /// The same for [`LENIENT`].
    pub lenient: PrecisionRecallCurve,
}

impl SizeMetrics {
    /// The figures of faces of these sizes in all pictures. Other faces are places where nobody can tell, and boxes of
    /// other sizes that are no face do not count.
    fn of(pictures: &[EvaluatedImage], sizes: Range<f32>) -> Self {
        let curve = |least_iou: f32| {
            let faces = pictures.iter().flat_map(|picture| &picture.faces);
            let count = faces
                .filter(|face| sizes.contains(&longer_side(face)))
                .count();
            let judged = pictures
                .iter()
                .flat_map(|picture| within(picture, &sizes, least_iou));
            PrecisionRecallCurve::new(judged, count)
        };
        Self {
            strict: curve(STRICT),
            lenient: curve(LENIENT),
            sizes,
        }
    }

    /// Number of faces.
    pub fn faces(&self) -> usize {
        self.strict.faces
    }

    /// Recall and precision of boxes that are at least this sure, at [`LENIENT`] overlap.
    pub fn at(&self, score: f32) -> PrecisionRecallPoint {
        self.lenient.at(score)
    }
}

/// What counts in one picture for faces of these sizes.
fn within<'a>(
    picture: &'a EvaluatedImage,
    sizes: &'a Range<f32>,
    least_iou: f32,
) -> impl Iterator<Item = MatchedBox> + 'a {
    let truth = GroundTruth {
        faces: &picture.faces,
        ignored: &picture.ignored,
    };
    let counts = move |judged: &MatchedBox| {
        let region = match judged.face {
            Some(face) => &picture.faces[face],
            None => &judged.found.region,
        };
        sizes.contains(&longer_side(region))
    };
    match_boxes(&picture.found, truth, least_iou)
        .into_iter()
        .filter(counts)
}

fn longer_side(region: &Region) -> f32 {
    region.width.max(region.height)
}

/// The figures of a detector.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionMetrics {
    /// Number of pictures.
    pub pictures: usize,
    /// Of all faces.
    pub all: SizeMetrics,
    /// By size, the smallest first.
    pub by_size: Vec<SizeMetrics>,
}

impl DetectionMetrics {
    /// The figures of what was found in these pictures.
    pub fn new(pictures: &[EvaluatedImage]) -> Self {
        let bands = SIZES.windows(2).map(|ends| ends[0]..ends[1]);
        Self {
            pictures: pictures.len(),
            all: SizeMetrics::of(pictures, 0.0..f32::INFINITY),
            by_size: bands
                .map(|sizes| SizeMetrics::of(pictures, sizes))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
