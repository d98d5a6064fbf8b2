//! Where everything goes: geometry in pixels of the frame, without a picture or a font.
//!
//! Labels and panels of bars are placed greedily, those of large faces first: of the places around a face that lie in the
//! frame and cover nothing placed before, the one that hides the least of the faces is taken. Bars hide no face but their
//! own. What finds no place is left out; the colour of the box still tells the emotion.

use std::cmp::Reverse;

/// A width and a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Size {
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A rectangle; `right` and `bottom` are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Rect {
    pub(super) fn new(x: i32, y: i32, width: i32, height: i32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    fn at(x: i32, y: i32, size: Size) -> Self {
        Self::new(x, y, size.width, size.height)
    }

    fn right(&self) -> i32 {
        self.x + self.width
    }

    fn bottom(&self) -> i32 {
        self.y + self.height
    }

    pub(super) fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }

    /// The number of pixels.
    pub(super) fn area(&self) -> i64 {
        i64::from(self.width) * i64::from(self.height)
    }

    /// The number of pixels that lie in `other` as well.
    fn overlap(&self, other: &Self) -> i64 {
        let width = self.right().min(other.right()) - self.x.max(other.x);
        let height = self.bottom().min(other.bottom()) - self.y.max(other.y);
        i64::from(width.max(0)) * i64::from(height.max(0))
    }

    fn lies_in(&self, frame: Size) -> bool {
        self.x >= 0 && self.y >= 0 && self.right() <= frame.width && self.bottom() <= frame.height
    }

    fn moved_into_columns_of(self, frame: Size) -> Self {
        Self {
            x: self.x.min(frame.width - self.width).max(0),
            ..self
        }
    }

    fn moved_into_rows_of(self, frame: Size) -> Self {
        Self {
            y: self.y.min(frame.height - self.height).max(0),
            ..self
        }
    }
}

/// The part of a region that can be seen in the frame, if any.
pub(super) fn visible(x: i32, y: i32, width: u32, height: u32, frame: Size) -> Option<Rect> {
    let (x, width) = visible_span(x, width, frame.width)?;
    let (y, height) = visible_span(y, height, frame.height)?;
    Some(Rect {
        x,
        y,
        width,
        height,
    })
}

fn visible_span(start: i32, length: u32, limit: i32) -> Option<(i32, i32)> {
    let end = i64::from(start) + i64::from(length);
    let end = i32::try_from(end.min(i64::from(limit))).ok()?;
    let start = start.max(0);
    (start < end).then(|| (start, end - start))
}

/// The lengths that follow the size of the frame and of a face, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scale {
    /// Height of the label's letters (the em).
    pub(super) label_em: i32,
    /// Height of the letters beside the bars.
    pub(super) bars_em: i32,
    /// Width of the coloured line of the box.
    pub(super) stroke: i32,
    /// Width of the dark line on both sides of the coloured one.
    pub(super) outline: i32,
    /// Outer radius of the box's corners.
    pub(super) corner: i32,
    /// Distance between the box and what stands beside it.
    pub(super) gap: i32,
}

impl Scale {
    /// The lengths for a face in a frame: letters of 12 pixels at 320×240, 27 at 1920×1080 and 46 at 3840×2160, and
    /// down to two thirds of it on small faces, so that a crowd is not hidden behind its labels.
    pub(super) fn new(frame: Size, face: Rect) -> Self {
        let full = 7.5 + 0.018 * f64::from(frame.width.min(frame.height));
        let least = (full * 0.66).max(10.0).min(full);
        let em = |per_width: f64, of_full: f64| {
            (f64::from(face.width) * per_width)
                .clamp(least, (full * of_full).max(least))
                .round() as i32
        };
        let side = face.width.min(face.height);
        let small = side < 32;
        let stroke = if small {
            1
        } else {
            (full / 9.0).round().max(2.0) as i32
        };
        Self {
            label_em: em(0.2, 1.0),
            bars_em: em(0.12, 0.85),
            stroke,
            outline: i32::from(!small),
            corner: (stroke * 4).min(side / 4).max(1),
            gap: stroke * 2,
        }
    }

    /// Width of the whole line of the box.
    pub(super) fn line(&self) -> i32 {
        self.stroke + 2 * self.outline
    }
}

/// The parts of a box of the given size that its line touches, in coordinates of the box: four strips, or the whole of
/// a box that has no middle. The large empty middle is never drawn.
pub(super) fn box_parts(size: Size, scale: &Scale) -> Vec<Rect> {
    let Size { width, height } = size;
    let end = scale.corner.max(scale.line());
    let line = scale.line();
    if width <= 2 * line || height <= 2 * end {
        return vec![Rect::new(0, 0, width, height)];
    }
    let middle = height - 2 * end;
    vec![
        Rect::new(0, 0, width, end),
        Rect::new(0, height - end, width, end),
        Rect::new(0, end, line, middle),
        Rect::new(width - line, end, line, middle),
    ]
}

/// The size of a panel with a bar for each of `rows` labels.
pub(super) fn bars_size(em: i32, rows: usize) -> Size {
    let rows = i32::try_from(rows).unwrap_or(i32::MAX / 1024);
    Size {
        width: 2 * bars_padding(em) + bars_name_width(em) + bars_length(em),
        height: 2 * bars_padding(em) + rows * bars_row_height(em),
    }
}

/// The empty border of a panel of bars.
pub(super) fn bars_padding(em: i32) -> i32 {
    (em * 6 + 5) / 10
}

