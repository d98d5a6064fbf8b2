//! Matches the boxes of a detector with the faces of an image; precision and recall.

use emotion_detect::boxes;
use emotion_models::face_net::GridCell;
use emotion_models::preprocess::{Landmarks, Region};

/// A box that a detector found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredBox {
    /// The box in pixels of the image.
    pub region: Region,
    /// Logit of a face, or any number that grows with the confidence.
    pub score: f32,
    /// Its landmarks in pixels of the image, if the detector finds them.
    pub landmarks: Option<Landmarks>,
}

/// Intersection over union from which two boxes are of the same face.
pub const SAME_FACE: f32 = 0.45;

/// The boxes of grid cells with scores of at least `least`, the highest score first, after non-maximum suppression;
/// `output` is that of the network.
pub fn decode(cells: &[GridCell], output: &[f32], least: f32) -> Vec<ScoredBox> {
    let mut found: Vec<ScoredBox> = boxes::decode(cells.iter().copied(), output, least)
        .map(|face| ScoredBox {
            region: face.region,
            score: face.logit,
            landmarks: face.landmarks,
        })
        .collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    boxes::suppress_overlapping(&mut found, SAME_FACE, |found| &found.region);
    found
}

/// The annotated faces of an image.
#[derive(Debug, Clone, Copy)]
pub struct GroundTruth<'a> {
    /// Its faces.
    pub faces: &'a [Region],
    /// The landmarks of each face, where they are known; empty if they are known of none.
    pub landmarks: &'a [Option<Landmarks>],
    /// Regions that may hold a face or not.
    pub ignored: &'a [Region],
}

/// A box of a detector and the face that it matches. Boxes in ignored regions are left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchedBox {
    /// The box.
    pub found: ScoredBox,
    /// Index of the matching face; none for a false positive.
    pub face: Option<usize>,
    /// Mean distance of its landmarks from those of the face, as a fraction of the face's longer side, where both are known.
    pub landmark_error: Option<f32>,
}

/// Matches boxes, the most confident first, with faces: each face matches the most confident box with an intersection
/// over union of at least `least_iou`.
pub fn match_boxes(found: &[ScoredBox], truth: GroundTruth<'_>, least_iou: f32) -> Vec<MatchedBox> {
    let mut taken = vec![false; truth.faces.len()];
    let mut matched = Vec::new();
    for &found in found {
        let overlaps = truth.faces.iter().map(|face| face.iou(&found.region));
        let best = overlaps
            .enumerate()
            .filter(|&(face, iou)| iou >= least_iou && !taken[face])
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        let face = best.map(|(face, _)| face);
        let mut ignored = truth.ignored.iter();
        if let Some(face) = face {
            taken[face] = true;
        } else if ignored.any(|region| covers(region, &found.region)) {
            continue;
        }
        let landmark_error = face.and_then(|face| {
            let Landmarks(known) = truth.landmarks.get(face).copied().flatten()?;
            let Landmarks(points) = found.landmarks?;
            let distances = known
                .iter()
                .zip(points)
                .map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]));
            let Region { width, height, .. } = truth.faces[face];
            Some(distances.sum::<f32>() / (Landmarks::COUNT as f32 * width.max(height)))
        });
        matched.push(MatchedBox {
            found,
            face,
            landmark_error,
        });
    }
    matched
}

/// Whether half of the box lies in the ignored region, or both are similar.
fn covers(ignored: &Region, found: &Region) -> bool {
    found.share_in(ignored) >= 0.5 || ignored.iou(found) >= 0.4
}

/// The mean; none without values.
pub fn mean(values: &[f32]) -> Option<f64> {
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    (!values.is_empty()).then(|| sum / values.len() as f64)
}

/// Precision and recall at falling scores.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionRecallCurve {
    /// A point for each box, the most confident first.
    pub points: Vec<PrecisionRecallPoint>,
    /// Number of faces.
    pub faces: usize,
}

/// A point of a [`PrecisionRecallCurve`]: all boxes with at least this score count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecallPoint {
    /// The lowest score.
    pub score: f32,
    /// Share of the faces that were found.
    pub recall: f64,
    /// Share of the boxes that match a face.
    pub precision: f64,
}

impl PrecisionRecallCurve {
    /// The curve of the boxes of all images.
    pub fn new(matched: impl IntoIterator<Item = MatchedBox>, faces: usize) -> Self {
        let mut all: Vec<_> = matched.into_iter().collect();
        all.sort_by(|a, b| b.found.score.total_cmp(&a.found.score));
        let mut correct = 0;
        let point = |(index, matched): (usize, &MatchedBox)| {
            correct += usize::from(matched.face.is_some());
            PrecisionRecallPoint {
                score: matched.found.score,
                recall: correct as f64 / faces.max(1) as f64,
                precision: correct as f64 / (index + 1) as f64,
            }
        };
        Self {
            points: all.iter().enumerate().map(point).collect(),
            faces,
        }
    }

    /// Area below the curve, where each precision is the best at that recall or a higher one, as in PASCAL VOC 2010.
    pub fn average_precision(&self) -> f64 {
        let (mut area, mut best, mut after) = (0.0, 0.0f64, None::<f64>);
        for point in self.points.iter().rev() {
            if let Some(after) = after {
                area += (after - point.recall) * best;
            }
            best = best.max(point.precision);
            after = Some(point.recall);
        }
        area + after.unwrap_or(0.0) * best
    }

    /// The point with the highest F1, the most confident of equals; at an infinite score if there are no boxes.
    pub fn best(&self) -> PrecisionRecallPoint {
        let f1 = |point: &PrecisionRecallPoint| {
            let sum = point.recall + point.precision;
            if sum > 0.0 {
                2.0 * point.recall * point.precision / sum
            } else {
                0.0
            }
        };
        let points = self.points.iter().copied();
        points
            .reduce(|best, point| if f1(&point) > f1(&best) { point } else { best })
            .unwrap_or_else(|| self.at(f32::INFINITY))
    }

    /// Recall and precision of boxes with at least this score; the precision of no boxes is 1.
    pub fn at(&self, score: f32) -> PrecisionRecallPoint {
        let last = self.points.iter().rfind(|point| point.score >= score);
        last.copied().unwrap_or(PrecisionRecallPoint {
            score,
            recall: 0.0,
            precision: 1.0,
        })
    }
}

#[cfg(test)]
mod tests;
