//! What to draw for zones and lines: outlines, and plates with names and counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use emotion_analysis::zones::{FramePoint, Line, LineCounts, Zone, ZoneCounts, ZoneLayout};

use super::dimensions;
use super::draw::{LabelSpec, OutlinePath, OutlineSpec, SpriteSpec};
use super::geometry::{Rect, Size};
use super::palette::{self, Colour};
use super::settings::Style;
use crate::pixels::PixelGrid;
use crate::zones::{self, FrameZones};

/// Side of the tiles that outlines are cut into: only tiles with a line in them are drawn and blended.
const TILE: i32 = 64;

/// The zones and lines of a frame.
pub(super) struct ShownZones {
    layout: ZoneLayout,
    counts: FrameZones,
}

/// The outlines of a stream, drawn anew only when one changes, and where plates were on the frame before.
#[derive(Default)]
pub(super) struct ZoneOverlay {
    key: Option<OutlineKey>,
    outlines: Vec<(SpriteSpec, Rect)>,
    slots: BTreeMap<PlateKey, usize>,
}

/// Whether it is the plate of a line, and its name.
pub(super) type PlateKey = (bool, String);

/// What the outlines depend on.
#[derive(PartialEq)]
struct OutlineKey {
    layout: ZoneLayout,
    exceeded: Vec<bool>,
    frame: Size,
    style: Style,
}

/// A plate with a name and counts, before it has a place.
pub(super) struct ZonePlate {
    pub(super) key: PlateKey,
    pub(super) spec: SpriteSpec,
    anchors: Vec<Anchor>,
    gap: i32,
}

/// A point next to which a plate may be, and the direction from the point to it: -1, 0 or 1.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    x: i32,
    y: i32,
    right: i32,
    down: i32,
}

impl ShownZones {
    /// The zones on `buffer`; none if there are none, or the picture has changed since they were drawn.
    pub(super) fn of(buffer: &gst::BufferRef, grid: &PixelGrid) -> Option<Self> {
        let layout = zones::shapes(buffer, grid.frame(), grid.aspect())?;
        let counts = zones::frame_zones(buffer)?;
        let is_whole = layout.zones().len() == counts.zones.len()
            && layout.lines().len() == counts.lines.len();
        is_whole.then_some(Self { layout, counts })
    }

    fn zones(&self) -> impl Iterator<Item = (&Zone, &ZoneCounts)> {
        self.layout.zones().iter().zip(&self.counts.zones)
    }

    fn lines(&self) -> impl Iterator<Item = (&Line, &LineCounts)> {
        self.layout.lines().iter().zip(&self.counts.lines)
    }

    /// The plates of all zones and lines.
    pub(super) fn plates(&self, frame: Size, style: Style) -> Vec<ZonePlate> {
        let (em, gap) = (em(frame, style), 2 * stroke(frame, style));
        let plate = |key: PlateKey, text: String, colour, anchors| ZonePlate {
            key,
            spec: SpriteSpec::Label(LabelSpec {
                id: None,
                name: Some(text),
                digits: None,
                em,
                colour,
            }),
            anchors,
            gap,
        };
        let zones = self.zones().map(|(zone, counts)| {
            let people = counts.people.len();
            let name = &counts.name;
            let text = match counts.limit {
                Some(limit) => format!("{name}: {people}/{limit}"),
                None => format!("{name}: {people}"),
            };
            let anchors = zone_anchors(zone, frame);
            plate((false, name.clone()), text, colour(counts), anchors)
        });
        let lines = self.lines().map(|(line, counts)| {
            let LineCounts {
                name,
                inwards,
                outwards,
                crossed_in,
                crossed_out,
            } = counts;
            let text = format!("{name}: {inwards} {crossed_in}, {outwards} {crossed_out}");
            let anchors = line_anchors(line, frame);
            plate((true, name.clone()), text, palette::ZONE, anchors)
        });
        zones.chain(lines).collect()
    }
}

impl ZonePlate {
    /// Where the plate of this size may go, the best place first.
    pub(super) fn slots(&self, size: Size, frame: Size) -> Vec<Rect> {
        let anchors = self.anchors.iter();
        anchors
            .map(|anchor| {
                let place = |at: i32, side: i32, length: i32| match side {
                    1 => at + self.gap,
                    -1 => at - self.gap - length,
                    _ => at - length / 2,
                };
                let x = place(anchor.x, anchor.right, size.width);
                let y = place(anchor.y, anchor.down, size.height);
                Rect::at(x, y, size)
                    .moved_into_columns_of(frame)
                    .moved_into_rows_of(frame)
            })
            .collect()
    }
}

