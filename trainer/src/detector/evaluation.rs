//! Metrics of a detector on annotated images, for all faces and by size.

use std::ops::Range;

use emotion_models::preprocess::Region;

use super::matching::{
    GroundTruth, MatchedBox, PrecisionRecallCurve, PrecisionRecallPoint, ScoredBox, match_boxes,
};

/// Least intersection over union of a box with its face, in the strict count.
pub const STRICT: f32 = 0.5;
/// The same in the lenient count, because data sets differ in how tightly boxes are drawn.
pub const LENIENT: f32 = 0.4;

/// Limits of the size bands: longer sides of faces in pixels of the image.
const SIZES: [f32; 6] = [0.0, 16.0, 32.0, 64.0, 128.0, f32::INFINITY];

/// An image, its annotated faces and the boxes of the detector.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedImage {
    /// Its faces.
    pub faces: Vec<Region>,
    /// Regions that may hold a face or not.
    pub ignored: Vec<Region>,
    /// The boxes, also those with low scores.
    pub found: Vec<ScoredBox>,
}

/// The metrics of faces of a range of sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct SizeMetrics {
    /// Range of the longer sides in pixels.
    pub sizes: Range<f32>,
    /// Precision and recall at an overlap of [`STRICT`].
    pub strict: PrecisionRecallCurve,
    /// Precision and recall at an overlap of [`LENIENT`].
    pub lenient: PrecisionRecallCurve,
}

impl SizeMetrics {
    /// The metrics of faces of these sizes in all images. Boxes that match other faces, and false positives of other sizes,
    /// do not count.
    fn new(images: &[EvaluatedImage], sizes: Range<f32>) -> Self {
        let curve = |least_iou: f32| {
            let faces = images.iter().flat_map(|image| &image.faces);
            let count = faces
                .filter(|face| sizes.contains(&longer_side(face)))
                .count();
            let matched = images
                .iter()
                .flat_map(|image| within(image, &sizes, least_iou));
            PrecisionRecallCurve::new(matched, count)
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

    /// Recall and precision of boxes with at least this score, at an overlap of [`LENIENT`].
    pub fn at(&self, score: f32) -> PrecisionRecallPoint {
        self.lenient.at(score)
    }
}

/// The boxes of one image that count for faces of these sizes.
fn within<'a>(
    image: &'a EvaluatedImage,
    sizes: &'a Range<f32>,
    least_iou: f32,
) -> impl Iterator<Item = MatchedBox> + 'a {
    let truth = GroundTruth {
        faces: &image.faces,
        ignored: &image.ignored,
    };
    let counts = move |matched: &MatchedBox| {
        let region = match matched.face {
            Some(face) => &image.faces[face],
            None => &matched.found.region,
        };
        sizes.contains(&longer_side(region))
    };
    match_boxes(&image.found, truth, least_iou)
        .into_iter()
        .filter(counts)
}

fn longer_side(region: &Region) -> f32 {
    region.width.max(region.height)
}

/// The metrics of a detector.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionMetrics {
    /// Number of images.
    pub images: usize,
    /// Metrics of all faces.
    pub all: SizeMetrics,
    /// Metrics by size, the smallest first.
    pub by_size: Vec<SizeMetrics>,
}

impl DetectionMetrics {
    /// The metrics on these images.
    pub fn new(images: &[EvaluatedImage]) -> Self {
        let bands = SIZES.windows(2).map(|ends| ends[0]..ends[1]);
        Self {
            images: images.len(),
            all: SizeMetrics::new(images, 0.0..f32::INFINITY),
            by_size: bands.map(|sizes| SizeMetrics::new(images, sizes)).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
