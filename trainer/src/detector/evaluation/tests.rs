use super::*;
use crate::testing::{scored_square, square};

/// A small face that is found, a large one that is missed, and a large box that is no face.
fn pictures() -> [EvaluatedImage; 2] {
    [
        EvaluatedImage {
            faces: vec![square(0.0, 0.0, 20.0)],
            ignored: vec![],
            found: vec![scored_square(1.0, 20.0, 2.0)],
        },
        EvaluatedImage {
            faces: vec![square(0.0, 0.0, 100.0)],
            ignored: vec![],
            found: vec![scored_square(300.0, 90.0, 1.0)],
        },
    ]
}

#[test]
fn each_size_has_its_own_faces_and_its_own_mistakes() {
    let evaluation = DetectionMetrics::new(&pictures());
    assert_eq!((evaluation.images, evaluation.all.faces()), (2, 2));
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
    picture.found = vec![scored_square(8.0, 20.0, 2.0)];
    let evaluation = DetectionMetrics::new(&[picture]);
    assert_eq!(evaluation.all.strict.average_precision(), 0.0);
    assert_eq!(evaluation.all.lenient.average_precision(), 1.0);
}
