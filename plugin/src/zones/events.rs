//! The structures of what has happened, in metadata and messages.

use std::time::Duration;

use emotion_analysis::zones::{CrossingDirection, ZoneEvent, ZoneEventKind};
use gst::{Structure, StructureRef};

use super::structures::{clock_time, duration};
use crate::foreign::text_field;

const ENTERED: &str = "zone-entered";
const LEFT: &str = "zone-left";
const CROSSED: &str = "line-crossed";
const EXCEEDED: &str = "occupancy-exceeded";
const KEPT: &str = "occupancy-kept";

/// `zone-entered, zone, id, people`, `zone-left, zone, id, people, dwell`, `line-crossed, line, id, direction, name`,
/// `occupancy-exceeded, zone, people, limit` or `occupancy-kept, zone, people, limit`.
pub(crate) fn event_to_structure(event: &ZoneEvent) -> Structure {
    match &event.kind {
        ZoneEventKind::Entered { zone, id, people } => Structure::builder(ENTERED)
            .field("zone", zone)
            .field("id", id)
            .field("people", people)
            .build(),
        ZoneEventKind::Left {
            zone,
            id,
            people,
            dwell,
        } => Structure::builder(LEFT)
            .field("zone", zone)
            .field("id", id)
            .field("people", people)
            .field("dwell", clock_time(*dwell))
            .build(),
        ZoneEventKind::Crossed {
            line,
            id,
            direction,
            name,
        } => Structure::builder(CROSSED)
            .field("line", line)
            .field("id", id)
            .field("direction", direction.name())
            .field("name", name)
            .build(),
        ZoneEventKind::LimitExceeded {
            zone,
            people,
            limit,
        } => occupancy(EXCEEDED, zone, *people, *limit),
        ZoneEventKind::LimitKept {
            zone,
            people,
            limit,
        } => occupancy(KEPT, zone, *people, *limit),
    }
}

fn occupancy(name: &str, zone: &str, people: u32, limit: u32) -> Structure {
    Structure::builder(name)
        .field("zone", zone)
        .field("people", people)
        .field("limit", limit)
        .build()
}

/// The event of a structure with the field `ago`; none if it is not one.
pub(super) fn event_from_structure(structure: &StructureRef) -> Option<ZoneEvent> {
    let text = |name: &str| text_field(structure, name).map(ToOwned::to_owned);
    let number = |name: &str| structure.get::<u32>(name).ok();
    let id = || structure.get::<i32>("id").ok();
    let kind = match structure.name().as_str() {
        ENTERED => ZoneEventKind::Entered {
            zone: text("zone")?,
            id: id()?,
            people: number("people")?,
        },
        LEFT => ZoneEventKind::Left {
            zone: text("zone")?,
            id: id()?,
            people: number("people")?,
            dwell: duration(structure, "dwell")?,
        },
        CROSSED => ZoneEventKind::Crossed {
            line: text("line")?,
            id: id()?,
            direction: match text_field(structure, "direction")? {
                "in" => CrossingDirection::In,
                "out" => CrossingDirection::Out,
                _ => return None,
            },
            name: text("name")?,
        },
        EXCEEDED => ZoneEventKind::LimitExceeded {
            zone: text("zone")?,
            people: number("people")?,
            limit: number("limit")?,
        },
        KEPT => ZoneEventKind::LimitKept {
            zone: text("zone")?,
            people: number("people")?,
            limit: number("limit")?,
        },
        _ => return None,
    };
    let ago: Option<Duration> = duration(structure, "ago");
    Some(ZoneEvent { ago: ago?, kind })
}
