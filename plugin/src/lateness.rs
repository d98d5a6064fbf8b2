//! Late frames: which of them an element passes on without its work, and how it tells the application.

use std::time::Duration;

use gst::prelude::*;

use crate::frame_time::FrameTime;
use crate::stats::Stats;

/// However late the stream is, a frame is analysed that comes this long after the last one that was.
const LONGEST_PAUSE: gst::ClockTime = gst::ClockTime::SECOND;

/// What the sink says about frames that come too late.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    /// The last QoS event about a late frame.
    last: Option<LateFrame>,
    /// The running time of the last frame that was not skipped.
    analysed: Option<gst::ClockTime>,
}

#[derive(Debug, Clone, Copy)]
struct LateFrame {
    /// The running time up to which frames are too late.
    deadline: gst::ClockTime,
    jitter: i64,
    proportion: f64,
}

/// A frame that passes without being analysed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SkippedFrame {
    time: FrameTime,
    timestamp: Option<gst::ClockTime>,
    duration: Option<gst::ClockTime>,
    jitter: i64,
    proportion: f64,
    analysed: u64,
    skipped: u64,
}

impl Lateness {
    /// `jitter` is how many nanoseconds too late the frame with the running time `timestamp` came, negative if it was
    /// early. A late stream catches up by skipping twice as much as it is late.
    pub(crate) fn update(
        &mut self,
        jitter: i64,
        timestamp: Option<gst::ClockTime>,
        proportion: f64,
    ) {
        self.last = match (timestamp, u64::try_from(jitter)) {
            (Some(timestamp), Ok(late)) if late > 0 => timestamp
                .checked_add(gst::ClockTime::from_nseconds(late.saturating_mul(2)))
                .map(|deadline| LateFrame {
                    deadline,
                    jitter,
                    proportion,
                }),
            _ => None,
        };
    }

    /// The frame, if it would reach the sink too late to be worth the work; it then counts as skipped.
    ///
    /// An element whose work takes a small part of a frame's duration does not make the stream late, and never skips: the
    /// frames that are in time again because a slower element skipped them still deserve its results. And a frame a second is
    /// always analysed, or a stream that is never in time would never have results.
    pub(crate) fn skipped(
        &mut self,
        buffer: &gst::BufferRef,
        time: FrameTime,
        stats: &mut Stats,
    ) -> Option<SkippedFrame> {
        let skipped = self.is_skipped(buffer.duration(), time.running, stats.mean());
        let Some(late) = skipped else {
            self.analysed = time.running;
            return None;
        };
        stats.add_skipped();
        let (analysed, skipped) = stats.counts();
        Some(SkippedFrame {
            time,
            timestamp: buffer.pts(),
            duration: buffer.duration(),
            jitter: late.jitter,
            proportion: late.proportion,
            analysed,
            skipped,
        })
    }

    fn is_skipped(
        &self,
        duration: Option<gst::ClockTime>,
        now: Option<gst::ClockTime>,
        work: Duration,
    ) -> Option<LateFrame> {
        let is_quick = duration.is_some_and(|frame| work < Duration::from(frame) / 4);
        let is_recent = |analysed: gst::ClockTime| {
            now.is_some_and(|now| now.saturating_sub(analysed) < LONGEST_PAUSE)
        };
        self.last.filter(|late| {
            now.is_some_and(|now| now <= late.deadline)
                && !is_quick
                && self.analysed.is_some_and(is_recent)
        })
    }
}

impl SkippedFrame {
    /// Tells the application, as elements do that drop frames.
    pub(crate) fn post(&self, element: &impl IsA<gst::Element>) {
        let buffers = gst::format::Buffers::from_u64;
        let message = gst::message::Qos::builder(false)
            .running_time(self.time.running)
            .stream_time(self.time.stream)
            .timestamp(self.timestamp)
            .duration(self.duration)
            .values(self.jitter, self.proportion, 1_000_000)
            .stats(buffers(self.analysed), buffers(self.skipped))
            .src(element.upcast_ref::<gst::Element>())
            .build();
        // Fails without a bus, which is no error: nobody listens.
        let _ = element.upcast_ref::<gst::Element>().post_message(message);
    }
}

#[cfg(test)]
mod tests;
