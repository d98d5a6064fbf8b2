//! The pipeline that decodes one source.

mod frame_sink;
mod input;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gst::prelude::*;

pub(super) use self::frame_sink::DecodedFrame;
use super::camera_tls::CertificateVerdict;
use super::config::{RtspTransport, SourceSettings};
use super::failure::{FailureCause, SourceFailure, Symptoms};
use super::freed_memory;
use super::late_frame_dropper;

/// The messages that [`SourcePipeline::next_event`] reads.
const AWAITED: [gst::MessageType; 3] = [
    gst::MessageType::Eos,
    gst::MessageType::Error,
    gst::MessageType::Element,
];

/// A running source.
#[derive(Debug)]
pub(super) struct SourcePipeline {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    symptoms: Symptoms,
    certificate: CertificateVerdict,
    /// Whether it produces frames at its own pace, like a camera.
    is_live: Arc<AtomicBool>,
}

/// The end of a source.
#[derive(Debug)]
pub(super) enum SourceEvent {
    /// It reached its end.
    Ended,
    /// It failed.
    Failed(SourceFailure),
}

impl SourcePipeline {
    /// Opens `source`, RTSP over `transport`. The decoder's thread calls `on_frame` for each frame, and `on_skip` for each
    /// frame that is not decoded because it is late; both must not block.
    pub(super) fn open(
        source: &SourceSettings,
        transport: RtspTransport,
        on_frame: impl Fn(DecodedFrame) + Send + 'static,
        on_skip: impl Fn() + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let certificate = CertificateVerdict::default();
        let pipeline = input::pipeline(source, transport, &certificate)?;
        let bus = pipeline.bus().context("the pipeline has no bus")?;
        let sink = frame_sink::set_up(&pipeline, on_frame)?;
        let is_live = Arc::new(AtomicBool::new(source.snapshot_period.is_some()));
        let is_timed = Arc::new(AtomicBool::new(false));
        late_frame_dropper::install(&pipeline, &is_timed, on_skip);
        input::watch_for_motion_jpeg(&pipeline, &sink, &is_live);
        let mut opened = Self {
            pipeline,
            bus,
            symptoms: Symptoms::default(),
            certificate,
            is_live,
        };
        let started = opened.pipeline.set_state(gst::State::Paused);
        if started == Ok(gst::StateChangeSuccess::NoPreroll) {
            opened.is_live.store(true, Ordering::Relaxed);
            is_timed.store(true, Ordering::Relaxed);
        }
        // Live frames are analysed at once, those of a file at their timestamps.
        sink.set_sync(!opened.is_live());
        if started.is_ok() {
            opened.play();
        }
        Ok(opened)
    }

    /// Whether it produces frames at its own pace, like a camera.
    pub(super) fn is_live(&self) -> bool {
        self.is_live.load(Ordering::Relaxed)
    }

    /// Reads it from the beginning again.
    pub(super) fn restart(&mut self) {
        // If this fails, the reason is posted on the bus.
        let _ = self.pipeline.set_state(gst::State::Ready);
        self.play();
    }

    fn play(&mut self) {
        // If this fails, the reason is posted on the bus.
        let _ = self.pipeline.set_state(gst::State::Playing);
    }

    /// Waits for an event, for `timeout` at most.
    pub(super) fn next_event(&mut self, timeout: Duration) -> Option<SourceEvent> {
        let end = Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = gst::ClockTime::try_from(left).unwrap_or(gst::ClockTime::ZERO);
            let message = self.bus.timed_pop_filtered(left, &AWAITED)?;
            match message.view() {
                gst::MessageView::Eos(_) => return Some(SourceEvent::Ended),
                gst::MessageView::Error(error) => {
                    let failure = self.symptoms.failure(error);
                    return Some(SourceEvent::Failed(match self.certificate.reason() {
                        Some(reason) if failure.cause == FailureCause::Connection => {
                            SourceFailure::other(reason)
                        }
                        _ => failure,
                    }));
                }
                gst::MessageView::Element(message) => self.symptoms.note(message),
                _ => {}
            }
        }
    }
}

impl Drop for SourcePipeline {
    fn drop(&mut self) {
        // A source that fails to stop has already posted the reason.
        let _ = self.pipeline.set_state(gst::State::Null);
        freed_memory::give_back();
    }
}

#[cfg(test)]
mod tests;
