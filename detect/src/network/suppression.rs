//! Non-maximum suppression.

use super::candidate::Candidate;

/// Of candidates, the surest first, leaves those that no surer one overlaps by this intersection over union.
pub(super) fn suppress(candidates: &mut Vec<Candidate>, overlap: f32) {
    let mut kept = 0;
    for index in 0..candidates.len() {
        let candidate = candidates[index];
        let is_new = candidates[..kept]
            .iter()
            .all(|surer| surer.region.iou(&candidate.region) < overlap);
        if is_new {
            candidates[kept] = candidate;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}

#[cfg(test)]
mod tests {
    use emotion_models::preprocess::Region;

    use super::*;

    fn candidate(x: f32, confidence: f32) -> Candidate {
        let region = Region {
            x,
            y: 0.0,
            width: 10.0,
            height: 10.0,
        };
        Candidate { region, confidence }
    }

    #[test]
    fn of_boxes_that_overlap_the_surest_stays_and_chains_do_not_grow() {
        // The third overlaps the second, which is suppressed itself.
        let mut candidates = vec![
            candidate(0.0, 0.9),
            candidate(3.0, 0.8),
            candidate(6.0, 0.7),
        ];
        let expected = [candidates[0], candidates[2]];
        suppress(&mut candidates, 0.4);
        assert_eq!(candidates, expected);
    }
}
