//! The pipeline that analyses one file.

mod demuxed_times;
mod encoded_size;
mod failure;
mod frame_entry;
mod shared;
mod streams;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use anyhow::{Context as _, anyhow, bail};
use gst::prelude::*;
use tracing::info_span;

use super::audio::AudioBranch;
use super::collector::FrameCollector;
use super::image_file::PictureFormat;
use super::media_info::MediaInfo;
use super::media_source::{IMAGE_SOURCE, MediaSource, feed};
use super::movie_head;
use super::recording::Recording;
use super::sdr_convert;
use super::settings::Settings;
use super::temporary::{TemporaryError, is_temporary, is_temporary_in_element};
use crate::baseline;
use crate::decoders::Decoders;
use crate::encoding_profile::{EncodingProfile, MUXER};
use crate::launch_line::LaunchLine;
use crate::runner::{self, described};

use self::demuxed_times::DemuxedTimes;
pub(super) use self::shared::PipelineProgress;
use self::shared::Shared;
use self::streams::WantedStreams;

/// What to run.
pub(super) struct TaggingPipeline<'a> {
    pub(super) file: &'a Path,
    pub(super) source: MediaSource,
    pub(super) settings: &'a Settings,
    /// Whether to keep what was collected of a file that cannot be decoded to its end.
    pub(super) keep_partial: bool,
    pub(super) decoders: Decoders,
    /// The path of the annotated copy, and how it is encoded.
    pub(super) annotated: Option<(AnnotatedFormat, &'a Path)>,
    /// The tracks of sound that the annotated copy is made without, in the order in which they come.
    pub(super) left_out_sound: BTreeSet<usize>,
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
    /// Which sound the annotated copy is without, and why.
    pub(super) lost_sound: Option<String>,
    /// The tracks of sound that ended without data; the annotated copy cannot be read if there are any.
    pub(super) empty_sound: BTreeSet<usize>,
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
        let shared = Arc::new(Shared::new(self.collector));
        let info = match self.source {
            MediaSource::Stream => info_span!("probe").in_scope(|| {
                MediaInfo::of_file(
                    self.file,
                    |file| shared::count_read_bytes(file, shared.clone()),
                    || on_progress(shared.progress(None)),
                )
            })?,
            MediaSource::Image(_) | MediaSource::Heif => MediaInfo::default(),
        };
        let track = info.video_track(self.settings.track)?;
        let pipeline = launch_line(self.settings, &self.source, self.annotated).launch()?;
        // A sink that waits for the other one lets a query for buffers wait in its queue, and so the whole pipeline.
        for sink in pipeline.iterate_sinks().into_iter().flatten() {
            sink.set_property("async", false);
        }
        let element = |name: &str| {
            let found = pipeline.by_name(name);
            found.with_context(|| format!("the pipeline has no element {name}"))
        };
        if !matches!(self.source, MediaSource::Image(_)) {
            // Not in the launch line, because a file name need not be valid text.
            let file = element("file")?;
            file.set_property("location", self.file);
            shared::count_read_bytes(&file, shared.clone())?;
            movie_head::correct(&file, info.corrections.clone())?;
        }
        if let Some((_, path)) = self.annotated {
            // As above.
            for sink in pipeline.iterate_sinks().into_iter().flatten() {
                let factory = sink.factory().map(|factory| factory.name());
                if factory.is_some_and(|name| name == "filesink") {
                    sink.set_property("location", path);
                }
            }
        }
        shared::watch_decoders(&pipeline, shared.clone());
        let entry = element("pictures")?
            .static_pad("sink")
            .context("a queue has no sink pad")?;
        let every = self.settings.every;
        let mut undemuxed = Vec::new();
        let mut audio_branch = None;
        if !matches!(self.source, MediaSource::Stream) {
            frame_entry::install(&entry, info.time_line, None, every, shared.clone());
        } else {
            let ids = info.video.iter().map(|track| track.stream_id.clone());
            let mut ids: Vec<_> = ids.collect();
            if track < ids.len() {
                ids.remove(track);
            }
            let times = DemuxedTimes::watch(&pipeline, info.time_line);
            frame_entry::install(&entry, info.time_line, Some(times), every, shared.clone());
            let decode = element("decode")?;
            self.decoders.set_up(&decode);
            let audio = match self.annotated {
                Some(_) => {
                    let left_out = self.left_out_sound.clone();
                    Some(Arc::new(AudioBranch::new(&element(MUXER)?, left_out)?))
                }
                None => None,
            };
            audio_branch.clone_from(&audio);
            for sound in info.undemuxed_audio.iter().filter(|_| audio.is_some()) {
                match streams::add_undemuxed(&pipeline, sound, audio.as_deref()) {
                    Ok(source) => undemuxed.push((sound, source)),
                    Err(error) => {
                        shared.add_lost_sound(format!("{}: {error:#}", sound.shown()));
                    }
                }
            }
            let wanted = WantedStreams {
                other_video: ids,
                audio,
                time_line: info.time_line,
            };
            streams::connect(&pipeline, &decode, entry, wanted, shared.clone());
        }
        if let Some((AnnotatedFormat::Video(_), _)) = self.annotated {
            encoded_size::keep(
                &element(encoded_size::SCALER)?,
                &element(encoded_size::FILTER)?,
            )?;
        }
        shared::collect(&element("frames")?, shared.clone())?;
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
            for (sound, source) in undemuxed {
                let (file, line) = (self.file, info.time_line);
                scope.spawn(move || {
                    if let Err(error) = sound.feed(file, line, &source) {
                        gst::element_error!(source, gst::ResourceError::Read, ("{error}"));
                    }
                });
            }
            play(&pipeline, &shared, &mut recording, on_progress, on_warning)
        });
        // The last step may not have been reported.
        on_progress(shared.progress(Some(&pipeline)));
        // A pipeline reports only that a frame was refused; the collector knows why.
        let nothing = Err(anyhow!("the results were already taken"));
        let mut collecting = shared.collecting();
        let mut collector = std::mem::replace(&mut collecting.collector, nothing)?;
        let frames = collecting.progress.frames;
        let damage = match played {
            Ok(()) => None,
            Err(error) if is_heif && frames == 0 => bail!("{}", MediaSource::explained(&error)),
            Err(error) if self.keep_partial && frames > 0 => Some(format!("{error:#}")),
            Err(error) if frames > 0 && self.annotated.is_none() => {
                let text = format!("{error:#}; --keep-partial keeps the {frames} frames before");
                return Err(match is_temporary(&error) {
                    true => TemporaryError(text).into(),
                    false => anyhow!(text),
                });
            }
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
        recording.hdr = shared.hdr.get().map(|transfer| transfer.name());
        collector.recording = recording;
        Ok(Collected {
            collector,
            damage,
            lost_sound: shared.lost_sound(),
            empty_sound: audio_branch.map_or(BTreeSet::new(), |audio| audio.empty()),
        })
    }
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
        .words("! videoconvert !")
        .words(sdr_convert::NAME)
        .words(
            "! deinterlace fields=top method=linear ! videoflip video-direction=auto ! facedetect",
        )
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
                AnnotatedFormat::Video(profile) => {
                    let line = line.words(encoded_size::WORDS).words("!");
                    profile.append(line, settings.quality, path)
                }
                AnnotatedFormat::Picture(format) => line
                    .words("videoconvert !")
                    .words(format.encoder())
                    .words("! filesink")
                    .path("location", path),
            }
        }
    }
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
                let missing = missing_plugin.as_deref();
                let text = failure::explained(error, missing);
                return Err(match is_temporary_in_element(&error.error()) {
                    true => TemporaryError(text).into(),
                    false => anyhow!(text),
                });
            }
            Some(gst::MessageView::Warning(warning)) => {
                // As with errors.
                on_warning(&described(None, &warning.error(), None));
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
        on_progress(shared.progress(Some(pipeline)));
        Ok(None)
    })
}
