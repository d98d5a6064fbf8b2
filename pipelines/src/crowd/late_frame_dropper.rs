//! Keeps the delay of a live stream short when its decoder is too slow: encoded frames that are late are dropped up to the
//! next key frame, so no picture is damaged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gst::prelude::*;
use gstemotion::frame_time::FrameTime;

/// How much older than usual a frame may be.
const MOST_DELAY: Duration = Duration::from_millis(400);
/// The upper limit of the usual age at the beginning, so that a stream that starts late catches up.
const FIRST_USUAL_AGE: Duration = Duration::from_millis(300);
/// How long frames may be late. After a short interruption the decoder catches up within this time.
const TOLERANCE: Duration = Duration::from_millis(300);

/// Decides which frames of one decoder are dropped.
#[derive(Debug, Default)]
struct LateFrameDropper {
    /// The lowest age of a frame at the decoder: the delay of the network and its jitter buffer.
    usual_age: Option<Duration>,
    late_since: Option<Instant>,
    /// Whether all frames are dropped until a key frame comes in time.
    is_dropping: bool,
    /// The age of the last key frame that was dropped since then.
    late_key: Option<Duration>,
    /// The arrival and the age of the last frame.
    last: Option<(Instant, Duration)>,
}

impl LateFrameDropper {
    /// Whether to decode a frame that arrives at `now` with this age.
    fn admits(&mut self, age: Duration, is_key: bool, now: Instant) -> bool {
        let usual = self.usual_age.unwrap_or(FIRST_USUAL_AGE).min(age);
        self.usual_age = Some(usual);
        let last = self.last.replace((now, age));
        let is_draining = last.is_some_and(|last| is_draining(last, (now, age)));
        if age <= usual + MOST_DELAY {
            self.late_since = None;
            // While delayed frames arrive in quick succession, the next key frame will be younger.
            if is_key && !is_draining {
                (self.is_dropping, self.late_key) = (false, None);
            }
            return !self.is_dropping;
        }
        let since = *self.late_since.get_or_insert(now);
        if now.duration_since(since) < TOLERANCE && !self.is_dropping {
            return true;
        }
        self.is_dropping = true;
        if !is_key {
            return false;
        }
        // If dropping frames does not make the next ones younger, they did not wait for the decoder: the clocks have moved
        // apart.
        if self.late_key.replace(age).is_some_and(|last| age >= last) {
            (self.usual_age, self.late_since) = (Some(age), None);
            (self.is_dropping, self.late_key) = (false, None);
            return true;
        }
        false
    }
}

/// Whether two frames arrive much faster than they were captured, because they had to wait. The arguments are the arrival
/// and the age of each.
fn is_draining((before, age_before): (Instant, Duration), (now, age): (Instant, Duration)) -> bool {
    let passed = now.saturating_duration_since(before);
    let captured_apart = (passed + age_before).saturating_sub(age);
    passed < captured_apart / 2
}

/// Drops late frames in front of every video decoder of `pipeline`, present and future, while `is_live`. Calls `on_skip`
/// for each dropped frame.
pub(super) fn install(
    pipeline: &gst::Pipeline,
    is_live: &Arc<AtomicBool>,
    on_skip: impl Fn() + Send + Sync + 'static,
) {
    let on_skip = Arc::new(on_skip);
    let is_live = Arc::clone(is_live);
    let watch = move |pipeline: &gst::Pipeline, element: &gst::Element| {
        if !decodes_video(element) {
            return;
        }
        let Some(pad) = element.static_pad("sink") else {
            return;
        };
        let (pipeline, is_live) = (pipeline.downgrade(), Arc::clone(&is_live));
        let on_skip = Arc::clone(&on_skip);
        let dropper = Mutex::new(LateFrameDropper::default());
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let (Some(pipeline), Some(buffer)) = (pipeline.upgrade(), info.buffer()) else {
                return gst::PadProbeReturn::Ok;
            };
            let Some(age) = is_live
                .load(Ordering::Relaxed)
                .then(|| age(&pipeline, pad, buffer))
                .flatten()
            else {
                return gst::PadProbeReturn::Ok;
            };
            let is_key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
            let mut dropper = dropper.lock().unwrap_or_else(PoisonError::into_inner);
            if dropper.admits(age, is_key, Instant::now()) {
                return gst::PadProbeReturn::Ok;
            }
            on_skip();
            gst::PadProbeReturn::Drop
        });
    };
    for element in pipeline.iterate_recurse().into_iter().flatten() {
        watch(pipeline, &element);
    }
    pipeline.connect_deep_element_added(move |pipeline, _, element| watch(pipeline, element));
}

fn decodes_video(element: &gst::Element) -> bool {
    let video = gst::ElementFactoryType::DECODER | gst::ElementFactoryType::MEDIA_VIDEO;
    let bin = element.is::<gst::Bin>();
    !bin && element
        .factory()
        .is_some_and(|factory| factory.has_type(video))
}

/// How long ago a frame was due, by the pipeline's clock.
fn age(pipeline: &gst::Pipeline, pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<Duration> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let due = FrameTime::new(Some(segment.segment()), buffer.dts_or_pts()).running?;
    let age = pipeline.current_running_time()?.saturating_sub(due);
    Some(Duration::from(age))
}

#[cfg(test)]
mod tests;
