//! Metrics of a detector on annotated images, for all faces and by size.

use std::collections::BTreeSet;
use std::ops::Range;

use emotion_models::preprocess::{Landmarks, Region};

use super::matching::{
    GroundTruth, MatchedBox, PrecisionRecallCurve, PrecisionRecallPoint, ScoredBox, match_boxes,
    mean,
};

/// Least intersection over union of a box with its face, in the strict count.
pub const STRICT: f32 = 0.5;
/// The same in the lenient count, because data sets differ in how tightly boxes are drawn.
pub const LENIENT: f32 = 0.4;

/// Longer sides of all faces.
const ALL_SIZES: Range<f32> = 0.0..f32::INFINITY;

/// Limits of the size bands: longer sides of faces in pixels of the image.
const SIZES: [f32; 6] = [0.0, 16.0, 32.0, 64.0, 128.0, f32::INFINITY];

/// Limits of the bands of tilt: rolls of faces to either side, in degrees.
const TILTS: [f32; 5] = [0.0, 15.0, 30.0, 60.0, f32::INFINITY];

/// An image, its annotated faces and the boxes of the detector.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedImage {
    /// The collection of the image.
    pub source: Option<String>,
    /// Its faces.
    pub faces: Vec<Region>,
    /// The landmarks of each face, where they are known; empty if they are known of none.
    pub landmarks: Vec<Option<Landmarks>>,
    /// Regions that may hold a face or not.
    pub ignored: Vec<Region>,
    /// The boxes, also those with low scores.
    pub found: Vec<ScoredBox>,
}

impl EvaluatedImage {
    fn truth(&self) -> GroundTruth<'_> {
        GroundTruth {
            faces: &self.faces,
            landmarks: &self.landmarks,
            ignored: &self.ignored,
        }
    }
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
    fn new<'a>(
        images: impl Iterator<Item = &'a EvaluatedImage> + Clone,
        sizes: Range<f32>,
    ) -> Self {
        let curve = |least_iou: f32| {
            let faces = images.clone().flat_map(|image| &image.faces);
            let count = faces
                .filter(|face| sizes.contains(&longer_side(face)))
                .count();
            let matched = images
                .clone()
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
    let counts = move |matched: &MatchedBox| {
        let region = match matched.face {
            Some(face) => &image.faces[face],
            None => &matched.found.region,
        };
        sizes.contains(&longer_side(region))
    };
    match_boxes(&image.found, image.truth(), least_iou)
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
    /// Metrics by the collection of the images, by name.
    pub by_source: Vec<(String, SizeMetrics)>,
    /// Found faces by tilt, the most upright first, of those with known landmarks.
    pub by_tilt: Vec<TiltMetrics>,
    /// Images without faces and false boxes on them.
    pub empty: EmptyImageMetrics,
    /// Scores of the boxes whose landmarks are known, and the errors of these landmarks as fractions of the faces' longer
    /// sides.
    landmark_errors: Vec<(f32, f32)>,
}

/// Faces of a range of tilts.
#[derive(Debug, Clone, PartialEq)]
pub struct TiltMetrics {
    /// Range of the rolls to either side, in degrees.
    pub degrees: Range<f32>,
    /// Recall at an overlap of [`STRICT`]; without false positives, which have no tilt.
    pub found: PrecisionRecallCurve,
}

/// Images without faces.
#[derive(Debug, Clone, PartialEq)]
pub struct EmptyImageMetrics {
    /// Number of images.
    pub images: usize,
    /// Scores of all boxes on them.
    scores: Vec<f32>,
}

impl EmptyImageMetrics {
    fn new(images: &[EvaluatedImage]) -> Self {
        let is_empty = |image: &&EvaluatedImage| image.faces.is_empty() && image.ignored.is_empty();
        let empty = || images.iter().filter(is_empty);
        let scores = empty().flat_map(|image| image.found.iter().map(|found| found.score));
        Self {
            images: empty().count(),
            scores: scores.collect(),
        }
    }

    /// Number of false boxes with at least this score.
    pub fn boxes(&self, score: f32) -> usize {
        self.scores.iter().filter(|&&found| found >= score).count()
    }
}

impl TiltMetrics {
    fn new(images: &[EvaluatedImage], degrees: Range<f32>) -> Self {
        let is_in_band = |image: &EvaluatedImage, face: usize| {
            let landmarks = image.landmarks.get(face).copied().flatten();
            landmarks.is_some_and(|known| degrees.contains(&known.roll_degrees().abs()))
        };
        let faces = images.iter().map(|image| {
            let faces = 0..image.faces.len();
            faces.filter(|&face| is_in_band(image, face)).count()
        });
        let found = images.iter().flat_map(|image| {
            let matched = match_boxes(&image.found, image.truth(), STRICT).into_iter();
            matched.filter(|found| found.face.is_some_and(|face| is_in_band(image, face)))
        });
        Self {
            found: PrecisionRecallCurve::new(found, faces.sum()),
            degrees: degrees.clone(),
        }
    }
}

impl DetectionMetrics {
    /// The metrics on these images.
    pub fn new(images: &[EvaluatedImage]) -> Self {
        let bands = SIZES.windows(2).map(|ends| ends[0]..ends[1]);
        let sources = images.iter().filter_map(|image| image.source.as_deref());
        let by_source = sources.collect::<BTreeSet<_>>().into_iter().map(|source| {
            let from_source = images
                .iter()
                .filter(move |image| image.source.as_deref() == Some(source));
            (source.to_owned(), SizeMetrics::new(from_source, ALL_SIZES))
        });
        let tilts = TILTS.windows(2).map(|ends| ends[0]..ends[1]);
        let matched = images
            .iter()
            .flat_map(|image| match_boxes(&image.found, image.truth(), LENIENT));
        let landmark_errors =
            matched.filter_map(|found| Some((found.found.score, found.landmark_error?)));
        Self {
            images: images.len(),
            all: SizeMetrics::new(images.iter(), ALL_SIZES),
            by_size: bands
                .map(|sizes| SizeMetrics::new(images.iter(), sizes))
                .collect(),
            by_source: by_source.collect(),
            by_tilt: tilts.map(|tilt| TiltMetrics::new(images, tilt)).collect(),
            empty: EmptyImageMetrics::new(images),
            landmark_errors: landmark_errors.collect(),
        }
    }

    /// Mean distance of the landmarks of boxes with at least this score from those known, as a fraction of the longer side
    /// of the face; none if no landmarks are known.
    pub fn landmark_error(&self, score: f32) -> Option<f64> {
        let errors = self.landmark_errors.iter();
        let errors = errors.filter(|&&(found, _)| found >= score);
        mean(&errors.map(|&(_, error)| error).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests;
