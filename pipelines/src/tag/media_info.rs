//! What a file contains, before it is decoded: its tracks of pictures, and the time of its first frame or sound.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use gst::prelude::*;

use super::discarded_stream::discard;
use super::movie_durations::{self, Correction};
use super::time_line::{DemuxerTime, TimeLine, demuxer, segment_of, signed};
use super::transport_stream;
use crate::launch_line::LaunchLine;
use crate::runner;

/// A track that begins later than so long after the first one is not waited for, in nanoseconds.
const LATEST_BEGIN: DemuxerTime = 5_000_000_000;
const DONE: &str = "emotion-tag-media-info";

/// What a file contains.
#[derive(Debug, Clone, Default)]
pub(super) struct MediaInfo {
    pub(super) time_line: TimeLine,
    /// The tracks of pictures in the order of the file; empty if the file is no container.
    pub(super) video: Vec<VideoTrack>,
    /// Number of audio tracks that the demuxer leaves out.
    pub(super) lost_audio: usize,
    /// What has to be changed in the file on its way to the demuxer.
    pub(super) corrections: Arc<[Correction]>,
}

/// A track of pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VideoTrack {
    /// The id of its stream in GStreamer.
    pub(super) stream_id: String,
    /// Whether the file marks it as the one to show.
    pub(super) is_default: bool,
}

/// What is known so far.
#[derive(Default)]
struct Search {
    time_line: TimeLine,
    has_demuxer: bool,
    tracks: Vec<Track>,
    has_all_tracks: bool,
}

struct Track {
    kind: TrackKind,
    stream_id: String,
    is_default: bool,
    first: Option<DemuxerTime>,
    has_ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrackKind {
    Video,
    Audio,
    Other,
}

impl MediaInfo {
    /// Looks into the file at `path`. What is damaged or unknown is left to the decoder, which can say why.
    ///
    /// It calls `on_source` with the element that reads the file, and several times a second `on_tick`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(super) fn of_file(
        path: &Path,
        on_source: impl FnOnce(&gst::Element) -> anyhow::Result<()>,
        on_tick: impl Fn(),
    ) -> anyhow::Result<Self> {
        let corrections: Arc<[Correction]> = movie_durations::corrections(path)?.into();
        let pipeline = LaunchLine::default()
            .words("filesrc name=file ! decodebin name=decode")
            .launch()?;
        let file = pipeline.by_name("file").context("there is no filesrc")?;
        file.set_property("location", path);
        on_source(&file)?;
        correct(&file, corrections.clone())?;
        let search = Arc::new(Mutex::new(Search::default()));
        watch(&pipeline, &search);
        let more = [gst::MessageType::Application];
        runner::play(&pipeline, &more, |message| {
            match message.map(|message| message.view()) {
                Some(gst::MessageView::Eos(_) | gst::MessageView::Error(_)) => Ok(Some(())),
                Some(gst::MessageView::Application(message)) => {
                    let is_done = message
                        .structure()
                        .is_some_and(|found| found.name() == DONE);
                    Ok(is_done.then_some(()))
                }
                _ => {
                    on_tick();
                    Ok(None)
                }
            }
        })?;
        let search = locked(&search);
        let map = match search.time_line.has_packets {
            true => transport_stream::tracks(path)?.unwrap_or_default(),
            false => Vec::new(),
        };
        let first = search.first().min(search.first_in(&map)).or(search.first());
        let audio = map
            .iter()
            .filter(|track| track.kind == transport_stream::TrackKind::Audio);
        let lost_audio = audio.count().saturating_sub(search.count(TrackKind::Audio));
        let video = search
            .tracks
            .iter()
            .filter(|track| track.kind == TrackKind::Video);
        Ok(Self {
            time_line: TimeLine {
                start: first.unwrap_or(0),
                ..search.time_line
            },
            video: video
                .map(|track| VideoTrack {
                    stream_id: track.stream_id.clone(),
                    is_default: track.is_default,
                })
                .collect(),
            lost_audio,
            corrections,
        })
    }

