//! Reads zones and lines from the metadata of a buffer.

use std::collections::HashMap;

use emotion_analysis::zones::{FramePoint, ZoneLayout};
use gst::StructureRef;
use gst::meta::CustomMeta;
use gst_video::VideoRegionOfInterestMeta;

use super::events::event_from_structure;
use super::structures::{line_from_structure, line_shape, zone_from_structure, zone_shape};
use super::types::FrameZones;
use super::write::{ASPECT, META_NAME, rectangle, register_meta};

/// A picture whose sides relate by this much otherwise has got borders, or was stretched.
const ASPECT_TOLERANCE: f64 = 0.05;

/// A region whose border is further off, as a fraction of the frame, belongs to another picture.
const PLACE_TOLERANCE: f64 = 0.02;

/// The zones and lines on `buffer`; none if `emotionzones` has not seen the frame.
pub fn frame_zones(buffer: &gst::BufferRef) -> Option<FrameZones> {
    register_meta();
    let meta = CustomMeta::from_buffer(buffer, META_NAME).ok()?;
    let structure = meta.structure();
    Some(FrameZones {
        zones: parts(structure, "zones", zone_from_structure),
        lines: parts(structure, "lines", line_from_structure),
        events: parts(structure, "events", event_from_structure),
    })
}

/// The shapes of the zones and lines on `buffer`, a frame of `width` × `height` pixels that is shown with this `aspect`; none if
/// an element has cropped, flipped or otherwise changed the picture since they were drawn.
pub fn shapes(
    buffer: &gst::BufferRef,
    (width, height): (u32, u32),
    aspect: f64,
) -> Option<ZoneLayout> {
    register_meta();
    let meta = CustomMeta::from_buffer(buffer, META_NAME).ok()?;
    let structure = meta.structure();
    let drawn: f64 = structure.get(ASPECT).ok()?;
    let difference = (drawn / aspect - 1.0).abs();
    if !(0.0..=ASPECT_TOLERANCE).contains(&difference) {
        return None;
    }
    let regions: HashMap<i32, _> = buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .map(|roi| (roi.id(), roi.rect()))
        .collect();
    let is_in_place = |structure: &StructureRef, points: &[FramePoint]| {
        let id: Option<i32> = structure.get("roi_id").ok();
        let found = id.and_then(|id| regions.get(&id));
        let expected = rectangle(points, width, height);
        found.is_some_and(|found| are_close(*found, expected, (width, height)))
    };
    let zones = all(structure, "zones", |structure| {
        zone_shape(structure).filter(|zone| is_in_place(structure, zone.corners()))
    });
    let lines = all(structure, "lines", |structure| {
        line_shape(structure).filter(|line| is_in_place(structure, &line.ends()))
    });
    ZoneLayout::new(zones?, lines?).ok()
}

fn are_close(
    found: (u32, u32, u32, u32),
    expected: (u32, u32, u32, u32),
    (width, height): (u32, u32),
) -> bool {
    let is_close = |a: u32, b: u32, size: u32| {
        f64::from(a.abs_diff(b)) <= (f64::from(size) * PLACE_TOLERANCE).max(2.0)
    };
    is_close(found.0, expected.0, width)
        && is_close(found.1, expected.1, height)
        && is_close(found.2, expected.2, width)
        && is_close(found.3, expected.3, height)
}

/// The elements of an array of structures that can be read.
fn parts<T>(
    structure: &StructureRef,
    name: &str,
    read: impl Fn(&StructureRef) -> Option<T>,
) -> Vec<T> {
    let array = structure.get::<gst::ArrayRef<'_>>(name).ok();
    let values = array.iter().flat_map(|array| array.as_slice());
    values
        .filter_map(|value| read(value.get::<&StructureRef>().ok()?))
        .collect()
}

/// The elements of an array of structures; none if one cannot be read.
fn all<T>(
    structure: &StructureRef,
    name: &str,
    read: impl Fn(&StructureRef) -> Option<T>,
) -> Option<Vec<T>> {
    let array = structure.get::<gst::ArrayRef<'_>>(name).ok()?;
    let values = array.as_slice().iter();
    values
        .map(|value| read(value.get::<&StructureRef>().ok()?))
        .collect()
}
