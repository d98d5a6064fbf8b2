//! Element messages about zones and lines.

use emotion_analysis::zones::ZoneEvent;
use gst::glib;

use crate::frame_time::FrameTime;
use crate::zones::{FrameZones, event_to_structure, to_structures};

/// Which messages are posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionZonesMessages")]
#[repr(i32)]
pub(super) enum ZoneMessages {
    #[default]
    #[enum_value(name = "No messages", nick = "none")]
    None,
    #[enum_value(
        name = "When somebody enters or leaves a zone or crosses a line, and when a limit is exceeded or kept again",
        nick = "change"
    )]
    Change,
    #[enum_value(
        name = "Also zones, with all zones and lines of each frame",
        nick = "frame"
    )]
    Frame,
}

/// The message of an event on the frame at `time`; `stream-time` and `running-time` are those of the event.
pub(super) fn event(event: &ZoneEvent, time: FrameTime) -> gst::Structure {
    let ago = gst::ClockTime::try_from(event.ago).unwrap_or(gst::ClockTime::ZERO);
    let at = |time: Option<gst::ClockTime>| time.map(|time| time.saturating_sub(ago));
    let mut structure = event_to_structure(event);
    set_times(&mut structure, at(time.stream), at(time.running));
    structure
}

/// `zones, zones=<zone(…), …>, lines=<line(…), …>, stream-time, running-time`
pub(super) fn zones(zones: &FrameZones, time: FrameTime) -> gst::Structure {
    let (zones, lines) = to_structures(zones);
    let mut structure = gst::Structure::builder("zones")
        .field("zones", zones)
        .field("lines", lines)
        .build();
    set_times(&mut structure, time.stream, time.running);
    structure
}

fn set_times(
    structure: &mut gst::Structure,
    stream: Option<gst::ClockTime>,
    running: Option<gst::ClockTime>,
) {
    structure.set_if_some("stream-time", stream);
    structure.set_if_some("running-time", running);
}