/// Distance from one bar to the next.
pub(super) fn bars_row_height(em: i32) -> i32 {
    (em * 13 + 5) / 10
}

/// Width of the names and of the space before their bars.
pub(super) fn bars_name_width(em: i32) -> i32 {
    (em * 52 + 5) / 10
}

/// Length of a bar that stands for a probability of 1.
pub(super) fn bars_length(em: i32) -> i32 {
    em * 5
}

/// A face with the sizes of what is to stand beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) face: Rect,
    pub(super) label: Option<Size>,
    pub(super) bars: Option<Size>,
    pub(super) gap: i32,
}

/// Where the label and the bars of a face have found their place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) label: Option<Rect>,
    pub(super) bars: Option<Rect>,
}

/// Finds places for the labels, then for the bars of all `subjects`, in whose order the result is.
pub(super) fn arrange(frame: Size, subjects: &[Subject]) -> Vec<Placement> {
    let mut placements = vec![Placement::default(); subjects.len()];
    let mut by_size: Vec<usize> = (0..subjects.len()).collect();
    by_size.sort_by_key(|&i| Reverse(subjects[i].face.area()));

    let mut taken = Vec::new();
    for &i in &by_size {
        if let Some(size) = subjects[i].label {
            let places = label_places(&subjects[i], size, frame);
            let free = |place: &Rect| taken.iter().all(|other| place.overlap(other) == 0);
            placements[i].label = best_place(&places, frame, free, subjects);
            taken.extend(placements[i].label);
        }
    }
    for &i in &by_size {
        if let Some(size) = subjects[i].bars {
            let places = bars_places(&subjects[i], size, placements[i].label, frame);
            let free = |place: &Rect| {
                let mut others = subjects.iter().enumerate().filter(|(other, _)| *other != i);
                taken.iter().all(|other| place.overlap(other) == 0)
                    && others.all(|(_, other)| place.overlap(&other.face) == 0)
            };
            placements[i].bars = best_place(&places, frame, free, subjects);
            taken.extend(placements[i].bars);
        }
    }
    placements
}

/// The place that hides the least of the faces; earlier ones win when it is about the same.
fn best_place(
    places: &[Rect],
    frame: Size,
    is_free: impl Fn(&Rect) -> bool,
    subjects: &[Subject],
) -> Option<Rect> {
    places
        .iter()
        .enumerate()
        .filter(|(_, place)| place.lies_in(frame) && is_free(place))
        .map(|(rank, place)| {
            let hidden: i64 = subjects
                .iter()
                .map(|other| place.overlap(&other.face))
                .sum();
            // A place one rank further down is worth it if it hides a tenth of the plate less.
            let tenths = (hidden * 10)
                .unsigned_abs()
                .div_ceil(place.area().unsigned_abs().max(1));
            (tenths + rank as u64, *place)
        })
        .min_by_key(|(cost, _)| *cost)
        .map(|(_, place)| place)
}

/// Above, below, beside, and last inside the box at the chin and the forehead.
fn label_places(subject: &Subject, size: Size, frame: Size) -> [Rect; 8] {
    let Subject { face, gap, .. } = *subject;
    let above = face.y - gap - size.height;
    let below = face.bottom() + gap;
    // A label that is wider than the box stands over its middle.
    let middle = face.x + (face.width - size.width) / 2;
    let left = face.x.min(middle);
    let right = (face.right() - size.width).max(middle);
    let in_columns = |x, y| Rect::at(x, y, size).moved_into_columns_of(frame);
    [
        in_columns(left, above),
        in_columns(left, below),
        in_columns(right, above),
        in_columns(right, below),
        Rect::at(face.right() + gap, face.y, size).moved_into_rows_of(frame),
        Rect::at(face.x - gap - size.width, face.y, size).moved_into_rows_of(frame),
        in_columns(left + 2 * gap, face.bottom() - 2 * gap - size.height).moved_into_rows_of(frame),
        in_columns(left + 2 * gap, face.y + 2 * gap).moved_into_rows_of(frame),
    ]
}

/// Beside the box, below and above it, and last inside it.
fn bars_places(subject: &Subject, size: Size, label: Option<Rect>, frame: Size) -> [Rect; 10] {
    let Subject { face, gap, .. } = *subject;
    let beside = [face.right() + gap, face.x - gap - size.width];
    let ends = [face.y, face.bottom() - size.height];
    let below = label.map_or(face.bottom(), |l| l.bottom().max(face.bottom())) + gap;
    let above = label.map_or(face.y, |l| l.y.min(face.y)) - gap - size.height;
    let inside = [face.right() - 2 * gap - size.width, face.x + 2 * gap];
    let chin = face.bottom() - 2 * gap - size.height;
    let forehead = face.y + 2 * gap;
    let in_rows = |x, y| Rect::at(x, y, size).moved_into_rows_of(frame);
    let in_columns = |x, y| Rect::at(x, y, size).moved_into_columns_of(frame);
    [
        in_rows(beside[0], ends[0]),
        in_rows(beside[1], ends[0]),
        in_rows(beside[0], ends[1]),
        in_rows(beside[1], ends[1]),
        in_columns(face.x, below),
        in_columns(face.x, above),
        in_columns(inside[0], chin).moved_into_rows_of(frame),
        in_columns(inside[1], chin).moved_into_rows_of(frame),
        in_columns(inside[0], forehead).moved_into_rows_of(frame),
        in_columns(inside[1], forehead).moved_into_rows_of(frame),
    ]
}

#[cfg(test)]
mod tests;
