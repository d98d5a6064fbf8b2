use super::*;

const HD: Size = Size {
    width: 1920,
    height: 1080,
};
const LABEL: Size = Size {
    width: 180,
    height: 42,
};
const PANEL: Size = Size {
    width: 240,
    height: 230,
};

fn subject(face: Rect) -> Subject {
    Subject {
        face,
        label: Some(LABEL),
        bars: Some(PANEL),
        gap: 4,
    }
}

fn placed(placements: &[Placement]) -> Vec<Rect> {
    placements
        .iter()
        .flat_map(|p| [p.label, p.bars])
        .flatten()
        .collect()
}

fn assert_sound(frame: Size, placements: &[Placement]) {
    let rects = placed(placements);
    for (i, rect) in rects.iter().enumerate() {
        assert!(rect.lies_in(frame), "{rect:?} leaves {frame:?}");
        for other in &rects[i + 1..] {
            assert_eq!(rect.overlap(other), 0, "{rect:?} covers {other:?}");
        }
    }
}

/// Faces all over the frame and over its borders, without a pattern.
fn scattered(count: usize, side: i32, frame: Size) -> Vec<Rect> {
    let mut state = 7_u64;
    let mut next = |limit: i32| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((state >> 33) % limit.unsigned_abs() as u64) as i32
    };
    (0..count)
        .filter_map(|_| {
            let x = next(frame.width + side) - side;
            let y = next(frame.height + side) - side;
            visible(x, y, side.unsigned_abs(), side.unsigned_abs(), frame)
        })
        .collect()
}

#[test]
fn a_face_with_room_has_its_label_above_and_its_bars_at_the_right() {
    let face = Rect::new(800, 400, 300, 300);
    let placement = arrange(HD, &[subject(face)])[0];
    assert_eq!(placement.label, Some(Rect::new(800, 400 - 4 - 42, 180, 42)));
    assert_eq!(placement.bars, Some(Rect::new(1100 + 4, 400, 240, 230)));
}

#[test]
fn a_face_at_the_top_has_its_label_below() {
    let placement = arrange(HD, &[subject(Rect::new(800, 10, 300, 300))])[0];
    assert_eq!(placement.label, Some(Rect::new(800, 314, 180, 42)));
}

#[test]
fn a_face_at_the_right_border_has_its_label_pushed_in_and_its_bars_at_the_left() {
    let placement = arrange(HD, &[subject(Rect::new(1820, 400, 100, 300))])[0];
    assert_eq!(placement.label, Some(Rect::new(1740, 354, 180, 42)));
    assert_eq!(
        placement.bars,
        Some(Rect::new(1820 - 4 - 240, 400, 240, 230))
    );
}

#[test]
fn a_face_that_fills_the_frame_has_label_and_bars_inside() {
    let placements = arrange(HD, &[subject(Rect::new(0, 0, 1920, 1080))]);
    assert_eq!(placed(&placements).len(), 2);
    assert_sound(HD, &placements);
}

#[test]
fn bars_keep_off_the_neighbours_face() {
    let faces = [
        Rect::new(700, 400, 300, 300),
        Rect::new(1020, 400, 280, 280),
    ];
    let placements = arrange(HD, &faces.map(subject));
    let bars = placements[0].bars.unwrap();
    assert_eq!(
        bars.overlap(&faces[0]) + bars.overlap(&faces[1]),
        0,
        "{bars:?}"
    );
}

#[test]
fn two_faces_above_each_other_do_not_cover_each_others_labels() {
    let faces = [Rect::new(800, 400, 200, 200), Rect::new(800, 640, 200, 200)];
    let placements = arrange(HD, &faces.map(subject));
    assert_eq!(placed(&placements).len(), 4);
    assert_sound(HD, &placements);
    for label in placements.iter().filter_map(|p| p.label) {
        assert!(
            faces.iter().all(|face| label.overlap(face) == 0),
            "{label:?}"
        );
    }
}

#[test]
fn two_hundred_faces_never_cover_labels_or_leave_the_frame() {
    for side in [30, 120, 600] {
        let subjects: Vec<_> = scattered(200, side, HD).into_iter().map(subject).collect();
        let placements = arrange(HD, &subjects);
        assert_sound(HD, &placements);
        assert!(placements.iter().any(|p| p.label.is_some()));
        for (i, bars) in placements
            .iter()
            .enumerate()
            .filter_map(|(i, p)| Some((i, p.bars?)))
        {
            for (other, subject) in subjects.iter().enumerate() {
                assert!(
                    other == i || bars.overlap(&subject.face) == 0,
                    "{bars:?} of {i}"
                );
            }
        }
    }
}

