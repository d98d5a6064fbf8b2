use super::*;

const UNIT: (f64, f64) = (1.0, 1.0);

fn point(x: f64, y: f64) -> FramePoint {
    FramePoint { x, y }
}

fn zone(corners: &[(f64, f64)]) -> Result<Zone, ShapeError> {
    let corners = corners.iter().map(|&(x, y)| point(x, y));
    Zone::new("hall", corners.collect(), None)
}

fn line(from: (f64, f64), to: (f64, f64)) -> Line {
    let ends = [point(from.0, from.1), point(to.0, to.1)];
    Line::new("door", ends, Line::DIRECTIONS).unwrap()
}

#[test]
fn a_zone_without_an_inside_is_refused_with_the_reason() {
    let nan = f64::NAN;
    for (corners, expected) in [
        (&[(0.1, 0.1), (0.5, 0.5)][..], ShapeError::Corners(2)),
        (&[], ShapeError::Corners(0)),
        (
            &[(0.0, 0.0), (1.1, 0.0), (0.5, 0.5)],
            ShapeError::Outside(point(1.1, 0.0)),
        ),
        (
            &[(0.0, 0.0), (0.5, 0.0), (0.5, 0.0), (0.5, 0.5)],
            ShapeError::Repeated(point(0.5, 0.0)),
        ),
        (
            &[(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.0)],
            ShapeError::Repeated(point(0.0, 0.0)),
        ),
        // A bow tie.
        (
            &[(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)],
            ShapeError::Crossing(1, 3),
        ),
        // All on one line.
        (
            &[(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)],
            ShapeError::Crossing(1, 3),
        ),
        // A spike.
        (
            &[(0.0, 0.0), (0.5, 0.0), (0.9, 0.0), (0.5, 0.0), (0.2, 0.5)],
            ShapeError::Crossing(1, 3),
        ),
        // Two parts that meet at a point.
        (
            &[
                (0.1, 0.1),
                (0.5, 0.5),
                (0.9, 0.1),
                (0.9, 0.9),
                (0.5, 0.5),
                (0.1, 0.9),
            ],
            ShapeError::Crossing(1, 4),
        ),
    ] {
        assert_eq!(zone(corners), Err(expected), "{corners:?}");
    }
    assert!(matches!(
        zone(&[(nan, 0.0), (0.5, 0.0), (0.5, 0.5)]),
        Err(ShapeError::Outside(_))
    ));
    let many = vec![point(0.0, 0.0); 101];
    assert_eq!(Zone::new("hall", many, None), Err(ShapeError::Corners(101)));
}

#[test]
fn a_name_has_no_characters_of_the_text_of_zones() {
    let corners = vec![point(0.0, 0.0), point(1.0, 0.0), point(1.0, 1.0)];
    for name in ["", "  ", "a=b", "a;b", "a\nb", &"a".repeat(65)] {
        let refused = Zone::new(name, corners.clone(), None);
        assert_eq!(refused, Err(ShapeError::Name(name.trim().to_owned())));
    }
    let named = Zone::new(" Halle 3, Süd ", corners, None).unwrap();
    assert_eq!(named.name(), "Halle 3, Süd");
}

#[test]
fn each_point_lies_in_exactly_one_of_the_zones_that_share_a_border() {
    // A star-shaped cut through the frame, with corners on the grid of the points.
    let left = zone(&[(0.0, 0.0), (0.5, 0.0), (0.25, 0.5), (0.5, 1.0), (0.0, 1.0)]).unwrap();
    let right = zone(&[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0), (0.25, 0.5)]).unwrap();
    for i in 0..64 {
        for j in 0..64 {
            let at = point(f64::from(i) / 64.0, f64::from(j) / 64.0);
            assert_ne!(left.contains(at), right.contains(at), "{at}");
        }
    }
}

#[test]
fn a_hollow_in_a_zone_is_outside() {
    let zone = zone(&[(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.5, 0.3), (0.1, 0.9)]).unwrap();
    assert!(zone.contains(point(0.5, 0.2)));
    assert!(zone.contains(point(0.15, 0.7)));
    assert!(!zone.contains(point(0.5, 0.7)));
    assert!(!zone.contains(point(0.05, 0.2)));
}

#[test]
fn the_border_of_the_frame_is_no_border_of_a_zone() {
    let zone = zone(&[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]).unwrap();
    assert_eq!(zone.border_distance(point(0.1, 0.01), UNIT), 0.4);
    // Twice as far where the unit is half as wide.
    assert_eq!(zone.border_distance(point(0.1, 0.5), (0.5, 1.0)), 0.8);
    let corner = zone.border_distance(point(0.5, 0.5), UNIT);
    assert_eq!(corner, 0.0);
}

#[test]
fn a_line_is_crossed_between_its_ends_only_and_inwards_to_the_right() {
    // Who looks down the picture has its left side at the right hand.
    let door = line((0.5, 0.2), (0.5, 0.8));
    let crossing =
        |from: (f64, f64), to: (f64, f64)| door.crossing(point(from.0, from.1), point(to.0, to.1));
    assert_eq!(crossing((0.6, 0.5), (0.4, 0.5)), Some(true));
    assert_eq!(crossing((0.4, 0.5), (0.6, 0.5)), Some(false));
    assert_eq!(crossing((0.6, 0.1), (0.4, 0.1)), None);
    assert_eq!(crossing((0.6, 0.9), (0.4, 0.9)), None);
    assert_eq!(crossing((0.6, 0.3), (0.6, 0.6)), None);
    assert_eq!(crossing((0.6, 0.3), (0.6, 0.3)), None);
    // Along the line.
    assert_eq!(crossing((0.5, 0.1), (0.5, 0.9)), None);
}

#[test]
fn a_stop_on_a_line_is_one_crossing() {
    let door = line((0.5, 0.2), (0.5, 0.8));
    for (from, to, expected) in [(0.6, 0.4, true), (0.4, 0.6, false)] {
        let way = [from, 0.5, 0.5, to].map(|x| point(x, 0.5));
        let crossings: Vec<_> = way
            .windows(2)
            .filter_map(|step| door.crossing(step[0], step[1]))
            .collect();
        assert_eq!(crossings, [expected]);
    }
}

#[test]
fn a_line_without_a_length_is_refused() {
    let same = [point(0.5, 0.5); 2];
    let refused = Line::new("door", same, Line::DIRECTIONS);
    assert_eq!(refused, Err(ShapeError::Repeated(same[0])));
}

#[test]
fn a_direction_is_one_word() {
    let ends = [point(0.0, 0.5), point(1.0, 0.5)];
    for name in ["going in", "", "a=b"] {
        let refused = Line::new("door", ends, [name, "out"]);
        assert_eq!(refused, Err(ShapeError::Direction(name.to_owned())));
    }
}
