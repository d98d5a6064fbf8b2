use super::*;
use crate::emotionoverlay::geometry::visible;
use crate::emotionoverlay::theme::{BarsPosition, LayoutPreferences};

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

const TIMELINE: Size = Size {
    width: 160,
    height: 16,
};
const USUAL: LayoutPreferences = LayoutPreferences {
    labels_below: false,
    bars: BarsPosition::Beside,
};

fn item(face: Rect) -> LayoutItem {
    LayoutItem {
        face,
        label: Some(LABEL),
        timeline: None,
        bars: Some(PANEL),
        gap: 4,
        priority: Priority {
            is_new: true,
            area: Reverse(face.area()),
        },
        last: Slots::default(),
    }
}

fn with_timeline(face: Rect) -> LayoutItem {
    LayoutItem {
        timeline: Some(TIMELINE),
        ..item(face)
    }
}

/// The same faces a frame later, at other places, after `placements` on the frame before.
fn later(items: &[LayoutItem], placements: &[Placement], faces: &[Rect]) -> Vec<LayoutItem> {
    let before = items.iter().zip(placements).zip(faces);
    before
        .map(|((item, placement), face)| LayoutItem {
            face: *face,
            priority: Priority {
                is_new: false,
                area: Reverse(face.area()),
            },
            last: placement.slots,
            ..*item
        })
        .collect()
}

fn arrange(frame: Size, items: &[LayoutItem]) -> Vec<Placement> {
    super::arrange(frame, &[], USUAL, items)
}

fn placed(placements: &[Placement]) -> Vec<Rect> {
    placements
        .iter()
        .flat_map(|p| [p.label, p.timeline, p.bars])
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
    let placement = arrange(HD, &[item(face)])[0];
    assert_eq!(placement.label, Some(Rect::new(800, 400 - 4 - 42, 180, 42)));
    assert_eq!(placement.bars, Some(Rect::new(1100 + 4, 400, 240, 230)));
}

#[test]
fn a_face_at_the_top_has_its_label_below() {
    let placement = arrange(HD, &[item(Rect::new(800, 10, 300, 300))])[0];
    assert_eq!(placement.label, Some(Rect::new(800, 314, 180, 42)));
}

#[test]
fn a_face_at_the_right_border_has_its_label_pushed_in_and_its_bars_at_the_left() {
    let placement = arrange(HD, &[item(Rect::new(1820, 400, 100, 300))])[0];
    assert_eq!(placement.label, Some(Rect::new(1740, 354, 180, 42)));
    assert_eq!(
        placement.bars,
        Some(Rect::new(1820 - 4 - 240, 400, 240, 230))
    );
}

#[test]
fn a_face_that_fills_the_frame_has_label_and_bars_inside() {
    let placements = arrange(HD, &[item(Rect::new(0, 0, 1920, 1080))]);
    assert_eq!(placed(&placements).len(), 2);
    assert_sound(HD, &placements);
}