#[test]
fn what_is_larger_than_the_frame_is_left_out() {
    let frame = Size {
        width: 64,
        height: 48,
    };
    let placements = arrange(frame, &[subject(Rect::new(0, 0, 64, 48))]);
    assert_eq!(placements, [Placement::default()]);
}

#[test]
fn the_larger_face_chooses_first_whatever_the_order() {
    let large = subject(Rect::new(600, 400, 400, 400));
    let small = subject(Rect::new(620, 300, 90, 90));
    let placements = arrange(HD, &[large, small]);
    let reversed = arrange(HD, &[small, large]);
    assert_eq!(placements, [reversed[1], reversed[0]]);
}

#[test]
fn a_region_is_cut_to_what_can_be_seen() {
    let frame = Size {
        width: 100,
        height: 50,
    };
    assert_eq!(
        visible(-10, -10, 30, 30, frame),
        Some(Rect::new(0, 0, 20, 20))
    );
    assert_eq!(
        visible(90, 40, 30, 30, frame),
        Some(Rect::new(90, 40, 10, 10))
    );
    assert_eq!(
        visible(-5, -5, u32::MAX, u32::MAX, frame),
        Some(Rect::new(0, 0, 100, 50))
    );
}

#[test]
fn a_region_outside_or_without_pixels_is_not_seen() {
    let frame = Size {
        width: 100,
        height: 50,
    };
    for (x, y, width, height) in [
        (100, 0, 10, 10),
        (0, 50, 10, 10),
        (-10, 0, 10, 10),
        (0, i32::MIN, 10, u32::MAX / 4),
        (i32::MAX, i32::MAX, u32::MAX, u32::MAX),
        (10, 10, 0, 10),
    ] {
        assert_eq!(
            visible(x, y, width, height, frame),
            None,
            "{x},{y} {width}×{height}"
        );
    }
}

#[test]
fn the_parts_of_a_box_touch_its_border_without_covering_each_other() {
    for (width, height) in [
        (300, 400),
        (24, 24),
        (40, 9),
        (9, 40),
        (5, 5),
        (1, 1),
        (7680, 4320),
    ] {
        let size = Size { width, height };
        let face = Rect::new(0, 0, width, height);
        let parts = box_parts(size, &Scale::new(HD, face));
        for (i, part) in parts.iter().enumerate() {
            assert!(
                part.lies_in(size) && part.area() > 0,
                "{part:?} of {size:?}"
            );
            for other in &parts[i + 1..] {
                assert_eq!(part.overlap(other), 0, "{part:?} and {other:?} of {size:?}");
            }
        }
        let edges = [
            Rect::new(0, 0, width, 1),
            Rect::new(0, height - 1, width, 1),
            Rect::new(0, 0, 1, height),
            Rect::new(width - 1, 0, 1, height),
        ];
        for edge in edges {
            let covered: i64 = parts.iter().map(|part| part.overlap(&edge)).sum();
            assert_eq!(covered, edge.area(), "{edge:?} of {size:?}");
        }
    }
}

#[test]
fn the_middle_of_a_large_box_is_not_drawn() {
    let face = Rect::new(0, 0, 1000, 1000);
    let drawn: i64 = box_parts(face.size(), &Scale::new(HD, face))
        .iter()
        .map(Rect::area)
        .sum();
    assert!(drawn < face.area() / 20, "{drawn} pixels");
}

#[test]
fn letters_grow_with_the_frame_and_shrink_with_the_face() {
    let em = |width, height, side| {
        let scale = Scale::new(Size { width, height }, Rect::new(0, 0, side, side));
        (scale.label_em, scale.bars_em)
    };
    assert_eq!(em(320, 240, 120), (12, 10));
    assert_eq!(em(1920, 1080, 300), (27, 23));
    assert_eq!(em(1920, 1080, 40), (18, 18));
    assert_eq!(em(3840, 2160, 600), (46, 39));
    assert_eq!(em(1, 1, 1), (8, 8));
}
