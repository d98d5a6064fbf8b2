//! The pipeline that tags one file.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use gst::prelude::*;

use super::audio::AudioBranch;
use super::collector::FrameCollector;
use super::settings::{SamplingRate, Settings};
use crate::encoding_profile::{EncodingProfile, MUXER};
use crate::launch_line::LaunchLine;
use crate::runner::{StopFlag, described};

/// How often a running pipeline looks up from its work.
const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(200);
/// A broken file may keep a decoder waiting without end; a picture takes less.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);

/// How far a file is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FileProgress {
    /// Frames that were looked at.
    pub frames: u64,
    /// The time of the last of them.
    pub time: Option<gst::ClockTime>,
    /// The length of the file, where it is known.
    pub duration: Option<gst::ClockTime>,
}

/// What to run.
pub(super) struct TaggingPipeline<'a> {
    pub(super) file: &'a Path,
    pub(super) settings: &'a Settings,
    /// Where an annotated video goes.
    pub(super) video: Option<(&'static EncodingProfile, &'a Path)>,
    pub(super) collector: FrameCollector,
}

#[derive(Default)]
struct FrameCounters {
    /// Pictures that came out of the decoder.
    decoded: AtomicU64,
    frames: AtomicU64,
    /// Nanoseconds; of the last frame with a time.
    time: AtomicU64,
    has_time: AtomicBool,
}

impl TaggingPipeline<'_> {
    /// Plays the file to its end and returns what was collected, or nothing when `stop` was wished.
    ///
    /// `tick` hears several times a second how far it is, `warn` what is doubtful.
    pub(super) fn run(
        self,
        stop: &StopFlag,
        tick: &mut dyn FnMut(FileProgress),
        warn: &mut dyn FnMut(String),
    ) -> anyhow::Result<Option<FrameCollector>> {
        let pipeline = line(self.settings, self.video).launch()?;
        let element = |name: &str| {
            let found = pipeline.by_name(name);
            found.with_context(|| format!("the pipeline has no {name}"))
        };
        // Not through the line: a name of a file need not be text.
        element("file")?.set_property("location", self.file);
        let counts = Arc::new(FrameCounters::default());
        watch_decoder(&element("pictures")?, self.settings.every, counts.clone())?;
        let sound = match self.video {
            Some(_) => Some(AudioBranch::into(&element(MUXER)?)),
            None => None,
        };
        connect(&pipeline, &element("decode")?, &element("pictures")?, sound)?;
        let collector = Arc::new(Mutex::new(Collecting::Going(Box::new(self.collector))));
        collect(&element("frames")?, collector.clone(), counts.clone())?;

        let shut_down = ShutDown(&pipeline);
        let played = play(&pipeline, &counts, stop, tick, warn);
        drop(shut_down);
        let collecting = std::mem::replace(
            &mut *collector.lock().unwrap_or_else(PoisonError::into_inner),
            Collecting::Ended,
        );
        match (collecting, played) {
            // A pipeline only says that somebody refused a picture; here is why.
            (Collecting::Failed(error), _) | (_, Err(error)) => Err(error),
            (Collecting::Going(_), Ok(End::Stopped)) => Ok(None),
            (Collecting::Going(collector), Ok(End::Source)) => {
                anyhow::ensure!(
                    counts.frames.load(Ordering::SeqCst) > 0,
                    "no picture in it could be decoded"
                );
                Ok(Some(*collector))
            }
            (Collecting::Ended, Ok(_)) => bail!("the pipeline ended twice"),
        }
    }
}

enum Collecting {
    Going(Box<FrameCollector>),
    Failed(anyhow::Error),
    Ended,
}

enum End {
    Source,
    Stopped,
}

