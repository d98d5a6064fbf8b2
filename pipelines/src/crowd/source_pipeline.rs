//! The pipeline that decodes one source.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gst::prelude::*;
use gstemotion::frame_time::FrameTime;

use super::config::{Origin, RtspTransport, SourceSettings};
use super::late_frame_dropper;
use crate::runner;

/// The highest plausible age of a frame. A higher one means that the clocks are unrelated.
const HIGHEST_AGE: Duration = Duration::from_secs(60);

/// A decoded frame.
#[derive(Debug)]
pub(super) struct DecodedFrame {
    pub(super) buffer: gst::Buffer,
    pub(super) caps: gst::Caps,
    /// Its position in the stream.
    pub(super) stream_time: Option<gst::ClockTime>,
    /// When it reached this computer, by its timestamp; without one, when it was decoded.
    pub(super) captured: Instant,
}

/// A running source.
#[derive(Debug)]
pub(super) struct SourcePipeline {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    /// Whether it produces frames at its own pace, like a camera.
    pub(super) is_live: bool,
}

/// The end of a source.
#[derive(Debug)]
pub(super) enum SourceEvent {
    /// It reached its end.
    Ended,
    /// It failed.
    Failed {
        reason: String,
        /// Whether the server rejects the login.
        is_login: bool,
    },
}

impl SourcePipeline {
    /// Opens `source`. The decoder's thread calls `on_frame` for each frame, and `on_skip` for each frame that is not decoded
    /// because it is late; both must not block.
    pub(super) fn open(
        source: &SourceSettings,
        on_frame: impl Fn(DecodedFrame) + Send + 'static,
        on_skip: impl Fn() + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let pipeline = pipeline(source)?;
        let bus = pipeline.bus().context("the pipeline has no bus")?;
        let sink = pipeline
            .by_name("crowd-frames")
            .and_then(|element| element.downcast::<gst_app::AppSink>().ok())
            .context("the element crowd-frames is no appsink")?;
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            if let Some(frame) = frame(sink, &sample) {
                on_frame(frame);
            }
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
        let is_live = Arc::new(AtomicBool::new(false));
        late_frame_dropper::install(&pipeline, &is_live, on_skip);
        let mut opened = Self {
            pipeline,
            bus,
            is_live: false,
        };
        let started = opened.pipeline.set_state(gst::State::Paused);
        opened.is_live = started == Ok(gst::StateChangeSuccess::NoPreroll);
        is_live.store(opened.is_live, Ordering::Relaxed);
        // Live frames are analysed at once, those of a file at their timestamps.
        sink.set_sync(!opened.is_live);
        if started.is_ok() {
            // If this fails, the reason is posted on the bus.
            let _ = opened.pipeline.set_state(gst::State::Playing);
        }
        Ok(opened)
    }

    /// Waits for an event, for `timeout` at most.
    pub(super) fn next_event(&self, timeout: Duration) -> Option<SourceEvent> {
        let timeout = gst::ClockTime::try_from(timeout).unwrap_or(gst::ClockTime::SECOND);
        let message = self
            .bus
            .timed_pop_filtered(timeout, &[gst::MessageType::Eos, gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(SourceEvent::Failed {
                is_login: error.error().matches(gst::ResourceError::NotAuthorized),
                reason: runner::described(None, &error.error(), error.debug()),
            }),
            _ => Some(SourceEvent::Ended),
        }
    }
}

impl Drop for SourcePipeline {
    fn drop(&mut self) {
        // A source that fails to stop has already posted the reason.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Builds the pipeline up to an appsink with room for one frame.
fn pipeline(source: &SourceSettings) -> anyhow::Result<gst::Pipeline> {
    const DECODE: &str = "decodebin caps=video/x-raw";
    const FRAMES: &str = "appsink name=crowd-frames caps=video/x-raw max-buffers=1 drop=true";
    let line = match &source.origin {
        Origin::Uri(_) | Origin::File(_) => {
            format!("uri{DECODE} name=crowd-input ! {FRAMES}")
        }
        Origin::Device(_) => format!("v4l2src name=crowd-input ! {DECODE} ! {FRAMES}"),
        Origin::Launch(line) => format!("{line} ! {DECODE} ! {FRAMES}"),
    };
    let pipeline = gst::parse::launch(&line)
        .map_err(|error| anyhow::anyhow!("{}", error.message()))?
        .downcast::<gst::Pipeline>()
        .map_err(|_| anyhow::anyhow!("expected a pipeline, found a single element"))?;
    let Some(input) = pipeline.by_name("crowd-input") else {
        return Ok(pipeline);
    };
    match &source.origin {
        Origin::Uri(uri) => {
            input.set_property("uri", uri);
            set_up_network(&input, source);
        }
        Origin::File(path) => input.set_property("uri", gst::glib::filename_to_uri(path, None)?),
        Origin::Device(path) => input.set_property("device", path.to_string_lossy().as_ref()),
        Origin::Launch(_) => {}
    }
    Ok(pipeline)
}

/// Sets login and transport on the element that connects to the camera, as soon as it exists.
fn set_up_network(input: &gst::Element, source: &SourceSettings) {
    let (username, password) = (source.username.clone(), source.password.clone());
    let (transport, latency_ms) = (source.transport, source.latency_ms);
    input.connect("source-setup", false, move |values| {
        let element = values.get(1)?.get::<gst::Element>().ok()?;
        let set = |name: &str, value: &str| {
            if element.find_property(name).is_some() {
                element.set_property_from_str(name, value);
            }
        };
        if let Some(username) = &username {
            set("user-id", username);
        }
        if let Some(password) = &password {
            set("user-pw", password.reveal());
        }
        let is_rtsp = element
            .factory()
            .is_some_and(|factory| factory.name() == "rtspsrc");
        if is_rtsp {
            set("latency", &latency_ms.to_string());
            set("drop-on-latency", "true");
            set(
                "protocols",
                match transport {
                    RtspTransport::Tcp => "tcp",
                    RtspTransport::Udp => "udp",
                },
            );
        }
        None
    });
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
        buffer,
        caps,
    })
}

#[cfg(test)]
mod tests;
