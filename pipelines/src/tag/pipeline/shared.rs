//! What the threads of a pipeline share, and the probes that fill it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::Context as _;
use gst::prelude::*;

use crate::tag::collector::FrameCollector;
use crate::tag::event::FileProgress;
use crate::tag::frame_in_file::FramesInAnalysis;
use crate::tag::sdr_convert::HdrTransfer;

/// How far a pipeline got.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PipelineProgress {
    pub(crate) progress: FileProgress,
    /// A number that grows whenever something was read, decoded or analysed. It is bounded by the file, so a decoder that
    /// reads in circles does not make it grow.
    pub(crate) work: u64,
    /// Whether a hardware decoder takes part.
    pub(crate) has_hardware_decoder: bool,
}

/// The offset of a buffer that has none, `GST_BUFFER_OFFSET_NONE`.
const NO_OFFSET: u64 = u64::MAX;

/// What the threads of the pipeline share.
pub(super) struct Shared {
    /// The end of what was read of the file, in bytes.
    pub(super) read: AtomicU64,
    /// Number of frames that the decoder produced.
    pub(super) decoded: AtomicU64,
    pub(super) has_hardware_decoder: AtomicBool,
    pub(super) frames: FramesInAnalysis,
    /// Set if the video is HDR video.
    pub(super) hdr: OnceLock<HdrTransfer>,
    pub(super) collecting: Mutex<Collecting>,
    /// Which sound cannot be in the annotated copy, and why.
    lost_sound: Mutex<Vec<String>>,
}

pub(super) struct Collecting {
    pub(super) progress: FileProgress,
    /// An error ends the collecting.
    pub(super) collector: anyhow::Result<FrameCollector>,
}

impl Shared {
    pub(super) fn new(collector: FrameCollector) -> Self {
        Self {
            read: AtomicU64::new(0),
            decoded: AtomicU64::new(0),
            has_hardware_decoder: AtomicBool::new(false),
            frames: FramesInAnalysis::default(),
            hdr: OnceLock::new(),
            collecting: Mutex::new(Collecting {
                progress: FileProgress::default(),
                collector: Ok(collector),
            }),
            lost_sound: Mutex::default(),
        }
    }

    /// Notes that a sound cannot be in the annotated copy, and why.
    pub(super) fn add_lost_sound(&self, reason: String) {
        self.lost_sound
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(reason);
    }

    /// All that was noted of lost sound; `None` if there was nothing.
    pub(super) fn lost_sound(&self) -> Option<String> {
        let lost = self
            .lost_sound
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        (!lost.is_empty()).then(|| lost.join("; "))
    }

    pub(super) fn progress(&self, pipeline: Option<&gst::Pipeline>) -> PipelineProgress {
        let progress = self.collecting().progress;
        let duration = pipeline.and_then(|pipeline| pipeline.query_duration::<gst::ClockTime>());
        PipelineProgress {
            progress: FileProgress {
                duration: duration.map(gst::ClockTime::seconds_f64),
                ..progress
            },
            work: self.read.load(Ordering::SeqCst)
                + self.decoded.load(Ordering::SeqCst)
                + progress.frames,
            has_hardware_decoder: self.has_hardware_decoder.load(Ordering::SeqCst),
        }
    }

    pub(super) fn collecting(&self) -> MutexGuard<'_, Collecting> {
        self.collecting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes how far the file was read.
pub(super) fn count_read_bytes(file: &gst::Element, shared: Arc<Shared>) -> anyhow::Result<()> {
    let exit = file
        .static_pad("src")
        .context("filesrc has no source pad")?;
    exit.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer()
            && buffer.offset() != NO_OFFSET
        {
            let end = buffer.offset().saturating_add(buffer.size() as u64);
            shared.read.fetch_max(end, Ordering::SeqCst);
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

/// Notes whether a hardware decoder is used.
pub(super) fn watch_decoders(pipeline: &gst::Pipeline, shared: Arc<Shared>) {
    pipeline.connect_deep_element_added(move |_, _, element| {
        let class = element.metadata(gst::ELEMENT_METADATA_KLASS);
        if class.is_some_and(|class| class.contains("Decoder") && class.contains("Hardware")) {
            shared.has_hardware_decoder.store(true, Ordering::SeqCst);
        }
    });
}

/// Passes the frames of the appsink `frames` to the collector.
pub(super) fn collect(frames: &gst::Element, shared: Arc<Shared>) -> anyhow::Result<()> {
    let sink = frames.downcast_ref::<gst_app::AppSink>();
    let sink = sink.context("the element frames is no appsink")?;
    let on_sample = move |sink: &gst_app::AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let mut collecting = shared.collecting();
        let Collecting {
            progress,
            collector,
        } = &mut *collecting;
        let pts = sample.buffer().and_then(|buffer| buffer.pts());
        let frame = shared.frames.take(pts);
        let added = match collector {
            Ok(collector) => collector.add(&sample, frame),
            Err(_) => return Err(gst::FlowError::Error),
        };
        match added {
            Ok(time) => {
                progress.frames += 1;
                progress.time = time.map(gst::ClockTime::seconds_f64).or(progress.time);
                Ok(gst::FlowSuccess::Ok)
            }
            Err(error) => {
                let text = format!("{error:#}");
                *collector = Err(error);
                drop(collecting);
                // A decoder that has all of the file does not tell that its frames are refused.
                gst::element_error!(sink, gst::ResourceError::Write, ("{text}"));
                Err(gst::FlowError::Error)
            }
        }
    };
    sink.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(on_sample)
            .build(),
    );
    Ok(())
}
