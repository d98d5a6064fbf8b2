//! Lengths that follow the size of the frame and of a face, and the pieces of a box.

use super::geometry::{Rect, Size};
use super::settings::Style;
use super::theme::BoxForm;

/// Lengths in pixels for the overlay of one face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FaceDimensions {
    /// Height of the label's letters (the em).
    pub(super) label_em: i32,
    /// Height of the letters beside the bars.
    pub(super) bars_em: i32,
    /// Distance between the box and the label, timeline or bars.
    pub(super) gap: i32,
    /// Side of the dot on a landmark.
    pub(super) dot: i32,
    pub(super) line: BoxLine,
}

/// The line of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BoxLine {
    pub(super) form: BoxForm,
    /// Width of the coloured line.
    pub(super) stroke: i32,
    /// Width of the dark line on both sides of it.
    pub(super) outline: i32,
    /// Side of the square that a corner takes; for [`BoxForm::Rounded`] the outer radius.
    pub(super) corner: i32,
}

impl FaceDimensions {
    /// The lengths for a face in a frame. In the default style, letters are 12 pixels high at 320×240, 27 at 1920×1080
    /// and 46 at 3840×2160. On small faces they shrink to two thirds, so that labels do not hide a crowd.
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
        let is_small = side < 32;
        let full_stroke = (frame_em / 9.0 * theme.stroke).round().max(2.0) as i32;
        let stroke = if is_small { 1 } else { full_stroke };
        let corner = match theme.box_form {
            BoxForm::Rounded => (stroke * 4).min(side / 4),
            BoxForm::Square => 0,
            BoxForm::Brackets => (side / 4).min(frame_em.round() as i32 * 2),
        };
        Self {
            label_em: em(0.2, 1.0),
            bars_em: em(0.12, 0.85),
            gap: stroke.max(2) * 2,
            dot: (side / 16).clamp(3, frame_em.round().max(3.0) as i32),
            line: BoxLine {
                form: theme.box_form,
                stroke,
                outline: i32::from(theme.outlined && !is_small),
                corner: corner.max(1),
            },
        }
    }
}

/// The largest height of letters in a frame in the default style.
pub(super) fn frame_em(frame: Size) -> f64 {
    7.5 + 0.018 * f64::from(frame.width.min(frame.height))
}

impl BoxLine {
    /// Width of the line with its outline.
    pub(super) fn width(&self) -> i32 {
        self.stroke + 2 * self.outline
    }
}

/// A piece of the line around a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BoxPart {
    /// All of a box that is too small for pieces.
    Whole,
    Corner {
        right: bool,
        bottom: bool,
    },
    /// A straight piece along the columns (upright) or the rows.
    Edge {
        upright: bool,
    },
}

/// The pieces of a box of the given size, in coordinates of the box. Together they hold the whole line. Corners look the
/// same on boxes of all sizes, edges hold no curves, and the large empty middle is never drawn.
pub(super) fn box_parts(size: Size, line: &BoxLine) -> Vec<(BoxPart, Rect)> {
    let Size { width, height } = size;
    let thickness = line.width();
    let end = line.corner.max(thickness);
    if width < 2 * end || height < 2 * end || width <= 2 * thickness || height <= 2 * thickness {
        return vec![(BoxPart::Whole, Rect::at(0, 0, size))];
    }
    let corners = [(false, false), (true, false), (false, true), (true, true)];
    let corners = corners.map(|(right, bottom)| {
        let x = if right { width - end } else { 0 };
        let y = if bottom { height - end } else { 0 };
        (BoxPart::Corner { right, bottom }, Rect::new(x, y, end, end))
    });
    let (across, down) = (width - 2 * end, height - 2 * end);
    let edges = [
        (false, Rect::new(end, 0, across, thickness)),
        (false, Rect::new(end, height - thickness, across, thickness)),
        (true, Rect::new(0, end, thickness, down)),
        (true, Rect::new(width - thickness, end, thickness, down)),
    ];
    let has_edges = line.form != BoxForm::Brackets;
    let edges = edges
        .into_iter()
        .filter(|(_, area)| has_edges && area.area() > 0)
        .map(|(upright, area)| (BoxPart::Edge { upright }, area));
    corners.into_iter().chain(edges).collect()
}

/// Lengths in pixels of a panel of bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PanelDimensions {
    /// Height of the letters.
    pub(super) em: i32,
    /// Width of the names and of the space between them and their bars.
    pub(super) names: i32,
    pub(super) rows: i32,
}

impl PanelDimensions {
    /// For names that are at most `widest` pixels wide.
    pub(super) fn new(em: i32, widest: i32, rows: usize) -> Self {
        Self {
            em,
            names: widest + em / 2,
            rows: i32::try_from(rows).unwrap_or(i32::MAX / 1024),
        }
    }

    /// Size of the panel.
    pub(super) fn size(&self) -> Size {
        let Size { width, height } = self.bars_size();
        Size {
            width: 2 * self.padding() + self.names + width,
            height: 2 * self.padding() + height,
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

    /// Length of a bar for a probability of 1.
    pub(super) fn bar_length(&self) -> i32 {
        self.em * 5
    }

    pub(super) fn bar_thickness(&self) -> i32 {
        (self.em / 2).max(2)
    }

    /// Size of all bars together.
    pub(super) fn bars_size(&self) -> Size {
        Size {
            width: self.bar_length(),
            height: self.rows * self.row_height(),
        }
    }

    /// The bars on a `panel`; at its left if `mirrored`.
    pub(super) fn bars_area(&self, panel: Rect, mirrored: bool) -> Rect {
        let names = if mirrored { 0 } else { self.names };
        let (x, y) = (panel.x + self.padding() + names, panel.y + self.padding());
        Rect::at(x, y, self.bars_size())
    }
}

#[cfg(test)]
mod tests;
