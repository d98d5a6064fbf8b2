use super::*;

const HD: Size = Size {
    width: 1920,
    height: 1080,
};
const STYLES: [Style; 4] = [
    Style::Default,
    Style::Minimal,
    Style::Broadcast,
    Style::Seed,
];

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
        for style in STYLES {
            let size = Size { width, height };
            let line = FaceDimensions::new(HD, size, style).line;
            let parts = box_parts(size, &line);
            for (i, (_, part)) in parts.iter().enumerate() {
                assert!(
                    part.lies_in(size) && part.area() > 0,
                    "{part:?} of {size:?}"
                );
                for (_, other) in &parts[i + 1..] {
                    assert_eq!(part.overlap(other), 0, "{part:?} and {other:?} of {size:?}");
                }
            }
            let edges = [
                Rect::new(0, 0, width, 1),
                Rect::new(0, height - 1, width, 1),
                Rect::new(0, 0, 1, height),
                Rect::new(width - 1, 0, 1, height),
            ];
            for edge in edges.iter().filter(|_| line.form != BoxForm::Brackets) {
                let covered: i64 = parts.iter().map(|(_, part)| part.overlap(edge)).sum();
                assert_eq!(covered, edge.area(), "{edge:?} of {size:?} in {style:?}");
            }
        }
    }
}

#[test]
fn the_middle_of_a_large_box_is_not_drawn() {
    let size = Size {
        width: 1000,
        height: 1000,
    };
    for style in STYLES {
        let parts = box_parts(size, &FaceDimensions::new(HD, size, style).line);
        let drawn: i64 = parts.iter().map(|(_, part)| part.area()).sum();
        assert!(drawn < 1000 * 1000 / 20, "{drawn} pixels in {style:?}");
    }
}

#[test]
fn letters_grow_with_the_frame_and_shrink_with_the_face() {
    let em = |width, height, side| {
        let face = Size {
            width: side,
            height: side,
        };
        let dimensions = FaceDimensions::new(Size { width, height }, face, Style::Default);
        (dimensions.label_em, dimensions.bars_em)
    };
    assert_eq!(em(320, 240, 120), (12, 10));
    assert_eq!(em(1920, 1080, 300), (27, 23));
    assert_eq!(em(1920, 1080, 40), (18, 18));
    assert_eq!(em(3840, 2160, 600), (46, 39));
    assert_eq!(em(1, 1, 1), (8, 8));
}

#[test]
fn in_every_style_letters_are_readable_on_small_and_on_very_large_frames() {
    for style in STYLES {
        for (width, height, least) in [(320, 240, 10), (3840, 2160, 26)] {
            for side in [30, height / 3] {
                let face = Size {
                    width: side,
                    height: side,
                };
                let dimensions = FaceDimensions::new(Size { width, height }, face, style);
                assert!(
                    dimensions.label_em >= least && dimensions.bars_em >= least,
                    "{style:?} at {width}×{height}: {dimensions:?}"
                );
            }
        }
    }
}
