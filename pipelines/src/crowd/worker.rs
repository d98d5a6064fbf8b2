//! The analysis of frames, shared by all worker threads.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use gst_video::VideoInfo;
use gstemotion::emotionpublish::RecordSelection;
use gstemotion::face;
use gstemotion::frame_time::FrameTime;
use gstemotion::record::{self, Record};

use super::config::{Config, EMOTIONCLASSIFY, FACEDETECT, SourceSettings, make_element};
use super::element_chain::ElementChain;
use super::frame_queue::FrameQueue;
use super::health::WorkerActivity;
use super::log::warn;
use super::outputs::RecordOutputs;
use super::preview::PreviewEncoder;
use super::source_pipeline::DecodedFrame;
use super::stream::Stream;

/// What all worker threads share.
pub(super) struct FrameAnalysis<'a> {
    config: &'a Config,
    streams: &'a [Arc<Stream>],
    outputs: &'a RecordOutputs,
    contexts: Vec<Mutex<StreamContext>>,
    pub(super) activity: Arc<WorkerActivity>,
}

/// What is kept of a stream from frame to frame.
struct StreamContext {
    /// `None` between an error and the next frame.
    chain: Option<ElementChain>,
    /// The running time of the last frame.
    last: gst::ClockTime,
    selection: RecordSelection,
    preview: Option<PreviewEncoder>,
    last_error: Option<String>,
}

impl<'a> FrameAnalysis<'a> {
    /// Creates the elements of every stream, so that wrong settings are reported at once.
    pub(super) fn new(
        config: &'a Config,
        streams: &'a [Arc<Stream>],
        outputs: &'a RecordOutputs,
    ) -> anyhow::Result<Self> {
        let contexts = streams.iter().map(|stream| {
            let source = stream.source();
            let page = config.page.as_ref();
            let preview = page.map(|page| PreviewEncoder::new(page, source.pictures));
            anyhow::Ok(Mutex::new(StreamContext {
                chain: Some(chain(config, source)?),
                last: gst::ClockTime::ZERO,
                selection: RecordSelection::default(),
                preview: preview.transpose()?.flatten(),
                last_error: None,
            }))
        });
        Ok(Self {
            contexts: contexts.collect::<Result<_, _>>()?,
            activity: Arc::default(),
            config,
            streams,
            outputs,
        })
    }

    /// Analyses frames from `queue` until it is closed.
    pub(super) fn run(&self, queue: &FrameQueue<DecodedFrame>) {
        while let Some((slot, frame)) = queue.pop() {
            let _finish = FinishOnDrop(queue, slot);
            let mut context = self.contexts[slot]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let stream = &self.streams[slot];
            let _active = self.activity.begin(stream);
            let error = self.analyse(&mut context, stream, frame).err();
            let error = error.map(|error| format!("{error:#}"));
            if let Some(error) = &error {
                context.chain = None;
                if context.last_error.as_ref() != Some(error) {
                    warn(stream.name(), &format!("cannot analyse a frame: {error}"));
                }
            }
            context.last_error = error;
        }
    }

    fn analyse(
        &self,
        context: &mut StreamContext,
        stream: &Stream,
        frame: DecodedFrame,
    ) -> anyhow::Result<()> {
        let chain = match &mut context.chain {
            Some(chain) => chain,
            none => none.insert(chain(self.config, stream.source())?),
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
        let Some(result) = chain.run(buffer, &frame.caps)? else {
            return Ok(());
        };

        let info = VideoInfo::from_caps(&result.caps).context("the elements return no video")?;
        let faces = face::faces(&result.buffer);
        if self.outputs.selects(&mut context.selection, time, &faces) {
            let time = FrameTime {
                stream: frame.stream_time,
                running: Some(time),
            };
            let record = Record::new(time, info.width(), info.height(), &faces)
                .with_source(Some(stream.name().to_owned()))
                .with_pixel_aspect_ratio(info.par())
                .with_wall_clock(Some(record::now()));
            self.outputs.write(stream.name(), &record)?;
        }
        let latency = frame.captured.elapsed();
        stream.update(faces, (info.width(), info.height()), latency);

        if let Some(preview) = &mut context.preview
            && stream.picture.receiver_count() > 0
            && let Some(picture) = preview.encode(&result, &info, frame.captured)?
        {
            stream.picture.send_replace(picture);
        }
        Ok(())
    }
}

/// Ends the processing of the item from a slot, even after a panic.
struct FinishOnDrop<'a>(&'a FrameQueue<DecodedFrame>, usize);

impl Drop for FinishOnDrop<'_> {
    fn drop(&mut self) {
        self.0.finish(self.1);
    }
}

fn chain(config: &Config, source: &SourceSettings) -> anyhow::Result<ElementChain> {
    let elements = [
        // Passes formats through that the detector accepts.
        gst::ElementFactory::make("videoconvert").build()?,
        make_element(FACEDETECT, &[&config.detect, &source.detect])?,
        make_element(EMOTIONCLASSIFY, &[&config.classify, &source.classify])?,
    ];
    ElementChain::new(&elements).with_context(|| source.name.clone())
}
