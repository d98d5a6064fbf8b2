//! The zones and lines of a stream: the element that counts, and the last counts.

mod metrics;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use emotion_analysis::zones::{ZoneEventKind, ZoneLayout};
use gstemotion::record::{LineRecord, ZoneRecord};
use gstemotion::zones::FrameZones;

pub(super) use self::metrics::{ZoneFamilies, ZoneMetrics};
use super::config::ZoneTimes;

/// The element that counts, with these zones, lines and times.
///
/// # Errors
///
/// If it is not installed.
pub(super) fn make_zone_counter(
    layout: &ZoneLayout,
    times: ZoneTimes,
) -> Result<gst::Element, gst::glib::BoolError> {
    let zones: Vec<String> = layout.zones().iter().map(ToString::to_string).collect();
    let lines: Vec<String> = layout.lines().iter().map(ToString::to_string).collect();
    gst::ElementFactory::make("emotionzones")
        .property("zones", zones.join("; "))
        .property("lines", lines.join("; "))
        .property_if_some("max-absence", times.max_absence.map(nanoseconds))
        .property_if_some("emotion-window", times.emotion_window.map(nanoseconds))
        .build()
}

/// At most an hour, as the settings are.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The event for a web server when the limit of a zone is exceeded or kept again, and why.
pub(super) fn limit_notice(event: &ZoneEventKind) -> Option<(&'static str, String)> {
    let notice = |event, zone, people, limit| {
        let why = format!("people in {zone}: {people}, limit {limit}");
        Some((event, why))
    };
    match event {
        ZoneEventKind::LimitExceeded {
            zone,
            people,
            limit,
        } => notice("limit-exceeded", zone, people, limit),
        ZoneEventKind::LimitKept {
            zone,
            people,
            limit,
        } => notice("limit-kept", zone, people, limit),
        _ => None,
    }
}

/// The zones and lines of the last analysed frame of a stream.
#[derive(Debug)]
pub(super) struct ZoneStatus {
    metrics: ZoneMetrics,
    last: Mutex<FrameZones>,
}

impl ZoneStatus {
    /// Nobody was seen yet.
    pub(super) fn new(metrics: ZoneMetrics, layout: &ZoneLayout) -> Self {
        metrics.announce(layout);
        Self {
            metrics,
            last: Mutex::default(),
        }
    }

    /// Takes the counts after a frame and what happened on it.
    pub(super) fn update(&self, zones: FrameZones) {
        self.metrics.update(&zones);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = zones;
    }

    /// Nobody is seen any more: the stream is away.
    pub(super) fn clear(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.metrics.clear(&last);
        *last = FrameZones::default();
    }

    /// The zones and lines as records have them.
    pub(super) fn records(&self) -> (Vec<ZoneRecord>, Vec<LineRecord>) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (
            last.zones.iter().map(ZoneRecord::from).collect(),
            last.lines.iter().map(LineRecord::from).collect(),
        )
    }
}
