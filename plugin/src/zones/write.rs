//! Writes zones and lines to the metadata of a buffer.

use std::sync::Once;

use emotion_analysis::zones::{FramePoint, ZoneLayout};
use gst::Structure;
use gst::meta::CustomMeta;
use gst_video::VideoRegionOfInterestMeta;

use super::events::event_to_structure;
use super::structures::{clock_time, line_to_structure, points_to_array, zone_to_structure};
use super::types::{FrameZones, LINE_ROI_TYPE, ZONE_ROI_TYPE};
use crate::face::FreeIds;

pub(super) const META_NAME: &str = "GstEmotionZoneMeta";
pub(super) const ASPECT: &str = "aspect";

/// Makes the custom meta known to GStreamer, once; every function of this module that needs it calls this.
pub(super) fn register_meta() {
    static REGISTER: Once = Once::new();
    REGISTER.call_once(|| {
        if !CustomMeta::is_registered(META_NAME) {
            CustomMeta::register_simple(META_NAME);
        }
    });
}

/// Writes the zones and lines of a frame of `width` × `height` pixels, which is shown with this `aspect`, in place of earlier
/// ones. `zones` has the counts of each zone and line of the `layout`, in its order.
pub fn set_zones(
    buffer: &mut gst::BufferRef,
    (width, height): (u32, u32),
    aspect: f64,
    layout: &ZoneLayout,
    zones: &FrameZones,
) {
    register_meta();
    let mut ids = FreeIds::of(buffer);
    let mut add_region = |roi_type: &str, points: &[FramePoint]| {
        let id = ids.take();
        let rect = rectangle(points, width, height);
        VideoRegionOfInterestMeta::add(buffer, roi_type, rect).set_id(id);
        id
    };
    let with_shape = |mut structure: Structure, name: &str, points: &[FramePoint], id: i32| {
        structure.set(name, points_to_array(points));
        structure.set("roi_id", id);
        structure
    };
    let zone_structures: Vec<_> = (layout.zones().iter().zip(&zones.zones))
        .map(|(zone, counts)| {
            let id = add_region(ZONE_ROI_TYPE, zone.corners());
            with_shape(zone_to_structure(counts), "corners", zone.corners(), id)
        })
        .collect();
    let line_structures: Vec<_> = (layout.lines().iter().zip(&zones.lines))
        .map(|(line, counts)| {
            let id = add_region(LINE_ROI_TYPE, &line.ends());
            with_shape(line_to_structure(counts), "ends", &line.ends(), id)
        })
        .collect();
    let events = zones.events.iter().map(|event| {
        let mut structure = event_to_structure(event);
        structure.set("ago", clock_time(event.ago));
        structure
    });
    let events = gst::Array::new(events);

    let mut meta = match CustomMeta::from_mut_buffer(buffer, META_NAME) {
        Ok(meta) => Ok(meta),
        Err(_) => CustomMeta::add(buffer, META_NAME),
    }
    .expect("it is registered");
    let structure = meta.mut_structure();
    structure.set(ASPECT, aspect);
    structure.set("zones", gst::Array::new(zone_structures));
    structure.set("lines", gst::Array::new(line_structures));
    structure.set("events", events);
}

/// The rectangle around points, in pixels: x, y, width and height, the latter at least 1.
pub(super) fn rectangle(points: &[FramePoint], width: u32, height: u32) -> (u32, u32, u32, u32) {
    let span = |values: &dyn Fn(&FramePoint) -> f64, size: u32| {
        let low = points.iter().map(values).fold(1.0, f64::min);
        let high = points.iter().map(values).fold(0.0, f64::max);
        let start = ((low * f64::from(size)).round() as u32).min(size.saturating_sub(1));
        let end = ((high * f64::from(size)).round() as u32).max(start + 1);
        (start, end - start)
    };
    let (x, width) = span(&|point| point.x, width);
    let (y, height) = span(&|point| point.y, height);
    (x, y, width, height)
}
