//! Metrics of tracking: IDF1 (Ristani et al. 2016), identity switches, mean IoU.

use std::collections::BTreeMap;

use emotion_detect::track::assign;
use emotion_models::preprocess::Region;

/// The least IoU of two boxes of the same face.
const MATCH: f32 = 0.5;

/// The ground truth of one face.
#[derive(Clone, Copy, Debug)]
pub struct AnnotatedFace {
    /// Which person it is.
    pub id: i32,
    /// Where it is.
    pub region: Region,
    /// Whether it must be found. Faces that are hidden or leave the picture count neither way.
    pub counts: bool,
}

/// Ground truth and results of one frame.
#[derive(Clone, Debug, Default)]
pub struct EvaluatedFrame {
    /// All faces in the picture.
    pub truth: Vec<AnnotatedFace>,
    /// Id and box of each face that was found.
    pub found: Vec<(i32, Region)>,
}

/// The metrics of a clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackingMetrics {
    /// 2 · IDTP / (true boxes + found boxes), for the best assignment of persons to ids.
    pub idf1: f64,
    /// How often the id of a person changed.
    pub switches: usize,
    /// Mean IoU of the matched boxes.
    pub mean_iou: f64,
    /// True boxes that were not found.
    pub missed: usize,
    /// Found boxes without a face.
    pub false_boxes: usize,
}

/// Scores a whole clip.
pub fn score(frames: &[EvaluatedFrame]) -> TrackingMetrics {
    let (mut there, mut reported) = (0, 0);
    let (mut matched, mut overlap) = (0, 0.0);
    let mut switches = 0;
    let mut last_id: BTreeMap<i32, i32> = BTreeMap::new();
    let mut together: BTreeMap<(i32, i32), usize> = BTreeMap::new();
    for frame in frames {
        let counted: Vec<&AnnotatedFace> =
            frame.truth.iter().filter(|truth| truth.counts).collect();
        let found: Vec<(i32, Region)> = frame
            .found
            .iter()
            .filter(|(_, region)| !is_of_no_account(frame, region))
            .copied()
            .collect();
        there += counted.len();
        reported += found.len();
        for truth in &counted {
            for (id, region) in &found {
                if truth.region.iou(region) >= MATCH {
                    *together.entry((truth.id, *id)).or_default() += 1;
                }
            }
        }

        // A match of the previous frame stays as long as it is possible.
        let pairs = assign(counted.len(), found.len(), &|row, column| {
            let iou = counted[row].region.iou(&found[column].1);
            if iou < MATCH {
                return f64::INFINITY;
            }
            let is_kept = last_id.get(&counted[row].id) == Some(&found[column].0);
            f64::from(1.0 - iou) + if is_kept { 0.0 } else { 1.0 }
        });
        for (truth, column) in counted.iter().zip(pairs) {
            let Some((id, region)) = column.map(|column| found[column]) else {
                continue;
            };
            matched += 1;
            overlap += f64::from(truth.region.iou(&region));
            let before = last_id.insert(truth.id, id);
            switches += usize::from(before.is_some_and(|before| before != id));
        }
    }
    let true_positives = best_pairing(&together);
    TrackingMetrics {
        idf1: 2.0 * true_positives as f64 / (there + reported).max(1) as f64,
        switches,
        mean_iou: overlap / matched.max(1) as f64,
        missed: there - matched,
        false_boxes: reported - matched,
    }
}

/// Whether the box belongs to a face that need not be found, and to no other.
fn is_of_no_account(frame: &EvaluatedFrame, region: &Region) -> bool {
    let best = frame
        .truth
        .iter()
        .max_by(|a, b| a.region.iou(region).total_cmp(&b.region.iou(region)));
    // A face that is cut by the border overlaps the box of the whole face less.
    best.is_some_and(|truth| !truth.counts && truth.region.iou(region) > 0.1)
}

/// The largest number of frames that an assignment of one id to each person can match.
fn best_pairing(together: &BTreeMap<(i32, i32), usize>) -> usize {
    let unique = |pick: fn(&(i32, i32)) -> i32| {
        let mut ids: Vec<i32> = together.keys().map(pick).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let (persons, ids) = (unique(|key| key.0), unique(|key| key.1));
    let frames = |row: usize, column: usize| {
        let frames = together.get(&(persons[row], ids[column]));
        frames.copied().unwrap_or_default()
    };
    let most = together.values().copied().max().unwrap_or_default().max(1);
    let pairs = assign(persons.len(), ids.len(), &|row, column| {
        1.0 - frames(row, column) as f64 / most as f64
    });
    let pairs = pairs.into_iter().enumerate();
    pairs
        .filter_map(|(row, column)| Some(frames(row, column?)))
        .sum()
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

    fn frame(truth: &[(i32, f32)], found: &[(i32, f32)]) -> EvaluatedFrame {
        EvaluatedFrame {
            truth: truth
                .iter()
                .map(|&(id, x)| AnnotatedFace {
                    id,
                    region: at(x),
                    counts: true,
                })
                .collect(),
            found: found.iter().map(|&(id, x)| (id, at(x))).collect(),
        }
    }

    #[test]
    fn perfect_tracks_score_one() {
        let frames = vec![frame(&[(1, 0.0), (2, 50.0)], &[(7, 0.0), (4, 50.0)]); 10];
        let score = score(&frames);
        assert_eq!((score.idf1, score.switches, score.mean_iou), (1.0, 0, 1.0));
        assert_eq!((score.missed, score.false_boxes), (0, 0));
    }

    #[test]
    fn an_id_that_changes_half_way_is_a_switch_and_halves_idf1() {
        let mut frames = vec![frame(&[(1, 0.0)], &[(7, 0.0)]); 10];
        frames.extend(vec![frame(&[(1, 0.0)], &[(8, 0.0)]); 10]);
        let score = score(&frames);
        assert_eq!((score.idf1, score.switches), (0.5, 1));
    }

    #[test]
    fn two_that_swap_their_ids_are_two_switches() {
        let mut frames = vec![frame(&[(1, 0.0), (2, 50.0)], &[(1, 0.0), (2, 50.0)]); 5];
        frames.extend(vec![
            frame(&[(1, 0.0), (2, 50.0)], &[(2, 0.0), (1, 50.0)]);
            5
        ]);
        assert_eq!(score(&frames).switches, 2);
    }

    #[test]
    fn misses_and_false_boxes_are_counted() {
        let score = score(&[frame(&[(1, 0.0)], &[(1, 100.0)]), frame(&[(1, 0.0)], &[])]);
        assert_eq!((score.missed, score.false_boxes, score.idf1), (2, 1, 0.0));
    }

    #[test]
    fn what_need_not_be_found_does_not_count_either_way() {
        let mut frame = frame(&[(1, 0.0)], &[]);
        frame.truth[0].counts = false;
        let without = score(&[frame.clone()]);
        frame.found.push((3, at(2.0)));
        assert_eq!(score(&[frame]), without);
    }
}
