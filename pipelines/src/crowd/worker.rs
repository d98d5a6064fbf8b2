//! The analysis of frames, shared by all worker threads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use gst_video::VideoInfo;
use gstemotion::emotionpublish::RecordSelection;
use gstemotion::face;
use gstemotion::frame_time::FrameTime;
use gstemotion::record::{self, Record};
use gstemotion::zones;
use tracing::info_span;

use super::analysis_chain::{self, FrameLayout};
use super::config::Config;
use super::element_chain::ElementChain;
use super::frame_queue::{FrameQueue, SlotId};
use super::health::WorkerActivity;
use super::log::warn;
use super::outputs::RecordOutputs;
use super::picture_check::PictureWatch;
use super::preview::PreviewEncoder;
use super::source_pipeline::DecodedFrame;
use super::stream::{FrameSink, Stream};
use super::zones::limit_notice;

/// The analysis of one stream, by whichever worker takes its next frame.
pub(super) struct StreamAnalysis {
    stream: Arc<Stream>,
    config: Arc<Config>,
    outputs: Arc<RecordOutputs>,
    context: Mutex<StreamContext>,
}

/// A frame and what analyses it.
pub(super) struct AnalysisTask {
    analysis: Arc<StreamAnalysis>,
    frame: DecodedFrame,
}

/// The slot of a stream in the queue of all workers.
pub(super) struct StreamSlot {
    queue: Arc<FrameQueue<AnalysisTask>>,
    slot: SlotId,
    analysis: Arc<StreamAnalysis>,
}

impl StreamSlot {
    pub(super) fn new(
        queue: &Arc<FrameQueue<AnalysisTask>>,
        analysis: Arc<StreamAnalysis>,
    ) -> Self {
        Self {
            queue: queue.clone(),
            slot: queue.add(),
            analysis,
        }
    }
}

impl FrameSink for StreamSlot {
    fn push(&self, frame: DecodedFrame) -> bool {
        let analysis = self.analysis.clone();
        let task = AnalysisTask { analysis, frame };
        self.queue.push(self.slot, task).is_some()
    }

    fn wait_until_idle(&self) {
        self.queue.wait_until_idle(self.slot);
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.queue.remove(self.slot);
    }
}

/// What is kept of a stream from frame to frame.
struct StreamContext {
    /// `None` between an error and the next frame.
    chain: Option<ElementChain>,
    /// What the chain was made for.
    layout: FrameLayout,
    picture: Option<PictureWatch>,
    /// The running time of the last frame.
    last: gst::ClockTime,
    selection: RecordSelection,
    preview: Option<PreviewEncoder>,
    last_error: Option<String>,
}

/// Analyses frames from `queue` until it is closed.
pub(super) fn run(queue: &FrameQueue<AnalysisTask>, activity: &WorkerActivity) {
    while let Some((slot, task)) = queue.pop() {
        let _finish = FinishOnDrop(queue, slot);
        let _active = activity.begin(&task.analysis.stream);
        task.analysis.process(task.frame);
    }
}

impl StreamAnalysis {
    /// Creates the elements, so that wrong settings are reported at once.
    pub(super) fn new(
        config: &Arc<Config>,
        stream: &Arc<Stream>,
        outputs: &Arc<RecordOutputs>,
    ) -> anyhow::Result<Self> {
        let _span = info_span!("make elements", source = stream.name()).entered();
        let source = stream.source();
        let page = config.page.as_ref();
        let preview = page.map(|page| PreviewEncoder::new(page, source.pictures));
        let layout = FrameLayout::default();
        let context = StreamContext {
            chain: Some(analysis_chain::start(config, source, layout)?),
            layout,
            picture: source
                .picture_check
                .then(|| PictureWatch::new(config.picture_check)),
            last: gst::ClockTime::ZERO,
            selection: RecordSelection::default(),
            preview: preview.transpose()?.flatten(),
            last_error: None,
        };
        Ok(Self {
            stream: stream.clone(),
            config: config.clone(),
            outputs: outputs.clone(),
            context: Mutex::new(context),
        })
    }

    fn process(&self, frame: DecodedFrame) {
        let mut context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = &self.stream;
        let _span = info_span!("frame", source = stream.name()).entered();
        let error = self.analyse(&mut context, stream, frame).err();
        let source = stream.source();
        let error = error.map(|error| source.without_secrets(&format!("{error:#}")));
        if let Some(error) = &error {
            context.chain = None;
            if context.last_error.as_ref() != Some(error) {
                warn(stream.name(), &format!("cannot analyse a frame: {error}"));
            }
        }
        context.last_error = error;
    }

    fn analyse(
        &self,
        context: &mut StreamContext,
        stream: &Stream,
        frame: DecodedFrame,
    ) -> anyhow::Result<()> {
        let layout = FrameLayout::new(stream.source(), frame.orientation, &frame.caps);
        if context.layout != layout {
            (context.chain, context.layout) = (None, layout);
        }
        let chain = match &mut context.chain {
            Some(chain) => chain,
            none => none.insert(analysis_chain::start(
                &self.config,
                stream.source(),
                layout,
            )?),
        };
        // The elements see one timeline, which continues across reconnects and loops.
        let time = stream
            .running_time(frame.captured)
            .max(context.last + gst::ClockTime::NSECOND);
        context.last = time;
        let mut buffer = frame.buffer;
        let timed = buffer.make_mut();
        timed.set_pts(time);
        timed.set_dts(gst::ClockTime::NONE);
        let result = info_span!("elements").in_scope(|| chain.run(buffer, &frame.caps))?;
        let Some(result) = result else {
            return Ok(());
        };

        let info = VideoInfo::from_caps(&result.caps).context("the elements return no video")?;
        if let Some(picture) = &mut context.picture {
            stream.set_picture(picture.observe(&result, &info, Duration::from(time))?);
        }
        let faces = face::faces(&result.buffer);
        let zones = zones::frame_zones(&result.buffer);
        let recorded = zones.as_ref();
        if self
            .outputs
            .selects(&mut context.selection, time, &faces, recorded)
        {
            let time = FrameTime {
                stream: frame.stream_time,
                running: Some(time),
            };
            let record = Record::new(time, info.width(), info.height(), &faces)
                .with_source(Some(stream.name().to_owned()))
                .with_zones(recorded)
                .with_pixel_aspect_ratio(info.par())
                .with_wall_clock(Some(record::now()))
                .with_sender_time(frame.sender_time.and_then(record::rfc3339));
            self.outputs.write(stream.name(), &record)?;
        }
        let latency = frame.captured.elapsed();
        stream.update(faces, (info.width(), info.height()), latency);
        if let Some(zones) = zones {
            for event in &zones.events {
                if let Some((event, why)) = limit_notice(&event.kind) {
                    self.outputs.notify(event, stream.name(), Some(why));
                }
            }
            stream.zones.update(zones);
        }

        if let Some(preview) = &mut context.preview
            && stream.picture.receiver_count() > 0
            && let Some(picture) =
                info_span!("preview").in_scope(|| preview.encode(&result, &info, frame.captured))?
        {
            stream.picture.send_replace(picture);
        }
        Ok(())
    }
}

/// Ends the processing of the item from a slot, even after a panic.
struct FinishOnDrop<'a>(&'a FrameQueue<AnalysisTask>, SlotId);

impl Drop for FinishOnDrop<'_> {
    fn drop(&mut self) {
        self.0.finish(self.1);
    }
}
