//! The structures of zones and lines.

use std::time::Duration;

use emotion_analysis::zones::{
    DwellSummary, FramePoint, Line, LineCounts, PersonInZone, Zone, ZoneCounts,
};
use gst::{Structure, StructureRef};

use super::types::FrameZones;
use crate::foreign::{array_field, text, text_field};

/// `zones` and `lines`, an array each.
pub(crate) fn to_structures(zones: &FrameZones) -> (gst::Array, gst::Array) {
    (
        gst::Array::new(zones.zones.iter().map(zone_to_structure)),
        gst::Array::new(zones.lines.iter().map(line_to_structure)),
    )
}

/// The counts of a zone, without its shape.
pub(super) fn zone_to_structure(zone: &ZoneCounts) -> Structure {
    let people = u32::try_from(zone.people.len()).unwrap_or(u32::MAX);
    let dwell = zone.people.iter().map(|person| clock_time(person.dwell));
    Structure::builder("zone")
        .field("name", &zone.name)
        .field("people", people)
        .field("ids", gst::Array::new(zone.people.iter().map(|p| p.id)))
        .field("dwell", gst::Array::new(dwell))
        .field("entered", zone.entered)
        .field("left", zone.left)
        .field_if_some("limit", zone.limit)
        .field_if_some("exceeded", zone.limit.map(|_| zone.is_exceeded))
        .field("stays", zone.dwell.count)
        .field("mean-dwell", clock_time(zone.dwell.mean))
        .field("longest-dwell", clock_time(zone.dwell.longest))
        .field(
            "emotions",
            gst::Array::new(zone.emotions.iter().map(|(name, _)| name)),
        )
        .field(
            "shares",
            gst::Array::new(zone.emotions.iter().map(|(_, share)| share)),
        )
        .build()
}

/// The counts of a line, without its shape.
pub(super) fn line_to_structure(line: &LineCounts) -> Structure {
    Structure::builder("line")
        .field("name", &line.name)
        .field("in", line.crossed_in)
        .field("out", line.crossed_out)
        .field("in-name", &line.inwards)
        .field("out-name", &line.outwards)
        .build()
}

pub(super) fn zone_from_structure(structure: &StructureRef) -> Option<ZoneCounts> {
    let ids = array_field(structure, "ids", |value| value.get::<i32>().ok());
    let dwell = array_field(structure, "dwell", |value| {
        value.get::<gst::ClockTime>().ok().map(Duration::from)
    });
    let emotions = array_field(structure, "emotions", |value| {
        Some(text(value).ok()??.to_owned())
    });
    let shares = array_field(structure, "shares", |value| value.get::<f64>().ok());
    let people = ids.into_iter().zip(dwell);
    Some(ZoneCounts {
        name: text_field(structure, "name")?.to_owned(),
        people: people
            .map(|(id, dwell)| PersonInZone { id, dwell })
            .collect(),
        entered: structure.get("entered").ok()?,
        left: structure.get("left").ok()?,
        limit: structure.get("limit").ok(),
        is_exceeded: structure.get("exceeded").unwrap_or(false),
        dwell: DwellSummary {
            count: structure.get("stays").ok()?,
            mean: duration(structure, "mean-dwell")?,
            longest: duration(structure, "longest-dwell")?,
        },
        emotions: emotions.into_iter().zip(shares).collect(),
    })
}

pub(super) fn line_from_structure(structure: &StructureRef) -> Option<LineCounts> {
    let text = |name: &str| text_field(structure, name).map(ToOwned::to_owned);
    Some(LineCounts {
        name: text("name")?,
        inwards: text("in-name")?,
        outwards: text("out-name")?,
        crossed_in: structure.get("in").ok()?,
        crossed_out: structure.get("out").ok()?,
    })
}

/// The points as a field has them: x and y by turns.
pub(super) fn points_to_array(points: &[FramePoint]) -> gst::Array {
    gst::Array::new(points.iter().flat_map(|point| [point.x, point.y]))
}

/// The shape of a zone; none if it is not one.
pub(super) fn zone_shape(structure: &StructureRef) -> Option<Zone> {
    let name = text_field(structure, "name")?;
    let corners = points(structure, "corners");
    Zone::new(name, corners, structure.get("limit").ok()).ok()
}

/// The shape of a line; none if it is not one.
pub(super) fn line_shape(structure: &StructureRef) -> Option<Line> {
    let text = |name: &str| text_field(structure, name);
    let ends = <[FramePoint; 2]>::try_from(points(structure, "ends")).ok()?;
    Line::new(text("name")?, ends, [text("in-name")?, text("out-name")?]).ok()
}

fn points(structure: &StructureRef, name: &str) -> Vec<FramePoint> {
    let numbers = array_field(structure, name, |value| value.get::<f64>().ok());
    let points = numbers.as_chunks().0.iter();
    points.map(|&[x, y]| FramePoint { x, y }).collect()
}

pub(super) fn clock_time(time: Duration) -> gst::ClockTime {
    gst::ClockTime::try_from(time).unwrap_or(gst::ClockTime::MAX)
}

pub(super) fn duration(structure: &StructureRef, name: &str) -> Option<Duration> {
    structure
        .get::<gst::ClockTime>(name)
        .ok()
        .map(Duration::from)
}