    /// The index of the track of pictures to show: number `wanted`, from 1, or the first of those that the file marks.
    ///
    /// # Errors
    ///
    /// If there is no such track.
    pub(super) fn video_track(&self, wanted: Option<usize>) -> anyhow::Result<usize> {
        let tracks = self.video.len().max(1);
        match wanted {
            Some(wanted) => {
                let found = wanted.checked_sub(1).filter(|index| *index < tracks);
                found.with_context(|| {
                    format!(
                        "--track {wanted}: the number of tracks with pictures in it is {tracks}"
                    )
                })
            }
            None => Ok(self
                .video
                .iter()
                .position(|track| track.is_default)
                .unwrap_or(0)),
        }
    }
}

/// Has `corrections` made in what `file` reads.
pub(super) fn correct(file: &gst::Element, corrections: Arc<[Correction]>) -> anyhow::Result<()> {
    let exit = file
        .static_pad("src")
        .context("filesrc has no source pad")?;
    if corrections.is_empty() {
        return Ok(());
    }
    exit.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer_mut() {
            let offset = buffer.offset();
            let concerned = corrections
                .iter()
                .filter(|correction| correction.concerns(offset, buffer.size()));
            let concerned: Vec<_> = concerned.collect();
            if !concerned.is_empty()
                && let Ok(mut data) = buffer.make_mut().map_writable()
            {
                concerned
                    .iter()
                    .for_each(|correction| correction.apply(offset, &mut data));
            }
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

impl Search {
    /// The earliest first time of a track with pictures or sound.
    fn first(&self) -> Option<DemuxerTime> {
        self.tracks.iter().filter_map(|track| track.first).min()
    }

    fn count(&self, kind: TrackKind) -> usize {
        self.tracks
            .iter()
            .filter(|track| track.kind == kind)
            .count()
    }

    /// The earliest first time in the map of a transport stream, on the time line of the demuxer.
    fn first_in(&self, map: &[transport_stream::Track]) -> Option<DemuxerTime> {
        let video = self
            .tracks
            .iter()
            .find(|track| track.kind == TrackKind::Video)?
            .first?;
        let is_video =
            |track: &&transport_stream::Track| track.kind == transport_stream::TrackKind::Video;
        let stamp = map.iter().find(is_video)?.first?;
        let firsts = map.iter().filter_map(|track| track.first);
        firsts
            .map(|first| video + transport_stream::difference(first, stamp))
            .min()
    }

    /// Whether nothing that comes after `time` changes anything.
    fn is_done(&self, time: Option<DemuxerTime>) -> bool {
        let is_late = |time: DemuxerTime| {
            self.first()
                .is_some_and(|first| time - first > LATEST_BEGIN)
        };
        let is_known = |track: &Track| {
            track.kind == TrackKind::Other || track.first.is_some() || track.has_ended
        };
        self.has_all_tracks && self.tracks.iter().all(is_known) || time.is_some_and(is_late)
    }
}

fn locked(search: &Mutex<Search>) -> MutexGuard<'_, Search> {
    search.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes tracks and their first times in `search`. When all is known the pipeline posts [`DONE`].
fn watch(pipeline: &gst::Pipeline, search: &Arc<Mutex<Search>>) {
    let Some(decode) = pipeline.by_name("decode") else {
        return;
    };
    // What a demuxer puts out is neither parsed nor decoded.
    let demuxed = search.clone();
    decode.connect("autoplug-continue", false, move |_| {
        Some((!locked(&demuxed).has_demuxer).to_value())
    });
    decode.connect_pad_added({
        let pipeline = pipeline.downgrade();
        move |_, pad| {
            if let Some(pipeline) = pipeline.upgrade() {
                discard(&pipeline, pad);
            }
        }
    });
    decode.connect_no_more_pads({
        let search = search.clone();
        move |decode| {
            let mut search = locked(&search);
            search.has_all_tracks = true;
            if search.is_done(None) {
                post_done(decode);
            }
        }
    });
    let search = search.clone();
    pipeline.connect_deep_element_added(move |_, _, element| {
        let Some(factory) = demuxer(element) else {
            return;
        };
        let mut found = locked(&search);
        found.time_line = TimeLine::of_demuxer(&factory);
        found.has_demuxer = true;
        drop(found);
        let search = search.clone();
        element.connect_pad_added(move |element, pad| watch_track(element, pad, &search));
    });
}

fn watch_track(element: &gst::Element, pad: &gst::Pad, search: &Arc<Mutex<Search>>) {
    let index = {
        let mut search = locked(search);
        search.tracks.push(Track::of_pad(pad));
        search.tracks.len() - 1
    };
    let search = search.clone();
    let demuxer = element.downgrade();
    let ended = (search.clone(), demuxer.clone());
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if info
            .event()
            .is_some_and(|event| event.type_() == gst::EventType::Eos)
        {
            let mut search = locked(&ended.0);
            search.tracks[index].has_ended = true;
            // Not every demuxer says that there are no more.
            search.has_all_tracks = true;
            if search.is_done(None)
                && let Some(demuxer) = ended.1.upgrade()
            {
                post_done(&demuxer);
            }
        }
        gst::PadProbeReturn::Ok
    });
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(pts) = info.buffer().and_then(|buffer| buffer.pts()) else {
            return gst::PadProbeReturn::Ok;
        };
        let mut search = locked(&search);
        let segment = segment_of(pad);
        let (time, _) = search.time_line.demuxer_time(segment.as_ref(), pts);
        let time_line = search.time_line;
        let track = &mut search.tracks[index];
        if track.first.is_none() && track.kind != TrackKind::Other {
            track.first = Some(match &segment {
                // What an edit leaves out is only there for the decoder.
                Some(segment) if time_line.has_edits => time.max(segment_time(segment)),
                _ if pts.is_zero() && time_line.is_raw => -codec_delay(pad),
                _ => time,
            });
        }
        if search.is_done(Some(time))
            && let Some(demuxer) = demuxer.upgrade()
        {
            post_done(&demuxer);
        }
        gst::PadProbeReturn::Ok
    });
}

