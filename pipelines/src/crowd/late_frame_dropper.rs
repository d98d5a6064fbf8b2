//! Keeps a live stream whose decoder is too slow up with its camera: encoded frames that have fallen behind are left
//! out up to the next key frame, so the delay stays short and no picture is damaged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gst::prelude::*;

/// How far frames may fall behind their usual age.
const BEHIND: Duration = Duration::from_millis(400);
/// What their usual age is at most until one knows better: a stream that begins late is to catch up.
const FIRST_USUAL: Duration = Duration::from_millis(300);
/// How long they may be that far behind: a hiccup of the machine is caught up with meanwhile.
const PATIENCE: Duration = Duration::from_millis(300);

/// What frames have fallen behind so far.
#[derive(Debug, Default)]
struct LateFrameDropper {
    /// The least age of frames at the decoder: what the network and its jitter buffer take.
    usual: Option<Duration>,
    behind_since: Option<Instant>,
    /// Nothing is decoded until a key frame comes in time.
    is_waiting: bool,
    /// The age of the last key frame that came too late meanwhile.
    late_key: Option<Duration>,
    /// When the last frame came, and its age.
    last: Option<(Instant, Duration)>,
}

impl LateFrameDropper {
    /// Whether a frame that is `age` old at `now` is to be decoded.
    fn admits(&mut self, age: Duration, is_key: bool, now: Instant) -> bool {
        let usual = self.usual.unwrap_or(FIRST_USUAL).min(age);
        self.usual = Some(usual);
        let last = self.last.replace((now, age));
        let is_draining = last.is_some_and(|last| is_draining(last, (now, age)));
        if age <= usual + BEHIND {
            self.behind_since = None;
            // While frames that have waited pour in, the next key frame will be younger.
            if is_key && !is_draining {
                (self.is_waiting, self.late_key) = (false, None);
            }
            return !self.is_waiting;
        }
        let since = *self.behind_since.get_or_insert(now);
        if now.duration_since(since) < PATIENCE && !self.is_waiting {
            return true;
        }
        self.is_waiting = true;
        if !is_key {
            return false;
        }
        // Where leaving frames out makes the next ones no younger, it is not the decoder that they waited for: the
        // clocks have moved apart.
        if self.late_key.replace(age).is_some_and(|last| age >= last) {
            (self.usual, self.behind_since) = (Some(age), None);
            (self.is_waiting, self.late_key) = (false, None);
            return true;
        }
        false
    }
}

/// Whether frames come much faster than they were taken, as those do that had to wait; of two frames, when they came and
/// their ages.
fn is_draining((before, age_before): (Instant, Duration), (now, age): (Instant, Duration)) -> bool {
    let passed = now.saturating_duration_since(before);
    let taken_apart = (passed + age_before).saturating_sub(age);
    passed < taken_apart / 2
}

/// Watches over every video decoder that `pipeline` has and gets while it `is_live`; `on_skip` is called for each frame that is
/// left out.
pub(super) fn keep_up(
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

/// How long ago a frame was due by the pipeline's clock.
fn age(pipeline: &gst::Pipeline, pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<Duration> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?;
    let due = segment.to_running_time(buffer.dts_or_pts()?)?;
    let age = pipeline.current_running_time()?.saturating_sub(due);
    Some(Duration::from(age))
}

#[cfg(test)]
mod tests;
