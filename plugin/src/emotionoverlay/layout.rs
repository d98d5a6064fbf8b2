//! Finds places for labels, timelines and bars: geometry in pixels of the frame, without pixels or fonts.
//!
//! Placement is greedy: of the slots around a face that lie in the frame and cover nothing placed before, the one that
//! hides the least of the faces wins. Bars hide no face but their own. An item without a free slot is left out; the colour
//! of the box still shows the emotion.
//!
//! To keep items from jumping between frames, an item stays in its slot as long as that is free and not much worse than
//! another, and faces of the frame before choose before new ones.

use std::cmp::Reverse;

use super::geometry::{Rect, Size};
use super::theme::{BarsPosition, LayoutPreferences};

/// The slot of the frame before may cost this much more than another: for a label, three tenths of it lie over faces.
const STABILITY_BONUS: u64 = 3;

/// A face with the sizes of its label, timeline and bars.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayoutItem {
    pub(super) face: Rect,
    pub(super) gap: i32,
    pub(super) label: Option<Size>,
    pub(super) timeline: Option<Size>,
    pub(super) bars: Option<Size>,
    pub(super) priority: Priority,
    /// The slots on the frame before.
    pub(super) last: Slots,
}

/// Who chooses first: faces of the frame before, then large ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Priority {
    pub(super) is_new: bool,
    pub(super) area: Reverse<i64>,
}

/// The chosen slots, as indices in the lists of possible ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Slots {
    label: Option<usize>,
    timeline: Option<usize>,
    bars: Option<usize>,
}

/// Where label, timeline and bars of a face go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) label: Option<Rect>,
    pub(super) timeline: Option<Rect>,
    pub(super) bars: Option<Rect>,
    pub(super) slots: Slots,
}

/// A plate of a zone or line.
#[derive(Debug, Clone)]
pub(super) struct PlateItem {
    /// Where it may go, the best place first.
    pub(super) slots: Vec<Rect>,
    /// The slot on the frame before.
    pub(super) last: Option<usize>,
}

/// Places the `plates` so that nothing covers the area `reserved` and they hide little of the `faces`. Each result is the index
/// of the slot and its place.
pub(super) fn place_plates(
    frame: Size,
    reserved: Option<Rect>,
    faces: &[Rect],
    plates: &[PlateItem],
) -> Vec<Option<(usize, Rect)>> {
    let mut space = FreeSpace {
        frame,
        faces,
        taken: reserved.into_iter().collect(),
    };
    let plates = plates.iter();
    plates
        .map(|plate| {
            let (slot, place) = space.take(&plate.slots, plate.last, |_| true);
            slot.zip(place)
        })
        .collect()
}

/// Places the labels, then the timelines, then the bars of all `items`. The result is in the order of `items`. Nothing
/// covers the areas `reserved`.
pub(super) fn arrange(
    frame: Size,
    reserved: &[Rect],
    preferences: LayoutPreferences,
    items: &[LayoutItem],
) -> Vec<Placement> {
    let mut placements = vec![Placement::default(); items.len()];
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&i| items[i].priority);

    let faces: Vec<Rect> = items.iter().map(|item| item.face).collect();
    let mut space = FreeSpace {
        frame,
        faces: &faces,
        taken: reserved.to_vec(),
    };
    for &i in &order {
        if let Some(size) = items[i].label {
            let slots = label_slots(&items[i], size, frame, preferences);
            (placements[i].slots.label, placements[i].label) =
                space.take(&slots, items[i].last.label, |_| true);
        }
    }
    for &i in &order {
        if let Some(size) = items[i].timeline {
            let slots = timeline_slots(&items[i], size, placements[i].label, frame);
            (placements[i].slots.timeline, placements[i].timeline) =
                space.take(&slots, items[i].last.timeline, |_| true);
        }
    }
    for &i in &order {
        if let Some(size) = items[i].bars {
            let Placement {
                label, timeline, ..
            } = placements[i];
            let slots = bars_slots(&items[i], size, [label, timeline], frame, preferences.bars);
            let hides_no_other = |slot: &Rect| {
                let mut others = items.iter().enumerate().filter(|(other, _)| *other != i);
                others.all(|(_, other)| slot.overlap(&other.face) == 0)
            };
            (placements[i].slots.bars, placements[i].bars) =
                space.take(&slots, items[i].last.bars, hides_no_other);
        }
    }
    placements
}

/// The part of the frame in which nothing is placed yet.
struct FreeSpace<'a> {
    frame: Size,
    faces: &'a [Rect],
    taken: Vec<Rect>,
}