fn segment_time(segment: &gst::Segment) -> DemuxerTime {
    let segment = segment.downcast_ref::<gst::ClockTime>();
    segment.and_then(|segment| segment.time()).map_or(0, signed)
}

/// How long the decoder of Opus is ahead, RFC 7845, section 5.1; Matroska takes it off the times, and its demuxer has no
/// negative ones.
fn codec_delay(pad: &gst::Pad) -> DemuxerTime {
    let caps = pad.current_caps();
    let header = caps.and_then(|caps| {
        let structure = caps.structure(0)?;
        let headers = structure.get::<gst::Array>("streamheader").ok()?;
        let header = headers.first()?.get::<gst::Buffer>().ok()?;
        let header = header.map_readable().ok()?;
        let header = header.strip_prefix(b"OpusHead")?;
        Some(u16::from_le_bytes([*header.get(2)?, *header.get(3)?]))
    });
    DemuxerTime::from(header.unwrap_or(0)) * 1_000_000_000 / 48_000
}

impl Track {
    fn of_pad(pad: &gst::Pad) -> Self {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let name = caps
            .structure(0)
            .map_or("", |structure| structure.name().as_str());
        let event = pad.sticky_event::<gst::event::StreamStart>(0);
        let flags = event.as_ref().map(|event| event.stream_flags());
        Self {
            kind: match name {
                name if name.starts_with("video/") || name.starts_with("image/") => {
                    TrackKind::Video
                }
                name if name.starts_with("audio/") => TrackKind::Audio,
                _ => TrackKind::Other,
            },
            stream_id: event
                .map(|event| event.stream_id().to_owned())
                .unwrap_or_default(),
            is_default: flags.is_some_and(|flags| flags.contains(gst::StreamFlags::SELECT)),
            first: None,
            has_ended: false,
        }
    }
}

fn post_done(element: &gst::Element) {
    let structure = gst::Structure::new_empty(DONE);
    // Without a bus nobody waits.
    let _ = element.post_message(gst::message::Application::new(structure));
}
