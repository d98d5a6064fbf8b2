//! The pipeline that analyses one file.

mod streams;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, anyhow, bail};
use gst::prelude::*;

use super::audio::AudioBranch;
use super::collector::{FrameCollector, NO_OFFSET};
use super::event::FileProgress;
use super::image_file::PictureFormat;
use super::media_source::{IMAGE_SOURCE, MediaSource, feed};
use super::recording::Recording;
use super::settings::{SamplingRate, Settings};
use crate::baseline;
use crate::encoding_profile::{EncodingProfile, MUXER};
use crate::launch_line::LaunchLine;
use crate::runner::{self, described};

/// What to run.
pub(super) struct TaggingPipeline<'a> {
    pub(super) file: &'a Path,
    pub(super) source: MediaSource,
    pub(super) settings: &'a Settings,
    /// Whether to keep what was collected of a file that cannot be decoded to its end.
    pub(super) keep_partial: bool,
    /// Whether hardware decoders are left out.
    pub(super) software_decoders: bool,
    /// The path of the annotated copy, and how it is encoded.
    pub(super) annotated: Option<(AnnotatedFormat, &'a Path)>,
    pub(super) collector: FrameCollector,
}

/// The format of an annotated copy.
#[derive(Debug, Clone, Copy)]
pub(super) enum AnnotatedFormat {
    Video(&'static EncodingProfile),
    Picture(PictureFormat),
}

impl AnnotatedFormat {
    /// The file extension.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Video(profile) => profile.extension,
            Self::Picture(format) => format.extension(),
        }
    }
}

/// What a pipeline collected.
pub(super) struct Collected {
    pub(super) collector: FrameCollector,
    /// Why the file could not be decoded to its end.
    pub(super) damage: Option<String>,
}

/// How far a pipeline got.
#[derive(Debug, Clone, Copy)]
pub(super) struct PipelineProgress {
    pub(super) progress: FileProgress,
    /// A number that grows whenever something was read, decoded or analysed. It is bounded by the file, so a decoder that
    /// reads in circles does not make it grow.
    pub(super) work: u64,
    /// Whether a hardware decoder takes part.
    pub(super) has_hardware_decoder: bool,
}

/// What the threads of the pipeline share.
struct Shared {
    /// The end of what was read of the file, in bytes.
    read: AtomicU64,
    /// Number of frames that the decoder produced.
    decoded: AtomicU64,
    has_hardware_decoder: AtomicBool,
    collecting: Mutex<Collecting>,
}

struct Collecting {
    progress: FileProgress,
    /// An error ends the collecting.
    collector: anyhow::Result<FrameCollector>,
}

impl Shared {
    fn progress(&self, pipeline: &gst::Pipeline) -> PipelineProgress {
        let progress = self.collecting().progress;
        let duration: Option<gst::ClockTime> = pipeline.query_duration();
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

    fn collecting(&self) -> MutexGuard<'_, Collecting> {
        self.collecting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl TaggingPipeline<'_> {
    /// Plays the file to its end and returns what was collected; with `keep_partial` up to the damage.
    ///
    /// Several times a second it calls `on_progress`, and for each warning of an element `on_warning`.
    pub(super) fn run(
        self,
        on_progress: &dyn Fn(PipelineProgress),
        on_warning: &dyn Fn(&str),
    ) -> anyhow::Result<Collected> {
        let pipeline = launch_line(self.settings, &self.source, self.annotated).launch()?;
        let element = |name: &str| {
            let found = pipeline.by_name(name);
            found.with_context(|| format!("the pipeline has no element {name}"))
        };
        let shared = Arc::new(Shared {
            read: AtomicU64::new(0),
            has_hardware_decoder: AtomicBool::new(false),
            decoded: AtomicU64::new(0),
            collecting: Mutex::new(Collecting {
                progress: FileProgress::default(),
                collector: Ok(self.collector),
            }),
        });
        if !matches!(self.source, MediaSource::Image(_)) {
            // Not in the launch line, because a file name need not be valid text.
            let file = element("file")?;
            file.set_property("location", self.file);
            count_read_bytes(&file, shared.clone())?;
        }
        watch_decoders(&pipeline, shared.clone());
        let entry = element("pictures")?
            .static_pad("sink")
            .context("a queue has no sink pad")?;
        sample(&entry, self.settings.every, shared.clone());
        if matches!(self.source, MediaSource::Stream) {
            let decode = element("decode")?;
            decode.set_property("force-sw-decoders", self.software_decoders);
            let audio = match self.annotated {
                Some(_) => Some(AudioBranch::new(&element(MUXER)?)),
                None => None,
            };
            streams::connect(&pipeline, &decode, entry, audio);
        }
        collect(&element("frames")?, shared.clone())?;
        let baseline = self.settings.baseline;
        let learnt = baseline.map(|moment| baseline::learn_at(&pipeline, moment.time()));

        let mut recording = Recording::default();
        let is_heif = matches!(self.source, MediaSource::Heif);
        let played = thread::scope(|scope| {
            if let MediaSource::Image(image) = self.source {
                recording = image.recording.clone();
                let source = element(IMAGE_SOURCE)?;
                let source = source.downcast::<gst_app::AppSrc>().ok();
                let source = source.context("the element image is no appsrc")?;
                scope.spawn(move || {
                    if let Err(error) = feed(&image, &source) {
                        gst::element_error!(source, gst::StreamError::Decode, ("{error:#}"));
                    }
                });
            }
            play(&pipeline, &shared, &mut recording, on_progress, on_warning)
        });
        // The last step may not have been reported.
        on_progress(shared.progress(&pipeline));
        // A pipeline reports only that a frame was refused; the collector knows why.
        let nothing = Err(anyhow!("the results were already taken"));
        let mut collecting = shared.collecting();
        let mut collector = std::mem::replace(&mut collecting.collector, nothing)?;
        let frames = collecting.progress.frames;
        let damage = match played {
            Ok(()) => None,
            Err(error) if is_heif && frames == 0 => bail!("{}", MediaSource::explained(&error)),
            Err(error) if self.keep_partial && frames > 0 => Some(format!("{error:#}")),
            Err(error) => return Err(error),
        };
        anyhow::ensure!(frames > 0, "no picture in it could be decoded");
        if let (Some(moment), Some(false)) = (baseline, learnt.map(|l| l.load(Ordering::SeqCst))) {
            on_warning(&format!(
                "--baseline {moment}: the file has no frame from there on, or the weights have no label neutral; \
                 no expression was subtracted"
            ));
        }
        // Tags that come before the first frame and those that come later.
        recording.timecode = collector.recording.timecode.take();
        collector.recording = recording;
        Ok(Collected { collector, damage })
    }
}

/// Checks that the elements start with these settings.
///
/// # Errors
///
/// If a property does not exist or its value is rejected.
pub(super) fn check(settings: &Settings) -> anyhow::Result<()> {
    let line = LaunchLine::default()
        .words("fakesrc num-buffers=0 ! facedetect")
        .words(&settings.facedetect)
        .words("! emotionclassify")
        .words(&settings.emotionclassify)
        .words("! fakesink");
    // The user did not write this line, so the error does not quote it.
    let pipeline = line
        .launch()
        .map_err(|error| anyhow!("{}", error.root_cause()))?;
    runner::play(&pipeline, &[], |message| {
        match message.map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => Ok(Some(())),
            Some(gst::MessageView::Error(error)) => Err(anyhow!(
                "{}",
                described(error.src(), &error.error(), error.debug())
            )),
            _ => Ok(None),
        }
    })
}