impl FreeSpace<'_> {
    /// Takes the free slot that hides the least of the faces, and returns it with its index. When the difference is
    /// small, the slot `last` wins, then an earlier one.
    fn take(
        &mut self,
        slots: &[Rect],
        last: Option<usize>,
        is_allowed: impl Fn(&Rect) -> bool,
    ) -> (Option<usize>, Option<Rect>) {
        let best = slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| self.is_free(slot) && is_allowed(slot))
            .min_by_key(|(index, slot)| {
                let faces = self.faces.iter();
                let hidden: i64 = faces.map(|face| slot.overlap(face)).sum();
                // The next slot in the list is better if it hides a tenth of the item's area less.
                let tenths = (hidden * 10)
                    .unsigned_abs()
                    .div_ceil(slot.area().unsigned_abs().max(1));
                let cost = tenths + *index as u64;
                if last == Some(*index) {
                    (cost.saturating_sub(STABILITY_BONUS), 0)
                } else {
                    (cost, 1)
                }
            });
        self.taken.extend(best.map(|(_, slot)| *slot));
        best.map(|(index, slot)| (index, *slot)).unzip()
    }

    fn is_free(&self, slot: &Rect) -> bool {
        slot.lies_in(self.frame) && self.taken.iter().all(|other| slot.overlap(other) == 0)
    }
}

/// Above, below and beside the box, and last inside it at the chin and the forehead.
fn label_slots(
    item: &LayoutItem,
    size: Size,
    frame: Size,
    preferences: LayoutPreferences,
) -> [Rect; 8] {
    let LayoutItem { face, gap, .. } = *item;
    let (mut first, mut second) = (face.y - gap - size.height, face.bottom() + gap);
    if preferences.labels_below {
        (first, second) = (second, first);
    }
    // A label that is wider than the box is centred on it.
    let middle = face.x + (face.width - size.width) / 2;
    let left = face.x.min(middle);
    let right = (face.right() - size.width).max(middle);
    let in_columns = |x, y| Rect::at(x, y, size).moved_into_columns_of(frame);
    let in_rows = |x| Rect::at(x, face.y, size).moved_into_rows_of(frame);
    [
        in_columns(left, first),
        in_columns(left, second),
        in_columns(right, first),
        in_columns(right, second),
        in_rows(face.right() + gap),
        in_rows(face.x - gap - size.width),
        in_columns(left + 2 * gap, face.bottom() - 2 * gap - size.height).moved_into_rows_of(frame),
        in_columns(left + 2 * gap, face.y + 2 * gap),
    ]
}

/// Below and above the box, there also beyond the label, and last inside the box.
fn timeline_slots(item: &LayoutItem, size: Size, label: Option<Rect>, frame: Size) -> [Rect; 6] {
    let LayoutItem { face, gap, .. } = *item;
    let x = face.x + (face.width - size.width) / 2;
    let above = |edge: i32| edge - gap - size.height;
    [
        face.bottom() + gap,
        above(face.y),
        label.map_or(face.bottom(), |l| l.bottom()) + gap,
        above(label.map_or(face.y, |l| l.y)),
        above(face.bottom()) - gap,
        face.y + 2 * gap,
    ]
    .map(|y| Rect::at(x, y, size).moved_into_columns_of(frame))
}

/// Beside the box, below and above it and what `stacked` holds, and last inside the box.
fn bars_slots(
    item: &LayoutItem,
    size: Size,
    stacked: [Option<Rect>; 2],
    frame: Size,
    position: BarsPosition,
) -> Vec<Rect> {
    let LayoutItem { face, gap, .. } = *item;
    let stack = || stacked.into_iter().flatten().chain([face]);
    let lowest = stack().map(|r| r.bottom()).max().unwrap_or_default();
    let highest = stack().map(|r| r.y).min().unwrap_or_default();
    let margin = 2 * gap;
    let beside = [face.right() + gap, face.x - gap - size.width];
    let inside = [face.right() - margin - size.width, face.x + margin];
    let at_border = [
        Rect::at(margin, margin, size),
        Rect::at(margin, frame.height - margin - size.height, size),
    ];
    let rows = [
        face.y,
        face.bottom() - size.height,
        face.y + (face.height - size.height) / 2,
    ];
    let beside = rows
        .into_iter()
        .flat_map(|y| beside.map(|x| Rect::at(x, y, size).moved_into_rows_of(frame)));
    let stacked = [lowest + gap, highest - gap - size.height]
        .map(|y| Rect::at(face.x, y, size).moved_into_columns_of(frame));
    let inside = [face.bottom() - margin - size.height, face.y + margin]
        .into_iter()
        .flat_map(|y| inside.map(|x| Rect::at(x, y, size)))
        .map(|slot| slot.moved_into_columns_of(frame).moved_into_rows_of(frame));
    let around = beside.chain(stacked).chain(inside);
    match position {
        BarsPosition::Beside => around.collect(),
        BarsPosition::FrameLeft => at_border.into_iter().chain(around).collect(),
    }
}

#[cfg(test)]
mod tests;
