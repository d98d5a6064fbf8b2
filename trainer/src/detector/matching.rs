//! What a detector says of pictures, and how much of it is right.

use emotion_detect::boxes;
use emotion_models::face_net::GridCell;
use emotion_models::preprocess::Region;

/// A face that a detector found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredBox {
    /// Its box.
    pub region: Region,
    /// The logit that it is one, or any number that grows with how sure the detector is.
    pub score: f32,
}

/// Intersection over union from which two boxes are of one face.
pub const ONE_FACE: f32 = 0.45;

/// The boxes with scores of at least `least` in the output of the network for `cells`, the highest score first, one for
/// each face.
pub fn decode(cells: &[GridCell], output: &[f32], least: f32) -> Vec<ScoredBox> {
    let mut found: Vec<ScoredBox> = boxes::decode(cells.iter().copied(), output, least)
        .map(|(region, score)| ScoredBox { region, score })
        .collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    boxes::suppress_overlapping(&mut found, ONE_FACE, |found| &found.region);
    found
}

/// What is true of a picture.
#[derive(Debug, Clone, Copy)]
pub struct GroundTruth<'a> {
    /// Its faces.
    pub faces: &'a [Region],
    /// Places where nobody can tell.
    pub ignored: &'a [Region],
}

/// Whether a found face is one; those at places where nobody can tell are neither.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchedBox {
    /// What the detector found.
    pub found: ScoredBox,
    /// Index of the face that it is, if it is one.
    pub face: Option<usize>,
}

/// Compares what was found, the surest first, with the truth: each face belongs to the surest box that covers it.
pub fn match_boxes(found: &[ScoredBox], truth: GroundTruth<'_>, least_iou: f32) -> Vec<MatchedBox> {
    let mut taken = vec![false; truth.faces.len()];
    let mut judged = Vec::new();
    for &found in found {
        let overlaps = truth.faces.iter().map(|face| face.iou(&found.region));
        let best = overlaps
            .enumerate()
            .filter(|&(face, iou)| iou >= least_iou && !taken[face])
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((face, _)) = best {
            taken[face] = true;
            judged.push(MatchedBox {
                found,
                face: Some(face),
            });
        } else if !truth
            .ignored
            .iter()
            .any(|place| covers(place, &found.region))
        {
            judged.push(MatchedBox { found, face: None });
        }
    }
    judged
}

/// Whether half of the box lies in the place, or both are alike.
fn covers(place: &Region, found: &Region) -> bool {
    let iou = place.iou(found);
    // IoU = both / (a + b − both).
    let areas = place.width * place.height + found.width * found.height;
    let both = iou * areas / (1.0 + iou);
    both >= 0.5 * found.width * found.height || iou >= 0.4
}

/// Precision and recall at falling scores.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionRecallCurve {
    /// Score, recall and precision of what is at least that sure, from the surest down.
    pub points: Vec<PrecisionRecallPoint>,
    /// Number of faces.
    pub faces: usize,
}

/// A point of a [`PrecisionRecallCurve`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecallPoint {
    /// The score of the least sure one.
    pub score: f32,
    /// Share of the faces that were found.
    pub recall: f64,
    /// Share of what was found that is a face.
    pub precision: f64,
}

impl PrecisionRecallCurve {
    /// The curve of all pictures together.
    pub fn new(judged: impl IntoIterator<Item = MatchedBox>, faces: usize) -> Self {
        let mut all: Vec<_> = judged.into_iter().collect();
        all.sort_by(|a, b| b.found.score.total_cmp(&a.found.score));
        let mut right = 0;
        let point = |(index, judged): (usize, &MatchedBox)| {
            right += usize::from(judged.face.is_some());
            PrecisionRecallPoint {
                score: judged.found.score,
                recall: right as f64 / faces.max(1) as f64,
                precision: right as f64 / (index + 1) as f64,
            }
        };
        Self {
            points: all.iter().enumerate().map(point).collect(),
            faces,
        }
    }

    /// Area below the curve, with each precision the best at that recall or a higher one, as in PASCAL VOC 2010.
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

    /// The point with the highest F1, the harmonic mean of recall and precision, the surest of equals; if nothing was
    /// found, beyond any score.
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

    /// Recall and precision of what is at least this sure; a precision of 1 if nothing is.
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