impl ZoneOverlay {
    /// The outlines of the zones and lines, cut into tiles.
    pub(super) fn outlines(
        &mut self,
        shown: &ShownZones,
        frame: Size,
        style: Style,
    ) -> &[(SpriteSpec, Rect)] {
        let key = OutlineKey {
            layout: shown.layout.clone(),
            exceeded: shown
                .zones()
                .map(|(_, counts)| counts.is_exceeded)
                .collect(),
            frame,
            style,
        };
        if self.key.as_ref() != Some(&key) {
            let zones = shown.zones();
            let zones = zones.map(|(zone, counts)| zone_outline(zone, counts, frame, style));
            let lines = shown.lines();
            let lines = lines.map(|(line, _)| line_outline(line, frame, style));
            self.outlines = zones
                .chain(lines)
                .flat_map(|outline| tiles(outline, frame))
                .collect();
            self.key = Some(key);
        }
        &self.outlines
    }

    /// The slot that a plate had on the frame before.
    pub(super) fn last_slot(&self, key: &PlateKey) -> Option<usize> {
        self.slots.get(key).copied()
    }

    /// Remembers the slots of this frame.
    pub(super) fn set_slots(&mut self, slots: impl Iterator<Item = (PlateKey, usize)>) {
        self.slots = slots.collect();
    }
}

fn em(frame: Size, style: Style) -> i32 {
    (dimensions::frame_em(frame) * style.theme().letters).round() as i32
}

fn stroke(frame: Size, style: Style) -> i32 {
    let stroke = dimensions::frame_em(frame) / 9.0 * style.theme().stroke;
    stroke.round().max(2.0) as i32
}

fn colour(counts: &ZoneCounts) -> Colour {
    if counts.is_exceeded {
        palette::EXCEEDED
    } else {
        palette::ZONE
    }
}

fn pixel(point: FramePoint, frame: Size) -> (i32, i32) {
    let at = |share: f64, size: i32| (share * f64::from(size)).round() as i32;
    (at(point.x, frame.width), at(point.y, frame.height))
}

fn zone_outline(zone: &Zone, counts: &ZoneCounts, frame: Size, style: Style) -> OutlineSpec {
    let corners = zone.corners().iter();
    OutlineSpec {
        paths: vec![OutlinePath {
            points: corners.map(|corner| pixel(*corner, frame)).collect(),
            is_closed: true,
        }],
        stroke: stroke(frame, style) * if counts.is_exceeded { 2 } else { 1 },
        dark: 1,
        colour: colour(counts),
    }
}

/// The line, and an arrow in the inward direction at its middle.
fn line_outline(line: &Line, frame: Size, style: Style) -> OutlineSpec {
    let [from, to] = line.ends().map(|end| pixel(end, frame));
    let arm = f64::from(em(frame, style));
    let at = |(x, y): (f64, f64)| (x.round() as i32, y.round() as i32);
    let (middle, along, inwards) = directions(from, to);
    let tip = moved(middle, inwards, 1.6 * arm);
    let neck = moved(middle, inwards, arm);
    let head = [-0.45, 0.45].map(|side| at(moved(neck, along, side * arm)));
    let path = |points: Vec<(i32, i32)>| OutlinePath {
        points,
        is_closed: false,
    };
    OutlineSpec {
        paths: vec![
            path(vec![from, to]),
            path(vec![at(middle), at(tip)]),
            path(vec![head[0], at(tip), head[1]]),
        ],
        stroke: stroke(frame, style),
        dark: 1,
        colour: palette::ZONE,
    }
}

/// The middle between two points, the direction from the first to the second, and the direction to the right of it.
#[allow(clippy::type_complexity)]
fn directions(from: (i32, i32), to: (i32, i32)) -> ((f64, f64), (f64, f64), (f64, f64)) {
    let (x, y) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let length = x.hypot(y).max(1.0);
    let middle = (f64::from(from.0) + x / 2.0, f64::from(from.1) + y / 2.0);
    (middle, (x / length, y / length), (-y / length, x / length))
}

fn moved((x, y): (f64, f64), direction: (f64, f64), by: f64) -> (f64, f64) {
    (x + direction.0 * by, y + direction.1 * by)
}

