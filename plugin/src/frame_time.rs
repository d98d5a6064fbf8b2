//! The times of a frame on the stream's and the pipeline's time line.

use gst::prelude::*;

/// When a frame is shown.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct FrameTime {
    /// Position in the medium. None if the frame has no time stamp or lies outside the segment.
    pub stream: Option<gst::ClockTime>,
    /// Time since the pipeline started; unlike the stream time it goes on over seeks and loops. None if the frame has no
    /// time stamp or lies outside the segment.
    pub running: Option<gst::ClockTime>,
}

impl FrameTime {
    /// Sets the properties of `element` that the application controls over time to their values at this frame.
    pub(crate) fn sync_values(&self, element: &impl IsA<gst::Object>) {
        if let Some(time) = self
            .stream
            .filter(|_| element.has_active_control_bindings())
        {
            // A value that cannot be set has been reported by the property.
            let _ = element.sync_values(time);
        }
    }

    /// The times of a buffer with the time stamp `pts` in `segment`.
    pub fn new(segment: Option<&gst::Segment>, pts: Option<gst::ClockTime>) -> Self {
        let segment = segment.and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
        Self {
            stream: segment.and_then(|segment| segment.to_stream_time(pts)),
            running: segment.and_then(|segment| segment.to_running_time(pts)),
        }
    }
}
