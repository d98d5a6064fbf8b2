use super::*;
use crate::testing::{scored_square, square};

/// An upright face of 20 pixels, moved to the right.
fn points(right: f32) -> Landmarks {
    let points = [
        [6.0, 7.0],
        [14.0, 7.0],
        [10.0, 11.0],
        [7.0, 15.0],
        [13.0, 15.0],
    ];
    Landmarks(points).map(|[x, y]| [x + right, y])
}

/// A small face that is found, a large one that is missed, and a large box that is no face.
fn pictures() -> [EvaluatedImage; 2] {
    [
        EvaluatedImage {
            source: Some("a".to_owned()),
            faces: vec![square(0.0, 0.0, 20.0)],
            landmarks: vec![Some(points(0.0))],
            ignored: vec![],
            found: vec![scored_square(1.0, 20.0, 2.0)],
        },
        EvaluatedImage {
            source: Some("b".to_owned()),
            faces: vec![square(0.0, 0.0, 100.0)],
            landmarks: vec![None],
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
fn each_source_and_each_tilt_has_its_own_faces() {
    let [mut first, second] = pictures();
    let (sin, cos) = 40f32.to_radians().sin_cos();
    let tilted = points(0.0).map(|[x, y]| [cos * x - sin * y, sin * x + cos * y]);
    first.faces.push(square(200.0, 0.0, 20.0));
    first.landmarks.push(Some(tilted));
    let evaluation = DetectionMetrics::new(&[first, second]);
    let sources = evaluation.by_source.iter();
    let sources: Vec<_> = sources
        .map(|(name, m)| (name.as_str(), m.faces()))
        .collect();
    assert_eq!(sources, [("a", 2), ("b", 1)]);
    let tilts = evaluation.by_tilt.iter();
    let tilts: Vec<_> = tilts
        .map(|tilt| (tilt.found.faces, tilt.found.at(0.0).recall))
        .collect();
    assert_eq!(tilts, [(1, 1.0), (0, 0.0), (1, 0.0), (0, 0.0)]);
}

#[test]
fn boxes_on_images_without_faces_and_errors_of_landmarks_count_from_a_score_on() {
    let [mut face, mut empty] = pictures();
    face.found[0].landmarks = Some(points(5.0));
    empty.faces.clear();
    empty.landmarks.clear();
    let evaluation = DetectionMetrics::new(&[face, empty]);
    assert_eq!(evaluation.empty.images, 1);
    assert_eq!(
        [0.5, 1.5].map(|score| evaluation.empty.boxes(score)),
        [1, 0]
    );
    assert_eq!(evaluation.landmark_error(2.0), Some(0.25));
    assert_eq!(evaluation.landmark_error(2.5), None);
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