fn launch_line(
    settings: &Settings,
    source: &MediaSource,
    annotated: Option<(AnnotatedFormat, &Path)>,
) -> LaunchLine {
    // Phones store upright videos rotated and say so in a tag.
    let line = LaunchLine::default()
        .words(source.words())
        .words("queue name=pictures max-size-buffers=8 max-size-bytes=0 max-size-time=0")
        .words("! videoconvert ! videoflip video-direction=auto ! facedetect")
        .words(&settings.facedetect)
        .words("! emotionclassify")
        .words(&settings.emotionclassify);
    let frames = "appsink name=frames sync=false max-buffers=4";
    match annotated {
        None => line.words("!").words(frames),
        Some((format, path)) => {
            let line = line
                .words("! tee name=tagged tagged. ! queue !")
                .words(frames)
                .words("tagged. ! queue ! emotionoverlay !");
            match format {
                AnnotatedFormat::Video(profile) => profile.append(line, path),
                AnnotatedFormat::Picture(format) => line
                    .words("videoconvert !")
                    .words(format.encoder())
                    .words("! filesink")
                    .path("location", path),
            }
        }
    }
}

/// Notes how far the file was read.
fn count_read_bytes(file: &gst::Element, shared: Arc<Shared>) -> anyhow::Result<()> {
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
fn watch_decoders(pipeline: &gst::Pipeline, shared: Arc<Shared>) {
    pipeline.connect_deep_element_added(move |_, _, element| {
        let class = element.metadata(gst::ELEMENT_METADATA_KLASS);
        if class.is_some_and(|class| class.contains("Decoder") && class.contains("Hardware")) {
            shared.has_hardware_decoder.store(true, Ordering::SeqCst);
        }
    });
}

/// Numbers the frames that reach `entry` in their offsets, and drops those that `every` leaves out.
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
        let passes = match &mut info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let number = shared.decoded.fetch_add(1, Ordering::SeqCst);
                buffer.make_mut().set_offset(number);
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
                progress.time = time.map(gst::ClockTime::seconds_f64).or(progress.time);
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
    recording: &mut Recording,
    on_progress: &dyn Fn(PipelineProgress),
    on_warning: &dyn Fn(&str),
) -> anyhow::Result<()> {
    let mut missing_plugin: Option<String> = None;
    let more = [gst::MessageType::Element, gst::MessageType::Tag];
    runner::play(pipeline, &more, |message| {
        match message.map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => return Ok(Some(())),
            Some(gst::MessageView::Error(error)) => {
                return Err(match &missing_plugin {
                    Some(plugin) => {
                        anyhow!("nothing is installed to decode it: a {plugin} is missing")
                    }
                    // The user knows the file, and none of the elements.
                    None => anyhow!("{}", described(None, &error.error(), error.debug())),
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
            Some(gst::MessageView::Tag(tag)) => {
                recording.add_tags(&tag.tags());
                // They come before the first frame, when there is no progress to report.
                return Ok(None);
            }
            _ => {}
        }
        on_progress(shared.progress(pipeline));
        Ok(None)
    })
}
