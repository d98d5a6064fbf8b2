//! The pipeline that analyses one file.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use gst::prelude::*;

use super::audio::AudioBranch;
use super::collector::FrameCollector;
use super::event::FileProgress;
use super::settings::{SamplingRate, Settings};
use crate::baseline;
use crate::encoding_profile::{EncodingProfile, MUXER};
use crate::launch_line::LaunchLine;
use crate::runner::{self, RunEnd, StopFlag, described};

/// How long no frame may come. A broken file can block a decoder for ever, and no frame takes this long.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);

/// What to run.
pub(super) struct TaggingPipeline<'a> {
    pub(super) file: &'a Path,
    pub(super) settings: &'a Settings,
    /// The encoder and the path of the annotated video.
    pub(super) video: Option<(&'static EncodingProfile, &'a Path)>,
    pub(super) collector: FrameCollector,
}

/// What the threads of the pipeline share.
struct Shared {
    /// Number of frames that the decoder produced.
    decoded: AtomicU64,
    collecting: Mutex<Collecting>,
}

struct Collecting {
    progress: FileProgress,
    /// An error ends the collecting.
    collector: anyhow::Result<FrameCollector>,
}

impl Shared {
    fn collecting(&self) -> MutexGuard<'_, Collecting> {
        self.collecting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl TaggingPipeline<'_> {
    /// Plays the file to its end and returns what was collected, or `None` if `stop` was set.
    ///
    /// Several times a second it calls `on_progress`, and for each warning of an element `on_warning`.
    pub(super) fn run(
        self,
        stop: &StopFlag,
        on_progress: &mut dyn FnMut(FileProgress),
        on_warning: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Option<FrameCollector>> {
        let pipeline = launch_line(self.settings, self.video).launch()?;
        let element = |name: &str| {
            let found = pipeline.by_name(name);
            found.with_context(|| format!("the pipeline has no element {name}"))
        };
        // Not in the launch line, because a file name need not be valid text.
        element("file")?.set_property("location", self.file);
        let shared = Arc::new(Shared {
            decoded: AtomicU64::new(0),
            collecting: Mutex::new(Collecting {
                progress: FileProgress::default(),
                collector: Ok(self.collector),
            }),
        });
        let entry = element("pictures")?
            .static_pad("sink")
            .context("a queue has no sink pad")?;
        sample(&entry, self.settings.every, shared.clone());
        let audio = match self.video {
            Some(_) => Some(AudioBranch::new(&element(MUXER)?)),
            None => None,
        };
        connect(&pipeline, &element("decode")?, entry, audio);
        collect(&element("frames")?, shared.clone())?;
        let baseline = self.settings.baseline;
        let learnt = baseline.map(|moment| baseline::learn_at(&pipeline, moment.time()));

        let played = play(&pipeline, &shared, stop, on_progress, on_warning);
        // A pipeline reports only that a frame was refused; the collector knows why.
        let nothing = Err(anyhow!("the results were already taken"));
        let mut collecting = shared.collecting();
        let collector = std::mem::replace(&mut collecting.collector, nothing)?;
        if played? == RunEnd::Stopped {
            return Ok(None);
        }
        anyhow::ensure!(
            collecting.progress.frames > 0,
            "no picture in it could be decoded"
        );
        if let (Some(moment), Some(false)) = (baseline, learnt.map(|l| l.load(Ordering::SeqCst))) {
            on_warning(&format!(
                "--baseline {moment}: the file has no frame from there on, or the weights have no label neutral; \
                 no expression was subtracted"
            ));
        }
        Ok(Some(collector))
    }
}

fn launch_line(
    settings: &Settings,
    video: Option<(&'static EncodingProfile, &Path)>,
) -> LaunchLine {
    // Phones store upright videos rotated and say so in a tag.
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
        Some((encoding, path)) => {
            let line = line
                .words("! tee name=tagged tagged. ! queue !")
                .words(frames)
                .words("tagged. ! queue ! emotionoverlay !");
            encoding.append(line, path)
        }
    }
}

/// Counts the frames that reach `entry`, and drops those that `every` leaves out.
fn sample(entry: &gst::Pad, every: Option<SamplingRate>, shared: Arc<Shared>) {
    let mut first = None;
    let mut last_slot = None;
    let is_sampled = move |time: Option<gst::ClockTime>| {
        let (Some(every), Some(time)) = (every, time) else {
            return true;
        };
        let since_first = time.saturating_sub(*first.get_or_insert(time));
        let slot = Some(every.slot(since_first));
        std::mem::replace(&mut last_slot, slot) != slot
    };
    let is_sampled = Mutex::new(is_sampled);
    let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    entry.add_probe(types, move |_, info| {
        let passes = match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                shared.decoded.fetch_add(1, Ordering::SeqCst);
                let mut is_sampled = is_sampled.lock().unwrap_or_else(PoisonError::into_inner);
                is_sampled(buffer.pts())
            }
            // If audio begins before the video, the muxer of GStreamer 1.22 waits for ever behind a gap.
            Some(gst::PadProbeData::Event(event)) => event.type_() != gst::EventType::Gap,
            _ => true,
        };
        match passes {
            true => gst::PadProbeReturn::Ok,
            // With Drop, GStreamer 1.22 would warn about data that the probe has taken.
            false => gst::PadProbeReturn::Handled,
        }
    });
}

