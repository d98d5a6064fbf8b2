//! What is done with a frame, whichever worker takes it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use gst_video::VideoInfo;
use gstemotion::emotionpublish::RecordSelection;
use gstemotion::face;
use gstemotion::frame_time::FrameTime;
use gstemotion::record::{self, Record};

use super::config::{Config, Source};
use super::element_chain::Chain;
use super::frame_queue::Desk;
use super::outputs::Outputs;
use super::preview::Pictures;
use super::source_pipeline::Frame;
use super::stream::{Stream, tell};

/// What all workers share.
pub(super) struct Worker<'a> {
    config: &'a Config,
    streams: &'a [Arc<Stream>],
    outputs: &'a Outputs,
    analysts: Vec<Mutex<Analyst>>,
}

/// What a stream needs from frame to frame.
struct Analyst {
    /// None after an error, until the next frame.
    chain: Option<Chain>,
    last: gst::ClockTime,
    selection: RecordSelection,
    pictures: Option<Pictures>,
    last_error: Option<String>,
}

impl<'a> Worker<'a> {
    /// Makes the elements of every stream, so that settings that cannot work are known at once.
    pub(super) fn new(
        config: &'a Config,
        streams: &'a [Arc<Stream>],
        outputs: &'a Outputs,
    ) -> anyhow::Result<Self> {
        let analysts = streams.iter().map(|stream| {
            let source = stream.source();
            let page = config.page.as_ref();
            let analyst = Analyst {
                chain: Some(chain(config, source)?),
                last: gst::ClockTime::ZERO,
                selection: RecordSelection::default(),
                pictures: page
                    .and_then(|page| Pictures::new(page, source.pictures).transpose())
                    .transpose()?,
                last_error: None,
            };
            anyhow::Ok(Mutex::new(analyst))
        });
        Ok(Self {
            analysts: analysts.collect::<Result<_, _>>()?,
            config,
            streams,
            outputs,
        })
    }

    /// Takes frames from `frame_queue` until it is closed.
    pub(super) fn work(&self, desk: &Desk<Frame>) {
        while let Some((seat, frame)) = desk.take() {
            let _done = Done(desk, seat);
            let mut analyst = self.analysts[seat]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let stream = &self.streams[seat];
            let error = self.analyse(&mut analyst, stream, frame).err();
            let error = error.map(|error| format!("{error:#}"));
            if error.is_some() {
                analyst.chain = None;
            }
            if error != analyst.last_error
                && let Some(error) = &error
            {
                tell(
                    stream.name(),
                    &format!("a frame cannot be analysed: {error}"),
                );
            }
            analyst.last_error = error;
        }
    }

    fn analyse(&self, analyst: &mut Analyst, stream: &Stream, frame: Frame) -> anyhow::Result<()> {
        let chain = match &mut analyst.chain {
            Some(chain) => chain,
            none => none.insert(chain(self.config, stream.source())?),
        };
        // The elements see one timeline, which goes on over reconnects and loops.
        let time = stream
            .running_time(frame.captured)
            .max(analyst.last + gst::ClockTime::NSECOND);
        analyst.last = time;
        let mut buffer = frame.buffer;
        let timed = buffer.make_mut();
        timed.set_pts(time);
        timed.set_dts(gst::ClockTime::NONE);
        let Some(result) = chain.run(buffer, &frame.caps)? else {
            return Ok(());
        };

        let info = VideoInfo::from_caps(&result.caps).context("the elements give no video")?;
        let faces = face::faces(&result.buffer);
        if self.outputs.take(&mut analyst.selection, time, &faces) {
            let time = FrameTime {
                stream: frame.stream_time,
                running: Some(time),
            };
            let record = Record::new(time, info.width(), info.height(), &faces)
                .with_source(Some(stream.name().to_owned()))
                .with_wall_clock(Some(record::now()));
            self.outputs.write(stream.name(), &record)?;
        }
        stream.note(
            faces,
            (info.width(), info.height()),
            frame.captured.elapsed(),
        );

        if let Some(pictures) = &mut analyst.pictures
            && stream.picture.receiver_count() > 0
            && let Some(picture) = pictures.of(&result, &info, frame.captured)?
        {
            stream.picture.send_replace(picture);
        }
        Ok(())
    }
}

/// Says that the work at a seat is done, whatever comes of it.
struct Done<'a>(&'a Desk<Frame>, usize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.done(self.1);
    }
}

fn chain(config: &Config, source: &Source) -> anyhow::Result<Chain> {
    let elements = [
        // Passes on what the detector takes as it is.
        gst::ElementFactory::make("videoconvert").build()?,
        config.detect.element(&source.detect)?,
        config.classify.element(&source.classify)?,
    ];
    Chain::new(&elements).with_context(|| source.name.to_string())
}
