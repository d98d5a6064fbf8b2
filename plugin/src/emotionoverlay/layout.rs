//! Where everything goes: geometry in pixels of the frame, without a picture or a font.
//!
//! Labels, histories and panels of bars are placed greedily: of the places around a face that lie in the frame and cover
//! nothing placed before, the one that hides the least of the faces is taken. Bars hide no face but their own. What finds
//! no place is left out; the colour of the box still tells the emotion.
//!
//! What stands somewhere already stays there as long as that place is free and not much worse than another, and faces that
//! were there before choose before new ones, so that nothing jumps from frame to frame.

use std::cmp::Reverse;

use super::geometry::{Rect, Size};
use super::theme::{BarsPlace, Preferences};

/// A place that was taken before may be worse by this much: for a label, three tenths of it lie over faces.
const LOYALTY: u64 = 3;

/// A face with the sizes of what is to stand beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) face: Rect,
    pub(super) gap: i32,
    pub(super) label: Option<Size>,
    pub(super) history: Option<Size>,
    pub(super) bars: Option<Size>,
    /// Who chooses first.
    pub(super) rank: Rank,
    /// Where things stood on the frame before.
    pub(super) last: Spots,
}

/// Faces that were there before choose before new ones, large ones before small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) is_new: bool,
    pub(super) area: Reverse<i64>,
}

/// Which of its possible places each thing has taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spots {
    label: Option<usize>,
    history: Option<usize>,
    bars: Option<usize>,
}

/// Where the things of a face have found their place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) label: Option<Rect>,
    pub(super) history: Option<Rect>,
    pub(super) bars: Option<Rect>,
    pub(super) spots: Spots,
}

/// Finds places for the labels, then for the histories, then for the bars of all `subjects`, in whose order the result
/// is. Nothing covers what is `reserved`.
pub(super) fn arrange(
    frame: Size,
    reserved: Option<Rect>,
    preferences: Preferences,
    subjects: &[Subject],
) -> Vec<Placement> {
    let mut placements = vec![Placement::default(); subjects.len()];
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    order.sort_by_key(|&i| subjects[i].rank);

    let mut taken: Vec<Rect> = reserved.into_iter().collect();
    let is_free = |taken: &[Rect], place: &Rect| {
        place.lies_in(frame) && taken.iter().all(|other| place.overlap(other) == 0)
    };
    for &i in &order {
        let Subject {
            label: Some(size),
            last,
            ..
        } = subjects[i]
        else {
            continue;
        };
        let places = label_places(&subjects[i], size, frame, preferences);
        let found = best_place(&places, last.label, |p| is_free(&taken, p), subjects);
        placements[i].spots.label = found;
        placements[i].label = found.map(|spot| places[spot]);
        taken.extend(placements[i].label);
    }
    for &i in &order {
        let Subject {
            history: Some(size),
            last,
            ..
        } = subjects[i]
        else {
            continue;
        };
        let places = history_places(&subjects[i], size, placements[i].label, frame);
        let found = best_place(&places, last.history, |p| is_free(&taken, p), subjects);
        placements[i].spots.history = found;
        placements[i].history = found.map(|spot| places[spot]);
        taken.extend(placements[i].history);
    }
    for &i in &order {
        let Subject {
            bars: Some(size),
            last,
            ..
        } = subjects[i]
        else {
            continue;
        };
        let Placement { label, history, .. } = placements[i];
        let places = bars_places(
            &subjects[i],
            size,
            [label, history],
            frame,
            preferences.bars,
        );
        let hides_another = |place: &Rect| {
            let mut others = subjects.iter().enumerate().filter(|(other, _)| *other != i);
            others.any(|(_, other)| place.overlap(&other.face) > 0)
        };
        let free = |place: &Rect| is_free(&taken, place) && !hides_another(place);
        let found = best_place(&places, last.bars, free, subjects);
        placements[i].spots.bars = found;
        placements[i].bars = found.map(|spot| places[spot]);
        taken.extend(placements[i].bars);
    }
    placements
}

/// The place that hides the least of the faces; the last one and then earlier ones win when it is about the same.
fn best_place(
    places: &[Rect],
    last: Option<usize>,
    is_free: impl Fn(&Rect) -> bool,
    subjects: &[Subject],
) -> Option<usize> {
    places
        .iter()
        .enumerate()
        .filter(|(_, place)| is_free(place))
        .min_by_key(|(spot, place)| {
            let hidden: i64 = subjects
                .iter()
                .map(|other| place.overlap(&other.face))
                .sum();
            // A place one further down is worth it if it hides a tenth of the plate less.
            let tenths = (hidden * 10)
                .unsigned_abs()
                .div_ceil(place.area().unsigned_abs().max(1));
            let cost = tenths + *spot as u64;
            if last == Some(*spot) {
                (cost.saturating_sub(LOYALTY), 0)
            } else {
                (cost, 1)
            }
        })
        .map(|(spot, _)| spot)
}

