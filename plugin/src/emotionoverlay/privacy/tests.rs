use super::*;

const FRAME: Size = Size {
    width: 400,
    height: 200,
};
const HOLD: Duration = Duration::from_secs(1);

fn face(x: i32, y: i32, side: u32, object_id: Option<i32>) -> Face {
    Face {
        roi_id: 1,
        x,
        y,
        width: side,
        height: side,
        detection: None,
        object_id,
        landmarks: None,
        emotion: None,
    }
}

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_face_is_hidden_with_a_margin_within_the_frame() {
    let mut hidden_faces = HiddenFaces::default();
    let faces = [face(100, 80, 40, None), face(-20, -20, 40, None)];
    let hidden = hidden_faces.update(&faces, FRAME, FRAME, at(0), HOLD);
    assert_eq!(hidden, [Rect::new(90, 70, 60, 60), Rect::new(0, 0, 25, 25)]);
}

#[test]
fn a_face_that_is_not_found_any_more_stays_hidden_for_a_while() {
    let mut hidden_faces = HiddenFaces::default();
    let faces = [face(100, 80, 40, None)];
    let place = hidden_faces.update(&faces, FRAME, FRAME, at(0), HOLD);
    assert_eq!(
        hidden_faces.update(&[], FRAME, FRAME, at(1000), HOLD),
        place
    );
    assert_eq!(hidden_faces.update(&[], FRAME, FRAME, at(1001), HOLD), []);
}

#[test]
fn a_face_that_moves_is_hidden_at_its_new_place_only() {
    for id in [None, Some(3)] {
        let mut hidden_faces = HiddenFaces::default();
        hidden_faces.update(&[face(100, 80, 40, id)], FRAME, FRAME, at(0), HOLD);
        let hidden = hidden_faces.update(&[face(110, 80, 40, id)], FRAME, FRAME, at(40), HOLD);
        assert_eq!(hidden, [Rect::new(100, 70, 60, 60)], "{id:?}");
    }
}

#[test]
fn a_lost_face_stays_hidden_while_another_is_found() {
    let mut hidden_faces = HiddenFaces::default();
    hidden_faces.update(&[face(100, 80, 40, Some(1))], FRAME, FRAME, at(0), HOLD);
    let other = [face(300, 80, 40, Some(2))];
    assert_eq!(
        hidden_faces
            .update(&other, FRAME, FRAME, at(40), HOLD)
            .len(),
        2
    );
}

#[test]
fn a_held_place_moves_with_the_size_of_the_frame() {
    let mut hidden_faces = HiddenFaces::default();
    hidden_faces.update(&[face(100, 80, 40, None)], FRAME, FRAME, at(0), HOLD);
    let double = Size {
        width: 800,
        height: 400,
    };
    let hidden = hidden_faces.update(&[], double, double, at(40), HOLD);
    assert_eq!(hidden, [Rect::new(180, 140, 120, 120)]);
}

#[test]
fn places_are_those_of_the_picture_as_it_is_stored() {
    let mut hidden_faces = HiddenFaces::default();
    let field = Size {
        width: 400,
        height: 100,
    };
    let faces = [face(100, 80, 40, None)];
    let hidden = hidden_faces.update(&faces, FRAME, field, at(0), HOLD);
    assert_eq!(hidden, [Rect::new(90, 35, 60, 30)]);
}

#[test]
fn a_crowd_that_cannot_be_hidden_face_by_face_is_hidden_as_a_whole() {
    let mut hidden_faces = HiddenFaces::default();
    let crowd: Vec<Face> = (0..1025).map(|i| face(i % 400, i / 4, 1, None)).collect();
    let whole = [Rect::at(0, 0, FRAME)];
    assert_eq!(
        hidden_faces.update(&crowd, FRAME, FRAME, at(0), HOLD),
        whole
    );
    assert_eq!(hidden_faces.update(&[], FRAME, FRAME, at(900), HOLD), whole);
    assert_eq!(hidden_faces.update(&[], FRAME, FRAME, at(1100), HOLD), []);
}
