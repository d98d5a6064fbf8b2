//! Opens a source and hands on its decoded frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gst::prelude::*;
use gstemotion::frame_time::FrameTime;

use super::config::{Origin, RtspTransport, SourceSettings};
use super::late_frame_dropper;
use crate::runner;

/// Ages beyond this are clocks that have nothing to do with each other.
const OLDEST: Duration = Duration::from_secs(60);

/// A decoded frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) buffer: gst::Buffer,
    pub(super) caps: gst::Caps,
    /// Position in the medium.
    pub(super) stream_time: Option<gst::ClockTime>,
    /// When it reached this computer, as its time stamp says; without one, when it was decoded.
    pub(super) captured: Instant,
}

/// A running source.
#[derive(Debug)]
pub(super) struct SourcePipeline {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    /// Whether it gives frames in its own time, like a camera, and not as fast as they are wanted.
    pub(super) is_live: bool,
}

/// What a source says.
#[derive(Debug)]
pub(super) enum SourceEvent {
    /// It has come to its end.
    Ended,
    /// It cannot go on.
    Failed {
        reason: String,
        /// The other side wants a login, or another one.
        is_login: bool,
    },
}

impl SourcePipeline {
    /// Opens `source`; `on_frame` is called in the decoder's thread and must not wait, and so is `on_skip` for each frame
    /// that is not decoded because it would come too late.
    pub(super) fn open(
        source: &SourceSettings,
        on_frame: impl Fn(Frame) + Send + 'static,
        on_skip: impl Fn() + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let pipeline = pipeline(source)?;
        let bus = pipeline.bus().context("a pipeline has a bus")?;
        let sink = pipeline
            .by_name("crowd-frames")
            .and_then(|element| element.downcast::<gst_app::AppSink>().ok())
            .context("the line ends in an appsink")?;
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            if let Some(frame) = frame(sink, &sample) {
                on_frame(frame);
            }
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
        let is_live = Arc::new(AtomicBool::new(false));
        late_frame_dropper::keep_up(&pipeline, &is_live, on_skip);
        let mut intake = Self {
            pipeline,
            bus,
            is_live: false,
        };
        let started = intake.pipeline.set_state(gst::State::Paused);
        intake.is_live = started == Ok(gst::StateChangeSuccess::NoPreroll);
        is_live.store(intake.is_live, Ordering::Relaxed);
        // A live frame is worth most at once; those of a file come at their times.
        sink.set_sync(!intake.is_live);
        if started.is_ok() {
            // Where this fails the reason is posted.
            let _ = intake.pipeline.set_state(gst::State::Playing);
        }
        Ok(intake)
    }

    /// Waits for news, at most `patience`.
    pub(super) fn news(&self, patience: Duration) -> Option<SourceEvent> {
        let patience = gst::ClockTime::try_from(patience).unwrap_or(gst::ClockTime::SECOND);
        let message = self
            .bus
            .timed_pop_filtered(patience, &[gst::MessageType::Eos, gst::MessageType::Error])?;
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
        // A source that cannot even stop has already posted why.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// The line up to an appsink that has room for one frame.
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
        .map_err(|_| anyhow::anyhow!("a single element is no pipeline"))?;
    let Some(input) = pipeline.by_name("crowd-input") else {
        return Ok(pipeline);
    };
    match &source.origin {
        Origin::Uri(uri) => {
            input.set_property("uri", uri);
            log_in(&input, source);
        }
        Origin::File(path) => input.set_property("uri", gst::glib::filename_to_uri(path, None)?),
        Origin::Device(path) => input.set_property("device", path.to_string_lossy().as_ref()),
        Origin::Launch(_) => {}
    }
    Ok(pipeline)
}

/// Sets up the element that speaks to the camera, once it is known.
fn log_in(input: &gst::Element, source: &SourceSettings) {
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

fn frame(sink: &gst_app::AppSink, sample: &gst::Sample) -> Option<Frame> {
    let (buffer, caps) = (sample.buffer_owned()?, sample.caps_owned()?);
    let time = FrameTime::new(sample.segment(), buffer.pts());
    let age = time
        .running
        .zip(sink.current_running_time())
        .map_or(gst::ClockTime::ZERO, |(then, now)| now.saturating_sub(then));
    let now = Instant::now();
    let age = Duration::from(age);
    Some(Frame {
        stream_time: time.stream,
        captured: if age <= OLDEST {
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
