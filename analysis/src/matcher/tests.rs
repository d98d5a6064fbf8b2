use super::*;

fn at(object_id: Option<i32>, x: f32) -> FacePosition {
    FacePosition {
        object_id,
        region: Region::new(x, 0.0, 10.0, 10.0),
        landmarks: None,
    }
}

/// The numbers of the faces on a frame at `ms`.
fn numbers(faces: &mut FaceMatcher<()>, ms: u64, positions: &[FacePosition]) -> Vec<i32> {
    let matched = faces.match_faces(Duration::from_millis(ms), positions);
    matched.iter().map(|&index| faces[index].number).collect()
}

#[test]
fn faces_that_change_their_order_keep_their_histories() {
    for ids in [[None, None], [Some(4), Some(2)]] {
        let mut faces = FaceMatcher::default();
        let (left, right) = (at(ids[0], 0.0), at(ids[1], 50.0));
        assert_eq!(numbers(&mut faces, 0, &[left, right]), [1, 2]);
        assert!(faces[0].is_new() && faces[1].is_new());
        assert_eq!(numbers(&mut faces, 40, &[right, left]), [2, 1], "{ids:?}");
        assert!(!faces[0].is_new() && !faces[1].is_new());
    }
}

#[test]
fn another_id_at_the_same_place_is_another_face() {
    let mut faces = FaceMatcher::default();
    assert_eq!(numbers(&mut faces, 0, &[at(Some(1), 0.0)]), [1]);
    assert_eq!(numbers(&mut faces, 40, &[at(Some(2), 0.0)]), [2]);
    assert_eq!(numbers(&mut faces, 80, &[at(None, 0.0)]), [3]);
}

#[test]
fn two_faces_at_one_place_are_two() {
    let mut faces = FaceMatcher::default();
    let both = [at(None, 0.0), at(None, 1.0)];
    assert_eq!(numbers(&mut faces, 0, &both), [1, 2]);
    assert_eq!(numbers(&mut faces, 40, &both), [1, 2]);
}

#[test]
fn a_time_that_goes_back_is_noticed_and_faces_are_still_recognised() {
    let mut faces = FaceMatcher::default();
    let time = Duration::from_millis(500);
    numbers(&mut faces, 1000, &[at(None, 0.0)]);
    assert!(faces.is_ahead_of(time));
    assert_eq!(numbers(&mut faces, 500, &[at(None, 0.0)]), [1]);
    assert!(!faces.is_ahead_of(time));
    faces.clear();
    assert_eq!(numbers(&mut faces, 540, &[at(None, 0.0)]), [2]);
}

#[test]
fn faces_that_left_are_forgotten() {
    let mut faces = FaceMatcher::default();
    for id in 0..10_000 {
        numbers(&mut faces, 100 * id, &[at(Some(id as i32), 0.0)]);
    }
    assert!(faces.faces.len() <= 21, "{}", faces.faces.len());
}

#[test]
fn more_faces_than_are_kept_are_still_told_apart_in_their_frame() {
    for (per_frame, frames) in [(200, 40), (2000, 3)] {
        let mut faces = FaceMatcher::default();
        for frame in 0..frames {
            let first = frame * per_frame;
            let positions: Vec<_> = (first..first + per_frame)
                .map(|id| at(Some(id), 0.0))
                .collect();
            let mut numbers = numbers(&mut faces, frame as u64, &positions);
            numbers.dedup();
            assert_eq!(numbers.len(), positions.len());
            assert!(faces.faces.len() <= MAX_FACES + positions.len());
        }
    }
}