fn line(settings: &Settings, video: Option<(&'static EncodingProfile, &Path)>) -> LaunchLine {
    // Telephones store upright pictures lying on their side and say so in a tag.
    let line = LaunchLine::default()
        .words("filesrc name=file ! decodebin name=decode")
        .words("queue name=pictures max-size-buffers=8 max-size-bytes=0 max-size-time=0")
        .words("! videoconvert ! videoflip video-direction=auto ! facedetect")
        .words(&settings.facedetect)
        .words("! emotionclassify")
        .words(&settings.emotionclassify);
    let frames = "appsink name=frames sync=false max-buffers=4";
    match video {
        None => line.words("!").words(frames),
        Some((recording, path)) => {
            let line = line
                .words("! tee name=tagged tagged. ! queue !")
                .words(frames)
                .words("tagged. ! queue ! emotionoverlay !");
            recording.append(line, path)
        }
    }
}

/// Counts what is decoded and lets only the wanted frames pass.
fn watch_decoder(
    pictures: &gst::Element,
    every: Option<SamplingRate>,
    counts: Arc<FrameCounters>,
) -> anyhow::Result<()> {
    let pad = pictures
        .static_pad("sink")
        .context("a queue has a way in")?;
    let mut first = None;
    let mut last = None;
    let is_wanted = move |time: Option<gst::ClockTime>| {
        let (Some(every), Some(time)) = (every, time) else {
            return true;
        };
        let since = time.saturating_sub(*first.get_or_insert(time));
        let slot = every.slot(since);
        let wanted = last != Some(slot);
        last = Some(slot);
        wanted
    };
    let is_wanted = Mutex::new(is_wanted);
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(kinds, move |_, info| {
        let passes = match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                counts.decoded.fetch_add(1, Ordering::SeqCst);
                let mut is_wanted = is_wanted.lock().unwrap_or_else(PoisonError::into_inner);
                is_wanted(buffer.pts())
            }
            // Where sound begins before the picture, the muxer of GStreamer 1.22 waits for ever behind a gap.
            Some(gst::PadProbeData::Event(event)) => event.type_() != gst::EventType::Gap,
            _ => true,
        };
        if passes {
            gst::PadProbeReturn::Ok
        } else {
            // Drop would let GStreamer 1.22 complain about data that the probe has taken.
            gst::PadProbeReturn::Handled
        }
    });
    Ok(())
}

/// Leads the first video to `pictures`, all sound to `sound`, and the rest nowhere.
fn connect(
    pipeline: &gst::Pipeline,
    decode: &gst::Element,
    pictures: &gst::Element,
    sound: Option<AudioBranch>,
) -> anyhow::Result<()> {
    let entry = pictures
        .static_pad("sink")
        .context("a queue has a way in")?;
    let sound = Arc::new(sound);

    // What nobody wants need not be decoded.
    let wanted = sound.clone();
    decode.connect("autoplug-continue", false, move |values| {
        let caps = values
            .get(2)
            .and_then(|value| value.get::<gst::Caps>().ok());
        let name = caps
            .as_ref()
            .and_then(|caps| caps.structure(0))
            .map(|s| s.name());
        let goes_on = match name.map(|name| name.as_str()) {
            Some(name) if name.starts_with("audio/") => match (&*wanted, &caps) {
                (Some(sound), Some(caps)) => !sound.takes(caps),
                _ => false,
            },
            Some(name) => !is_text(name),
            None => true,
        };
        Some(goes_on.to_value())
    });

    let has_video = Arc::new(AtomicBool::new(false));
    let found = has_video.clone();
    let pipeline = pipeline.downgrade();
    decode.connect_pad_added(move |_, pad| {
        let Some(pipeline) = pipeline.upgrade() else {
            return;
        };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let kind = caps.structure(0).map(|structure| structure.name());
        let kind = kind.map_or("", |name| name.as_str());
        let is_picture = kind.starts_with("video/") || kind.starts_with("image/");
        if is_picture && !found.swap(true, Ordering::SeqCst) {
            // A refusal ends the stream with an error that says so.
            let _ = pad.link(&entry);
            return;
        }
        let is_taken = match &*sound {
            Some(sound) if kind.starts_with("audio/") => sound.add(&pipeline, pad, &caps).is_ok(),
            _ => false,
        };
        if !is_taken {
            discard(&pipeline, pad);
        }
    });
    decode.connect_no_more_pads(move |decode| {
        if !has_video.load(Ordering::SeqCst) {
            gst::element_error!(
                decode,
                gst::StreamError::WrongType,
                ("there are no pictures in it, only sound or text")
            );
        }
    });
    Ok(())
}

fn is_text(name: &str) -> bool {
    let kinds = [
        "text/x-raw",
        "subpicture/",
        "closedcaption/",
        "meta/",
        "subtitle/",
        "application/x-ssa",
        "application/x-ass",
        "application/x-subtitle",
    ];
    kinds.iter().any(|kind| name.starts_with(kind))
}