/// Links the first video stream to `entry` and all audio to `audio`, and discards the other streams.
fn connect(
    pipeline: &gst::Pipeline,
    decode: &gst::Element,
    entry: gst::Pad,
    audio: Option<AudioBranch>,
) {
    let audio = Arc::new(audio);

    // Streams that nobody needs are not decoded.
    let wanted = audio.clone();
    decode.connect("autoplug-continue", false, move |values| {
        let caps = values.get(2)?.get::<gst::Caps>().ok();
        let name = caps.as_ref().and_then(|caps| caps.structure(0));
        let goes_on = match name.map(|structure| structure.name().as_str()) {
            Some(name) if name.starts_with("audio/") => match (&*wanted, &caps) {
                (Some(audio), Some(caps)) => !audio.takes(caps),
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
        let name = caps
            .structure(0)
            .map_or("", |structure| structure.name().as_str());
        let is_video = name.starts_with("video/") || name.starts_with("image/");
        if is_video && !found.swap(true, Ordering::SeqCst) {
            // An unlinked pad ends the stream with an error that says so.
            let _ = pad.link(&entry);
            return;
        }
        let is_linked = match &*audio {
            Some(audio) if name.starts_with("audio/") => audio.add(&pipeline, pad, &caps).is_ok(),
            _ => false,
        };
        if !is_linked {
            discard(&pipeline, pad);
        }
    });
    decode.connect_no_more_pads(move |decode| {
        if !has_video.load(Ordering::SeqCst) {
            gst::element_error!(
                decode,
                gst::StreamError::WrongType,
                ("there are no pictures in it, only audio or text")
            );
        }
    });
}

fn is_text(name: &str) -> bool {
    [
        "text/x-raw",
        "subpicture/",
        "closedcaption/",
        "meta/",
        "subtitle/",
        "application/x-ssa",
        "application/x-ass",
        "application/x-subtitle",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// Links `pad` to a sink, because an unlinked stream would end the others with an error.
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
        // An unlinked pad ends the stream with an error that says so.
        let _ = pad.link(&entry);
    }
}

/// Passes the frames of the appsink `frames` to the collector.
fn collect(frames: &gst::Element, shared: Arc<Shared>) -> anyhow::Result<()> {
    let sink = frames.downcast_ref::<gst_app::AppSink>();
    let sink = sink.context("the element frames is no appsink")?;
    let on_sample = move |sink: &gst_app::AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let mut collecting = shared.collecting();
        let Collecting {
            progress,
            collector,
        } = &mut *collecting;
        let added = match collector {
            Ok(collector) => collector.add(&sample),
            Err(_) => return Err(gst::FlowError::Error),
        };
        match added {
            Ok(time) => {
                progress.frames += 1;
                progress.time = time.or(progress.time);
                Ok(gst::FlowSuccess::Ok)
            }
            Err(error) => {
                *collector = Err(error);
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

fn play(
    pipeline: &gst::Pipeline,
    shared: &Shared,
    stop: &StopFlag,
    on_progress: &mut dyn FnMut(FileProgress),
    on_warning: &mut dyn FnMut(&str),
) -> anyhow::Result<RunEnd> {
    let mut missing_plugin: Option<String> = None;
    let mut last_change = (0, Instant::now());
    runner::play(pipeline, &[gst::MessageType::Element], |message| {
        match message.map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => return Ok(Some(RunEnd::EndOfStream)),
            Some(gst::MessageView::Error(error)) => {
                return Err(match &missing_plugin {
                    Some(plugin) => {
                        anyhow!("nothing is installed to decode it: a {plugin} is missing")
                    }
                    None => anyhow!("{}", described(error.src(), &error.error(), error.debug())),
                });
            }
            Some(gst::MessageView::Warning(warning)) => {
                on_warning(&described(warning.src(), &warning.error(), None));
            }
            Some(gst::MessageView::Element(element)) => {
                let structure = element.structure().filter(|s| s.name() == "missing-plugin");
                let name = structure.and_then(|structure| structure.get::<String>("name").ok());
                missing_plugin = missing_plugin.take().or(name);
            }
            _ => {}
        }
        if stop.is_set() {
            return Ok(Some(RunEnd::Stopped));
        }
        let progress = shared.collecting().progress;
        let count = shared.decoded.load(Ordering::SeqCst) + progress.frames;
        if count != last_change.0 {
            last_change = (count, Instant::now());
        } else if last_change.1.elapsed() > STALL_TIMEOUT {
            bail!(
                "no picture within {} s: the file is broken, or a decoder hangs",
                STALL_TIMEOUT.as_secs()
            );
        }
        on_progress(FileProgress {
            duration: pipeline.query_duration(),
            ..progress
        });
        Ok(None)
    })
}