/// Above, below, beside, and last inside the box at the chin and the forehead.
fn label_places(subject: &Subject, size: Size, frame: Size, preferences: Preferences) -> [Rect; 8] {
    let Subject { face, gap, .. } = *subject;
    let (mut first, mut second) = (face.y - gap - size.height, face.bottom() + gap);
    if preferences.labels_below {
        (first, second) = (second, first);
    }
    // A label that is wider than the box stands over its middle.
    let middle = face.x + (face.width - size.width) / 2;
    let left = face.x.min(middle);
    let right = (face.right() - size.width).max(middle);
    let in_columns = |x, y| Rect::at(x, y, size).moved_into_columns_of(frame);
    [
        in_columns(left, first),
        in_columns(left, second),
        in_columns(right, first),
        in_columns(right, second),
        Rect::at(face.right() + gap, face.y, size).moved_into_rows_of(frame),
        Rect::at(face.x - gap - size.width, face.y, size).moved_into_rows_of(frame),
        in_columns(left + 2 * gap, face.bottom() - 2 * gap - size.height).moved_into_rows_of(frame),
        in_columns(left + 2 * gap, face.y + 2 * gap).moved_into_rows_of(frame),
    ]
}

/// Below and above the box, there also beyond the label, and last inside the box.
fn history_places(subject: &Subject, size: Size, label: Option<Rect>, frame: Size) -> [Rect; 6] {
    let Subject { face, gap, .. } = *subject;
    let x = face.x + (face.width - size.width) / 2;
    let above = |edge: i32| edge - gap - size.height;
    let in_columns = |y| Rect::at(x, y, size).moved_into_columns_of(frame);
    [
        in_columns(face.bottom() + gap),
        in_columns(above(face.y)),
        in_columns(label.map_or(face.bottom(), |l| l.bottom()) + gap),
        in_columns(above(label.map_or(face.y, |l| l.y))),
        in_columns(above(face.bottom()) - gap),
        in_columns(face.y + 2 * gap),
    ]
}

/// Beside the box, below and above it, and last inside it.
fn bars_places(
    subject: &Subject,
    size: Size,
    beside: [Option<Rect>; 2],
    frame: Size,
    preference: BarsPlace,
) -> Vec<Rect> {
    let Subject { face, gap, .. } = *subject;
    let lowest = beside
        .iter()
        .flatten()
        .map(Rect::bottom)
        .fold(face.bottom(), i32::max);
    let highest = beside.iter().flatten().map(|r| r.y).fold(face.y, i32::min);
    let beside = [face.right() + gap, face.x - gap - size.width];
    let ends = [face.y, face.bottom() - size.height];
    let middle = face.y + (face.height - size.height) / 2;
    let inside = [face.right() - 2 * gap - size.width, face.x + 2 * gap];
    let chin = face.bottom() - 2 * gap - size.height;
    let forehead = face.y + 2 * gap;
    let in_rows = |x, y| Rect::at(x, y, size).moved_into_rows_of(frame);
    let in_columns = |x, y| Rect::at(x, y, size).moved_into_columns_of(frame);
    let margin = 2 * gap;
    let at_border = [
        Rect::at(margin, margin, size),
        Rect::at(margin, frame.height - margin - size.height, size),
    ];
    let around = [
        in_rows(beside[0], ends[0]),
        in_rows(beside[1], ends[0]),
        in_rows(beside[0], ends[1]),
        in_rows(beside[1], ends[1]),
        in_rows(beside[0], middle),
        in_rows(beside[1], middle),
        in_columns(face.x, lowest + gap),
        in_columns(face.x, highest - gap - size.height),
        in_columns(inside[0], chin).moved_into_rows_of(frame),
        in_columns(inside[1], chin).moved_into_rows_of(frame),
        in_columns(inside[0], forehead).moved_into_rows_of(frame),
        in_columns(inside[1], forehead).moved_into_rows_of(frame),
    ];
    match preference {
        BarsPlace::Beside => around.into(),
        BarsPlace::FrameLeft => [at_border.as_slice(), &around].concat(),
    }
}

#[cfg(test)]
mod tests;