/// In each corner of the zone, from the top to the bottom and from left to right.
fn zone_anchors(zone: &Zone, frame: Size) -> Vec<Anchor> {
    let mut corners: Vec<_> = zone.corners().iter().map(|c| pixel(*c, frame)).collect();
    corners.sort_by_key(|&(x, y)| (y, x));
    let count = i32::try_from(corners.len()).unwrap_or(i32::MAX);
    let mean = |of: fn(&(i32, i32)) -> i32| corners.iter().map(of).sum::<i32>() / count;
    let (middle_x, middle_y) = (mean(|corner| corner.0), mean(|corner| corner.1));
    let inwards = |at: i32, middle: i32| if at <= middle { 1 } else { -1 };
    let corners = corners.iter();
    corners
        .map(|&(x, y)| Anchor {
            x,
            y,
            right: inwards(x, middle_x),
            down: inwards(y, middle_y),
        })
        .collect()
}

/// Beyond either end of the line, the upper one first, and beside it, rather on the side without the arrow.
fn line_anchors(line: &Line, frame: Size) -> Vec<Anchor> {
    let [from, to] = line.ends().map(|end| pixel(end, frame));
    let (middle, along, inwards) = directions(from, to);
    let half = f64::from(to.0 - from.0).hypot(f64::from(to.1 - from.1)) / 2.0;
    let (upper, lower) = if from.1 <= to.1 {
        (from, to)
    } else {
        (to, from)
    };
    let end = |(x, y): (i32, i32), down| Anchor {
        x,
        y,
        right: 0,
        down,
    };
    let beside = |share: f64, sign: f64| {
        let (x, y) = moved(middle, along, share * half);
        let side = |direction: f64| match sign * direction {
            direction if direction > 0.4 => 1,
            direction if direction < -0.4 => -1,
            _ => 0,
        };
        Anchor {
            x: x.round() as i32,
            y: y.round() as i32,
            right: side(inwards.0),
            down: side(inwards.1),
        }
    };
    let sides = [-1.0, 1.0].into_iter();
    let beside = sides.flat_map(|sign| [-0.5, 0.5, 0.0].map(|share| beside(share, sign)));
    [end(upper, -1), end(lower, 1)]
        .into_iter()
        .chain(beside)
        .collect()
}

/// The tiles of an outline in which there is a part of it.
fn tiles(outline: OutlineSpec, frame: Size) -> Vec<(SpriteSpec, Rect)> {
    let reach = f64::from(outline.stroke) / 2.0 + f64::from(outline.dark) + 1.0;
    let mut touched = BTreeSet::new();
    for path in &outline.paths {
        let next = path.points.iter().cycle().skip(1);
        let count = path.points.len() - usize::from(!path.is_closed);
        for (from, to) in path.points.iter().zip(next).take(count) {
            let columns = tile_range(from.0, to.0, reach, frame.width);
            for row in tile_range(from.1, to.1, reach, frame.height) {
                let reached = (columns.clone()).filter(|column| {
                    let corner = (column * TILE, row * TILE);
                    segment_reaches(*from, *to, corner, reach)
                });
                touched.extend(reached.map(|column| (row, column)));
            }
        }
    }
    let outline = Arc::new(outline);
    let cut = |start: i32, size: i32| TILE.min(size - start);
    let touched = touched.into_iter();
    touched
        .map(|(row, column)| {
            let (x, y) = (column * TILE, row * TILE);
            let tile = Rect::new(x, y, cut(x, frame.width), cut(y, frame.height));
            let outline = Arc::clone(&outline);
            (SpriteSpec::Outline { outline, tile }, tile)
        })
        .collect()
}

/// The tiles of the frame from one place to another.
fn tile_range(from: i32, to: i32, reach: f64, size: i32) -> std::ops::Range<i32> {
    let reach = reach.ceil() as i32;
    let first = (from.min(to) - reach).max(0) / TILE;
    let last = (from.max(to) + reach).min(size - 1) / TILE;
    first..last + 1
}

/// Whether a segment comes as near as `reach` to the tile with this upper left corner (Liang and Barsky, 1984).
fn segment_reaches(from: (i32, i32), to: (i32, i32), corner: (i32, i32), reach: f64) -> bool {
    let (mut start, mut end) = (0.0, 1.0);
    for (from, to, low) in [(from.0, to.0, corner.0), (from.1, to.1, corner.1)] {
        let (from, step) = (f64::from(from), f64::from(to - from));
        let (low, high) = (f64::from(low) - reach, f64::from(low + TILE) + reach);
        if step == 0.0 {
            if from < low || from > high {
                return false;
            }
            continue;
        }
        let (a, b) = ((low - from) / step, (high - from) / step);
        start = f64::max(start, a.min(b));
        end = f64::min(end, a.max(b));
    }
    start <= end
}

#[cfg(test)]
mod tests;
