use super::*;
use gstemotion::face::EmotionResult;

fn faces(labels: &[&str]) -> Vec<Face> {
    let face = |label: &&str| Face {
        roi_id: 1,
        x: 0,
        y: 0,
        width: 9,
        height: 9,
        detection: None,
        object_id: None,
        landmarks: None,
        emotion: Some(EmotionResult {
            label: (*label).into(),
            ..EmotionResult::default()
        }),
    };
    labels.iter().map(face).collect()
}

#[test]
fn shares_cover_the_last_seconds_and_add_up_to_one() {
    let mut history = EmotionHistory::default();
    history.add(1, &faces(&["sad", "sad"]));
    history.add(10, &faces(&["happy", "happy", "sad"]));
    history.add(11, &faces(&["happy"]));
    let shares = history.shares(11, 2);
    assert_eq!(shares["happy"], 0.75);
    assert_eq!(shares["sad"], 0.25);
    assert!(history.shares(60, 2).is_empty());
}

#[test]
fn a_point_has_the_mean_number_of_faces_of_its_frames() {
    let mut history = EmotionHistory::default();
    history.add(5, &faces(&["sad", "happy"]));
    history.add(5, &faces(&[]));
    history.add(7, &[]);
    let points = history.points(0, 8);
    let means: Vec<_> = points.iter().map(|m| (m.second, m.faces)).collect();
    assert_eq!(means, [(5, 1.0), (7, 0.0)]);
    assert_eq!(points[0].emotions["sad"], 0.5);
}

#[test]
fn points_follow_each_other_without_gap_and_without_a_second_that_is_not_over() {
    let mut history = EmotionHistory::default();
    let seconds = |history: &EmotionHistory, first, now| -> Vec<u64> {
        let points = history.points(first, now);
        points.iter().map(|point| point.second).collect()
    };
    (3..=6).for_each(|second| history.add(second, &[]));
    assert_eq!(seconds(&history, 0, 6), [3, 4, 5]);
    (6..=8).for_each(|second| history.add(second, &[]));
    assert_eq!(seconds(&history, 6, 8), [6, 7]);
    assert!(history.points(9, 8).is_empty());
}

#[test]
fn the_rate_includes_seconds_without_a_frame() {
    let mut history = EmotionHistory::default();
    for _ in 0..20 {
        history.add(3, &[]);
    }
    history.add(5, &[]);
    assert_eq!(history.rate(5, 4), 5.0);
}

#[test]
fn old_seconds_are_removed() {
    let mut history = EmotionHistory::default();
    for second in 0..10_000 {
        history.add(second, &[]);
    }
    assert_eq!(history.0.len() as u64, SECONDS);
}
