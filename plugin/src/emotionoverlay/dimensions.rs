//! The lengths that follow the size of the frame and of a face, and what of a box they make.

use super::Style;
use super::geometry::{Rect, Size};
use super::theme::BoxForm;

/// The lengths that follow the size of the frame and of a face, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scale {
    /// Height of the label's letters (the em).
    pub(super) label_em: i32,
    /// Height of the letters beside the bars.
    pub(super) bars_em: i32,
    /// Distance between the box and what stands beside it.
    pub(super) gap: i32,
    pub(super) line: Line,
}

/// The line of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Line {
    pub(super) form: BoxForm,
    /// Width of the coloured line.
    pub(super) stroke: i32,
    /// Width of the dark line on both sides of it.
    pub(super) outline: i32,
    /// Side of the square that a corner takes; for [`BoxForm::Rounded`] the outer radius.
    pub(super) corner: i32,
}

impl Scale {
    /// The lengths for a face in a frame: in the default style letters of 12 pixels at 320×240, 27 at 1920×1080 and 46
    /// at 3840×2160, and down to two thirds of it on small faces, so that a crowd is not hidden behind its labels.
    pub(super) fn new(frame: Size, face: Size, style: Style) -> Self {
        let theme = style.theme();
        let frame_em = frame_em(frame);
        let full = frame_em * theme.letters;
        let least = (full * 0.66).max(10.0).min(full);
        let em = |per_width: f64, of_full: f64| {
            (f64::from(face.width) * per_width)
                .clamp(least, (full * of_full).max(least))
                .round() as i32
        };
        let side = face.width.min(face.height);
        let small = side < 32;
        let full_stroke = (frame_em / 9.0 * theme.stroke).round().max(2.0) as i32;
        let stroke = if small { 1 } else { full_stroke };
        let corner = match theme.box_form {
            BoxForm::Rounded => (stroke * 4).min(side / 4),
            BoxForm::Square => 0,
            BoxForm::Brackets => (side / 4).min(frame_em.round() as i32 * 2),
        };
        Self {
            label_em: em(0.2, 1.0),
            bars_em: em(0.12, 0.85),
            gap: stroke.max(2) * 2,
            line: Line {
                form: theme.box_form,
                stroke,
                outline: i32::from(theme.outlined && !small),
                corner: corner.max(1),
            },
        }
    }
}

/// Height of letters in a frame, as large as they become in the default style.
pub(super) fn frame_em(frame: Size) -> f64 {
    7.5 + 0.018 * f64::from(frame.width.min(frame.height))
}

impl Line {
    /// Width of the whole line.
    pub(super) fn width(&self) -> i32 {
        self.stroke + 2 * self.outline
    }
}

/// A piece of the line around a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// All of a box that is too small for pieces.
    Whole,
    Corner {
        right: bool,
        bottom: bool,
    },
    /// A straight piece that runs along the columns (upright) or the rows.
    Edge {
        upright: bool,
    },
}

/// The pieces of a box of the given size, in coordinates of the box; together they hold the whole line. Corners look the
/// same on boxes of all sizes, straight pieces hold no curves, and the large empty middle is never drawn.
pub(super) fn box_parts(size: Size, line: &Line) -> Vec<(Part, Rect)> {
    let Size { width, height } = size;
    let thickness = line.width();
    let end = line.corner.max(thickness);
    if width < 2 * end || height < 2 * end || width <= 2 * thickness || height <= 2 * thickness {
        return vec![(Part::Whole, Rect::new(0, 0, width, height))];
    }
    let (far_x, far_y) = (width - end, height - end);
    let corner = |x, y| {
        let part = Part::Corner {
            right: x > 0,
            bottom: y > 0,
        };
        (part, Rect::new(x, y, end, end))
    };
    let mut parts = vec![
        corner(0, 0),
        corner(far_x, 0),
        corner(0, far_y),
        corner(far_x, far_y),
    ];
    let (across, down) = (width - 2 * end, height - 2 * end);
    if line.form != BoxForm::Brackets {
        if across > 0 {
            let part = Part::Edge { upright: false };
            parts.push((part, Rect::new(end, 0, across, thickness)));
            parts.push((part, Rect::new(end, height - thickness, across, thickness)));
        }
        if down > 0 {
            let part = Part::Edge { upright: true };
            parts.push((part, Rect::new(0, end, thickness, down)));
            parts.push((part, Rect::new(width - thickness, end, thickness, down)));
        }
    }
    parts
}

/// The measures of a panel of bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PanelScale {
    /// Height of the letters.
    pub(super) em: i32,
    /// Width of the names and of the space between them and their bars.
    pub(super) names: i32,
    pub(super) rows: i32,
}

impl PanelScale {
    /// For names that are at most `widest` pixels wide.
    pub(super) fn new(em: i32, widest: i32, rows: usize) -> Self {
        Self {
            em,
            names: widest + em / 2,
            rows: i32::try_from(rows).unwrap_or(i32::MAX / 1024),
        }
    }

    pub(super) fn size(&self) -> Size {
        Size {
            width: 2 * self.padding() + self.names + self.length(),
            height: 2 * self.padding() + self.rows * self.row_height(),
        }
    }

    /// The empty border.
    pub(super) fn padding(&self) -> i32 {
        (self.em * 6 + 5) / 10
    }

    /// Distance from one bar to the next.
    pub(super) fn row_height(&self) -> i32 {
        (self.em * 13 + 5) / 10
    }

    /// Length of a bar that stands for a probability of 1.
    pub(super) fn length(&self) -> i32 {
        self.em * 5
    }

    /// Height of a bar.
    pub(super) fn thickness(&self) -> i32 {
        (self.em / 2).max(2)
    }

    /// Where the bars are on a panel at `place`; at its left if `mirrored`.
    pub(super) fn bars(&self, place: Rect, mirrored: bool) -> Rect {
        let names = if mirrored { 0 } else { self.names };
        Rect::new(
            place.x + self.padding() + names,
            place.y + self.padding(),
            self.length(),
            self.rows * self.row_height(),
        )
    }
}

#[cfg(test)]
mod tests {
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
                let line = Scale::new(HD, size, style).line;
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
            let parts = box_parts(size, &Scale::new(HD, size, style).line);
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
            let scale = Scale::new(Size { width, height }, face, Style::Default);
            (scale.label_em, scale.bars_em)
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
                    let scale = Scale::new(Size { width, height }, face, style);
                    assert!(
                        scale.label_em >= least && scale.bars_em >= least,
                        "{style:?} at {width}×{height}: {scale:?}"
                    );
                }
            }
        }
    }
}
