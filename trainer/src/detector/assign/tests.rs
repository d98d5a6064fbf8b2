use super::*;
use emotion_models::face_net;

fn square(x: f32, y: f32, side: f32) -> Region {
    Region {
        x,
        y,
        width: side,
        height: side,
    }
}

/// What a place would say that knows the box.
fn knowing(place: GridCell, region: &Region) -> [f32; VALUES] {
    [
        3.0,
        (region.x + region.width / 2.0 - place.x) / place.stride,
        (region.y + region.height / 2.0 - place.y) / place.stride,
        (region.width / place.stride).ln(),
        (region.height / place.stride).ln(),
    ]
}

#[test]
fn every_face_is_answered_for_even_if_the_network_knows_nothing() {
    let places: Vec<GridCell> = face_net::grid_cells(128, 128).collect();
    let logits = vec![0.0; places.len() * VALUES];
    // Smaller than a place, usual, larger than the coarsest stride, and at the border.
    let faces = [
        square(60.0, 60.0, 5.0),
        square(10.0, 90.0, 24.0),
        square(40.0, 2.0, 80.0),
        square(122.0, 120.0, 6.0),
    ];
    let answers = assign(&places, &logits, &faces);
    for face in 0..faces.len() {
        assert!(
            answers.iter().any(|answer| answer.face == face),
            "{face}: {answers:?}"
        );
    }
    let mut order: Vec<usize> = answers.iter().map(|answer| answer.place).collect();
    order.dedup();
    assert_eq!(order.len(), answers.len(), "a place answers for one face");
    assert!(assign(&places, &logits, &[]).is_empty());
}

#[test]
fn those_answer_whose_boxes_are_right() {
    let places: Vec<GridCell> = face_net::grid_cells(128, 128).collect();
    let face = square(40.0, 40.0, 30.0);
    let mut logits = vec![-3.0; places.len() * VALUES];
    let knows = |index: &usize| {
        let [within, near] = position(places[*index], &face);
        within && near && places[*index].stride == 16.0
    };
    let knowing_places: Vec<usize> = (0..places.len()).filter(knows).collect();
    assert!(knowing_places.len() > 1);
    for &index in &knowing_places {
        let values = knowing(places[index], &face);
        logits[index * VALUES..][..VALUES].copy_from_slice(&values);
    }
    let answers = assign(&places, &logits, &[face]);
    let found: Vec<usize> = answers.iter().map(|answer| answer.place).collect();
    assert!(found.iter().all(|place| knowing_places.contains(place)));
    assert!(found.len() + 1 >= knowing_places.len().min(COUNTED));
    assert!(answers.iter().all(|answer| answer.overlap > 0.99));
}

#[test]
fn of_two_faces_at_one_place_the_cheaper_one_has_it() {
    let places: Vec<GridCell> = face_net::grid_cells(32, 32).collect();
    let faces = [square(1.0, 1.0, 6.0), square(0.0, 0.0, 8.0)];
    let mut logits = vec![0.0; places.len() * VALUES];
    logits[..VALUES].copy_from_slice(&knowing(places[0], &faces[1]));
    let answers = assign(&places, &logits, &faces);
    let first = answers.iter().find(|answer| answer.place == 0).unwrap();
    assert_eq!(first.face, 1);
}