/// A stream without a sink would end the others with an error.
fn discard(pipeline: &gst::Pipeline, pad: &gst::Pad) {
    let Ok(sink) = gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .build()
    else {
        return;
    };
    if pipeline.add(&sink).is_ok()
        && sink.sync_state_with_parent().is_ok()
        && let Some(entry) = sink.static_pad("sink")
    {
        // What is not linked says so itself.
        let _ = pad.link(&entry);
    }
}

fn collect(
    frames: &gst::Element,
    collecting: Arc<Mutex<Collecting>>,
    counts: Arc<FrameCounters>,
) -> anyhow::Result<()> {
    let sink = frames.downcast_ref::<gst_app::AppSink>();
    let sink = sink.context("appsink is an AppSink")?;
    let take = move |sink: &gst_app::AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let mut collecting = collecting.lock().unwrap_or_else(PoisonError::into_inner);
        let Collecting::Going(collector) = &mut *collecting else {
            return Err(gst::FlowError::Error);
        };
        match collector.take(&sample) {
            Ok(time) => {
                counts.frames.fetch_add(1, Ordering::SeqCst);
                if let Some(time) = time {
                    counts.time.store(time.nseconds(), Ordering::SeqCst);
                    counts.has_time.store(true, Ordering::SeqCst);
                }
                Ok(gst::FlowSuccess::Ok)
            }
            Err(error) => {
                *collecting = Collecting::Failed(error);
                Err(gst::FlowError::Error)
            }
        }
    };
    sink.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(take)
            .build(),
    );
    Ok(())
}

fn play(
    pipeline: &gst::Pipeline,
    counts: &FrameCounters,
    stop: &StopFlag,
    tick: &mut dyn FnMut(FileProgress),
    warn: &mut dyn FnMut(String),
) -> anyhow::Result<End> {
    let bus = pipeline.bus().context("a pipeline has a bus")?;
    // Where an element refuses, its own message says why: it stands on the bus.
    let refused = pipeline.set_state(gst::State::Playing).is_err();
    let mut missing: Option<String> = None;
    let mut progress = (0, Instant::now());
    loop {
        let message = bus.timed_pop_filtered(
            TICK,
            &[
                gst::MessageType::Eos,
                gst::MessageType::Error,
                gst::MessageType::Warning,
                gst::MessageType::Element,
            ],
        );
        match message.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => return Ok(End::Source),
            Some(gst::MessageView::Error(error)) => {
                return Err(match missing {
                    Some(missing) => {
                        anyhow!("nothing is installed to decode it: a {missing} is missing")
                    }
                    None => anyhow!("{}", described(error.src(), &error.error(), error.debug())),
                });
            }
            Some(gst::MessageView::Warning(warning)) => {
                warn(described(warning.src(), &warning.error(), None));
            }
            Some(gst::MessageView::Element(element)) => {
                let structure = element.structure().filter(|s| s.name() == "missing-plugin");
                let name = structure.and_then(|structure| structure.get::<String>("name").ok());
                missing = missing.or(name);
            }
            _ if refused => bail!("the pipeline does not start; GST_DEBUG=3 shows more"),
            _ => {}
        }
        if stop.is_set() {
            return Ok(End::Stopped);
        }
        let done = counts.decoded.load(Ordering::SeqCst) + counts.frames.load(Ordering::SeqCst);
        if done != progress.0 {
            progress = (done, Instant::now());
        } else if progress.1.elapsed() > STALL_TIMEOUT {
            bail!(
                "no picture within {} s: the file is broken, or a decoder hangs",
                STALL_TIMEOUT.as_secs()
            );
        }
        let time = counts.time.load(Ordering::SeqCst);
        let has_time = counts.has_time.load(Ordering::SeqCst);
        tick(FileProgress {
            frames: counts.frames.load(Ordering::SeqCst),
            time: has_time.then(|| gst::ClockTime::from_nseconds(time)),
            duration: pipeline.query_duration(),
        });
    }
}

/// Takes the pipeline to Null when dropped, so that files are let go.
struct ShutDown<'a>(&'a gst::Pipeline);

impl Drop for ShutDown<'_> {
    fn drop(&mut self) {
        // A pipeline that cannot even stop has already posted why.
        let _ = self.0.set_state(gst::State::Null);
    }
}
