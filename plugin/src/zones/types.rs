//! What is known about the zones and lines of a frame.

use emotion_analysis::zones::{LineCounts, ZoneCounts, ZoneEvent};

/// The type of a region of interest around a zone.
pub const ZONE_ROI_TYPE: &str = "zone";

/// The type of a region of interest around a line.
pub const LINE_ROI_TYPE: &str = "line";

/// The zones and lines after a frame, and what has happened on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FrameZones {
    /// The zones.
    pub zones: Vec<ZoneCounts>,
    /// The lines.
    pub lines: Vec<LineCounts>,
    /// What has happened.
    pub events: Vec<ZoneEvent>,
}
