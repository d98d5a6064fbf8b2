//! An object and what is known about it.

use emotion_analysis::EmotionResult;

/// An object that a detector has found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AnalyticsObject {
    /// Its index in the metadata of the buffer.
    pub(crate) id: u32,
    /// What the detector calls it.
    pub(crate) object_type: &'static str,
    /// Left edge in pixels.
    pub(crate) x: i32,
    /// Upper edge in pixels.
    pub(crate) y: i32,
    /// Width in pixels, at least 1.
    pub(crate) width: u32,
    /// Height in pixels, at least 1.
    pub(crate) height: u32,
    /// The detector's confidence; none if it is no number.
    pub(crate) confidence: Option<f64>,
}

/// The track of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ObjectTrack {
    pub(crate) id: u64,
    /// When the object was first found, if that is known.
    pub(crate) first_seen: Option<gst::ClockTime>,
    /// When the object was last found, if that is known.
    pub(crate) last_seen: Option<gst::ClockTime>,
    /// Whether the last detection has missed it.
    pub(crate) is_lost: bool,
}

/// What is related to an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ObjectDetails {
    pub(crate) track: Option<ObjectTrack>,
    /// The emotion, and the index of its classification.
    pub(crate) emotion: Option<(u32, EmotionResult)>,
}
