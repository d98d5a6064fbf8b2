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
mod tests {
    use super::*;

    fn square(x: f32, side: f32) -> Region {
        Region {
            x,
            y: 0.0,
            width: side,
            height: side,
        }
    }

    fn found(x: f32, side: f32, score: f32) -> ScoredBox {
        ScoredBox {
            region: square(x, side),
            score,
        }
    }

    /// A small face that is found, a large one that is missed, and a large box that is no face.
    fn pictures() -> [EvaluatedImage; 2] {
        [
            EvaluatedImage {
                faces: vec![square(0.0, 20.0)],
                ignored: vec![],
                found: vec![found(1.0, 20.0, 2.0)],
            },
            EvaluatedImage {
                faces: vec![square(0.0, 100.0)],
                ignored: vec![],
                found: vec![found(300.0, 90.0, 1.0)],
            },
        ]
    }

    #[test]
    fn each_size_has_its_own_faces_and_its_own_mistakes() {
        let evaluation = DetectionMetrics::new(&pictures());
        assert_eq!((evaluation.pictures, evaluation.all.faces()), (2, 2));
        let all = evaluation.all.at(0.0);
        assert_eq!((all.recall, all.precision), (0.5, 0.5));
        let figures: Vec<_> = evaluation
            .by_size
            .iter()
            .map(|figures| {
                let at = figures.at(0.0);
                (figures.faces(), at.recall, at.precision)
            })
            .collect();
        assert_eq!(figures[0], (0, 0.0, 1.0));
        assert_eq!(figures[1], (1, 1.0, 1.0));
        assert_eq!(figures[3], (1, 0.0, 0.0));
    }

    #[test]
    fn an_overlap_between_both_counts_is_right_in_the_lenient_one_only() {
        let [mut picture, _] = pictures();
        // 20 of 20 + 8 + 8: an overlap of 0.43.
        picture.found = vec![found(8.0, 20.0, 2.0)];
        let evaluation = DetectionMetrics::new(&[picture]);
        assert_eq!(evaluation.all.strict.average_precision(), 0.0);
        assert_eq!(evaluation.all.lenient.average_precision(), 1.0);
    }
}
