//! What is done with a frame, whichever worker takes it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use gst_video::VideoInfo;
use gstemotion::emotionpublish::Selection;
use gstemotion::face;
use gstemotion::record::{self, Record, Times};

use super::config::{Config, SourceSettings};
use super::element_chain::ElementChain;
use super::frame_queue::FrameQueue;
use super::outputs::RecordOutputs;
use super::preview::PreviewEncoder;
use super::source_pipeline::Frame;
use super::stream::{Stream, tell};

/// What all workers share.
pub(super) struct Worker<'a> {
    config: &'a Config,
    streams: &'a [Arc<Stream>],
    outputs: &'a RecordOutputs,
    contexts: Vec<Mutex<StreamContext>>,
}

/// What a stream needs from frame to frame.
struct StreamContext {
    /// None after an error, until the next frame.
    chain: Option<ElementChain>,
    last: gst::ClockTime,
    selection: Selection,
    pictures: Option<PreviewEncoder>,
    last_error: Option<String>,
}

impl<'a> Worker<'a> {
    /// Makes the elements of every stream, so that settings that cannot work are known at once.
    pub(super) fn new(
        config: &'a Config,
        streams: &'a [Arc<Stream>],
        outputs: &'a RecordOutputs,
    ) -> anyhow::Result<Self> {
        let contexts = streams.iter().map(|stream| {
            let source = stream.source();
            let page = config.page.as_ref();
            let context = StreamContext {
                chain: Some(chain(config, source)?),
                last: gst::ClockTime::ZERO,
                selection: Selection::default(),
                pictures: page
                    .and_then(|page| PreviewEncoder::new(page, source.pictures).transpose())
                    .transpose()?,
                last_error: None,
            };
            anyhow::Ok(Mutex::new(context))
        });
        Ok(Self {
            contexts: contexts.collect::<Result<_, _>>()?,
            config,
            streams,
            outputs,
        })
    }

    /// Takes frames from `frame_queue` until it is closed.
    pub(super) fn work(&self, desk: &FrameQueue<Frame>) {
        while let Some((seat, frame)) = desk.take() {
            let _done = Done(desk, seat);
            let mut context = self.contexts[seat]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let stream = &self.streams[seat];
            let error = self.analyse(&mut context, stream, frame).err();
            let error = error.map(|error| format!("{error:#}"));
            if error.is_some() {
                context.chain = None;
            }
            if error != context.last_error
                && let Some(error) = &error
            {
                tell(
                    stream.name(),
                    &format!("a frame cannot be analysed: {error}"),
                );
            }
            context.last_error = error;
        }
    }

    fn analyse(
        &self,
        context: &mut StreamContext,
        stream: &Stream,
        frame: Frame,
    ) -> anyhow::Result<()> {
        let chain = match &mut context.chain {
            Some(chain) => chain,
            none => none.insert(chain(self.config, stream.source())?),
        };
        // The elements see one timeline, which goes on over reconnects and loops.
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

        let info = VideoInfo::from_caps(&result.caps).context("the elements give no video")?;
        let faces = face::faces(&result.buffer);
        if self.outputs.take(&mut context.selection, time, &faces) {
            let times = Times {
                stream: frame.stream_time,
                running: Some(time),
                wall_clock: Some(record::now()),
            };
            let record = Record::new(times, info.width(), info.height(), &faces)
                .from_source(Some(stream.name().to_owned()));
            self.outputs.write(stream.name(), &record)?;
        }
        stream.note(
            faces,
            (info.width(), info.height()),
            frame.captured.elapsed(),
        );

        if let Some(pictures) = &mut context.pictures
            && stream.picture.receiver_count() > 0
            && let Some(picture) = pictures.of(&result, &info, frame.captured)?
        {
            stream.picture.send_replace(picture);
        }
        Ok(())
    }
}

/// Says that the work at a seat is done, whatever comes of it.
struct Done<'a>(&'a FrameQueue<Frame>, usize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.done(self.1);
    }
}

fn chain(config: &Config, source: &SourceSettings) -> anyhow::Result<ElementChain> {
    let elements = [
        // Passes on what the detector takes as it is.
        gst::ElementFactory::make("videoconvert").build()?,
        config.detect.element(&source.detect)?,
        config.classify.element(&source.classify)?,
    ];
    ElementChain::new(&elements).with_context(|| source.name.to_string())
}
