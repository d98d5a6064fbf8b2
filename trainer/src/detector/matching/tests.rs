use emotion_models::face_net::VALUES;

use super::*;
use crate::testing::{scored_square, square};

#[test]
fn a_face_counts_once_and_ignored_regions_do_not_count() {
    let truth = GroundTruth {
        faces: &[square(0.0, 0.0, 10.0)],
        landmarks: &[],
        ignored: &[square(50.0, 0.0, 10.0)],
    };
    let all = [
        scored_square(1.0, 10.0, 3.0),
        scored_square(0.0, 10.0, 2.0),
        scored_square(52.0, 6.0, 1.0),
        scored_square(90.0, 10.0, 0.0),
    ];
    let judged: Vec<_> = match_boxes(&all, truth, 0.5)
        .iter()
        .map(|judged| (judged.found.score, judged.face))
        .collect();
    assert_eq!(judged, [(3.0, Some(0)), (2.0, None), (0.0, None)]);
}

#[test]
fn average_precision_is_the_area_below_the_best_precisions() {
    let judged =
        [(4.0, true), (3.0, false), (2.0, true), (1.0, false)].map(|(score, right)| MatchedBox {
            found: scored_square(0.0, 1.0, score),
            face: right.then_some(0),
            landmark_error: None,
        });
    let curve = PrecisionRecallCurve::new(judged, 4);
    // 0.25 at precision 1, 0.25 more at 2/3, the rest never.
    let expected = 0.25 + 0.25 * 2.0 / 3.0;
    assert!((curve.average_precision() - expected).abs() < 1e-9);
    let at = curve.at(2.5);
    assert_eq!((at.recall, at.precision), (0.25, 0.5));
    assert_eq!(curve.at(9.0).precision, 1.0);
    // F1 is 0.4, 1/3, 4/7 and 1/2.
    assert_eq!((curve.best().score, curve.best().recall), (2.0, 0.5));
    let nothing = PrecisionRecallCurve::new([], 4).best();
    assert_eq!((nothing.recall, nothing.precision), (0.0, 1.0));
}

#[test]
fn boxes_of_one_face_are_found_once_the_surest_first() {
    let cells: Vec<GridCell> = emotion_models::face_net::grid_cells(32, 32).collect();
    let mut values = vec![0.0; cells.len() * VALUES];
    for score in values.iter_mut().step_by(VALUES) {
        *score = -9.0;
    }
    // Two neighbours that mean the same box, one elsewhere.
    values[..5].copy_from_slice(&[1.0, 0.5, 0.0, 1.0, 1.0]);
    values[5..10].copy_from_slice(&[2.0, -0.5, 0.0, 1.0, 1.0]);
    values[75..80].copy_from_slice(&[0.5, 0.0, 0.0, 0.0, 0.0]);
    let scores: Vec<f32> = decode(&cells, &values, 0.0)
        .iter()
        .map(|f| f.score)
        .collect();
    assert_eq!(scores, [2.0, 0.5]);
}