#[test]
fn bars_keep_off_the_neighbours_face() {
    let faces = [
        Rect::new(700, 400, 300, 300),
        Rect::new(1020, 400, 280, 280),
    ];
    let placements = arrange(HD, &faces.map(item));
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
    let placements = arrange(HD, &faces.map(item));
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
        let items: Vec<_> = scattered(200, side, HD)
            .into_iter()
            .map(with_timeline)
            .collect();
        let placements = arrange(HD, &items);
        assert_sound(HD, &placements);
        assert!(placements.iter().any(|p| p.label.is_some()));
        for (i, bars) in placements
            .iter()
            .enumerate()
            .filter_map(|(i, p)| Some((i, p.bars?)))
        {
            for (other, item) in items.iter().enumerate() {
                assert!(
                    other == i || bars.overlap(&item.face) == 0,
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
    let placements = arrange(frame, &[item(Rect::new(0, 0, 64, 48))]);
    assert_eq!(placements, [Placement::default()]);
}

#[test]
fn the_larger_face_chooses_first_whatever_the_order() {
    let large = item(Rect::new(600, 400, 400, 400));
    let small = item(Rect::new(620, 300, 90, 90));
    let placements = arrange(HD, &[large, small]);
    let reversed = arrange(HD, &[small, large]);
    assert_eq!(placements, [reversed[1], reversed[0]]);
}

#[test]
fn a_timeline_stands_below_its_face_and_covers_nothing() {
    let faces = [
        Rect::new(300, 400, 200, 200),
        Rect::new(900, 860, 200, 200),
        Rect::new(1500, 0, 300, 1080),
    ];
    let placements = arrange(HD, &faces.map(with_timeline));
    assert_eq!(placed(&placements).len(), 9);
    assert_sound(HD, &placements);
    assert_eq!(placements[0].timeline, Some(Rect::new(320, 604, 160, 16)));
}

#[test]
fn nothing_covers_what_is_reserved() {
    let reserved = Rect::new(0, 900, 1920, 180);
    let faces = [Rect::new(500, 880, 200, 200), Rect::new(900, 700, 190, 190)];
    let items = faces.map(with_timeline);
    let placements = super::arrange(HD, &[reserved], USUAL, &items);
    assert!(placed(&placements).len() >= 5);
    for place in placed(&placements) {
        assert_eq!(place.overlap(&reserved), 0, "{place:?}");
    }
}

#[test]
fn labels_below_and_bars_at_the_left_border_where_that_is_preferred() {
    let preferences = LayoutPreferences {
        labels_below: true,
        bars: BarsPosition::FrameLeft,
    };
    let items = [item(Rect::new(800, 400, 300, 300))];
    let placement = super::arrange(HD, &[], preferences, &items)[0];
    assert_eq!(placement.label, Some(Rect::new(800, 704, 180, 42)));
    assert_eq!(placement.bars, Some(Rect::new(8, 8, 240, 230)));
}

#[test]
fn a_label_keeps_its_place_until_another_is_much_better() {
    let items = [item(Rect::new(800, 40, 300, 300))];
    let before = arrange(HD, &items);
    assert!(before[0].label.unwrap().y > 300, "no room above");

    let room_above = [Rect::new(800, 60, 300, 300)];
    let after = arrange(HD, &later(&items, &before, &room_above));
    assert_eq!(after[0].slots, before[0].slots);

    let fresh = arrange(HD, &room_above.map(item));
    assert_ne!(fresh[0].label, after[0].label);
}

#[test]
fn faces_that_were_there_before_choose_before_new_ones() {
    let old = [item(Rect::new(600, 400, 100, 100))];
    let before = arrange(HD, &old);
    let mut both = later(&old, &before, &[old[0].face]);
    // Larger, and its first choice would cover the label of the old one.
    both.push(item(Rect::new(720, 400, 300, 300)));
    let after = arrange(HD, &both);
    assert_eq!(after[0].label, before[0].label);
    assert_sound(HD, &after);
}

#[test]
fn plates_hide_few_faces_never_each_other_and_keep_their_place() {
    let (left, right) = (Rect::new(100, 100, 200, 30), Rect::new(600, 100, 200, 30));
    let plate = |last| PlateItem {
        slots: vec![left, right],
        last,
    };
    let places = |faces: &[Rect], plates: &[PlateItem]| -> Vec<Option<usize>> {
        let places = place_plates(HD, None, faces, plates);
        places.into_iter().map(|place| Some(place?.0)).collect()
    };
    assert_eq!(places(&[], &[plate(None)]), [Some(0)]);
    let face = Rect::new(100, 90, 100, 100);
    assert_eq!(places(&[face], &[plate(None)]), [Some(1)]);
    // It stays where it was while the face hides little of it.
    let passing = Rect::new(80, 90, 60, 100);
    assert_eq!(places(&[passing], &[plate(Some(0))]), [Some(0)]);
    let three = [plate(None), plate(None), plate(None)];
    assert_eq!(places(&[], &three), [Some(0), Some(1), None]);
    let reserved = place_plates(HD, Some(left), &[], &[plate(None)]);
    assert_eq!(reserved, [Some((1, right))]);
}
