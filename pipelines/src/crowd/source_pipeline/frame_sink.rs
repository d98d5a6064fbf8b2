//! The end of the pipeline of a source: where decoded frames leave it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gst::prelude::*;
use gst_video::VideoOrientationMethod;
use gstemotion::frame_time::FrameTime;

/// The highest plausible age of a frame. A higher one means that the clocks are unrelated.
const HIGHEST_AGE: Duration = Duration::from_secs(60);
/// From 1900, where the times of NTP begin, to 1970.
const NTP_TO_UNIX: Duration = Duration::from_secs(2_208_988_800);

/// A decoded frame.
#[derive(Debug)]
pub(crate) struct DecodedFrame {
    pub(crate) buffer: gst::Buffer,
    pub(crate) caps: gst::Caps,
    /// Its position in the stream.
    pub(crate) stream_time: Option<gst::ClockTime>,
    /// When it reached this computer, by its timestamp; without one, when it was decoded.
    pub(crate) captured: Instant,
    /// When the sender captured it by its own clock, since 1970, if it says so.
    pub(crate) sender_time: Option<Duration>,
    /// How the stream asks to be turned.
    pub(crate) orientation: Option<VideoOrientationMethod>,
}

/// Calls `on_frame` for each frame that reaches the appsink of `pipeline`.
pub(super) fn set_up(
    pipeline: &gst::Pipeline,
    on_frame: impl Fn(DecodedFrame) + Send + 'static,
) -> anyhow::Result<gst_app::AppSink> {
    let sink = pipeline
        .by_name("crowd-frames")
        .and_then(|element| element.downcast::<gst_app::AppSink>().ok())
        .context("the element crowd-frames is no appsink")?;
    let orientation = Arc::new(Mutex::new(None));
    let pad = sink.static_pad("sink").context("an appsink has a pad")?;
    let ours = orientation.clone();
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::EventView::Tag(event)) = info.event().map(|event| event.view())
            && let Some(found) = VideoOrientationMethod::from_tag(event.tag())
        {
            *ours.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        }
        gst::PadProbeReturn::Ok
    });
    let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        if let Some(frame) = frame(sink, &sample) {
            let orientation = *orientation.lock().unwrap_or_else(PoisonError::into_inner);
            on_frame(DecodedFrame {
                orientation,
                ..frame
            });
        }
        Ok(gst::FlowSuccess::Ok)
    });
    sink.set_callbacks(callbacks.build());
    Ok(sink)
}

fn frame(sink: &gst_app::AppSink, sample: &gst::Sample) -> Option<DecodedFrame> {
    let (buffer, caps) = (sample.buffer_owned()?, sample.caps_owned()?);
    let time = FrameTime::new(sample.segment(), buffer.pts());
    let age = time
        .running
        .zip(sink.current_running_time())
        .map_or(gst::ClockTime::ZERO, |(then, now)| now.saturating_sub(then));
    let now = Instant::now();
    let age = Duration::from(age);
    Some(DecodedFrame {
        stream_time: time.stream,
        captured: if age <= HIGHEST_AGE {
            now.checked_sub(age).unwrap_or(now)
        } else {
            now
        },
        sender_time: sender_time(&buffer),
        orientation: None,
        buffer,
        caps,
    })
}

/// When the sender captured a frame, by the reports of RTCP.
fn sender_time(buffer: &gst::BufferRef) -> Option<Duration> {
    let mut metas = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
    metas.find_map(|meta| {
        let time = Duration::from(meta.timestamp());
        match meta.reference().structure(0)?.name().as_str() {
            "timestamp/x-ntp" => time.checked_sub(NTP_TO_UNIX),
            "timestamp/x-unix" => Some(time),
            _ => None,
        }
    })
}
