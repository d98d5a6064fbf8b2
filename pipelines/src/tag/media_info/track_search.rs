//! Looks for the tracks of a file and their first times.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gst::prelude::*;

use crate::tag::discarded_stream::discard;
use crate::tag::time_line::{DemuxerTime, TimeLine, demuxer, segment_of, signed};
use crate::tag::transport_stream::{self, ProgramClock};

/// A track that begins later than so long after the first one is not waited for, in nanoseconds.
const LATEST_BEGIN: DemuxerTime = 5_000_000_000;
/// The message that all is known.
pub(super) const DONE: &str = "emotion-tag-media-info";

/// What is known so far.
#[derive(Default)]
pub(super) struct TrackSearch {
    pub(super) time_line: TimeLine,
    has_demuxer: bool,
    pub(super) tracks: Vec<Track>,
    has_all_tracks: bool,
}

/// A track as the demuxer shows it.
pub(super) struct Track {
    pub(super) kind: TrackKind,
    pub(super) stream_id: String,
    pub(super) is_default: bool,
    first: Option<DemuxerTime>,
    has_ended: bool,
    /// The last part of the name of its pad; tsdemux writes there the PID.
    number: Option<u16>,
}

/// What a track contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrackKind {
    Video,
    Audio,
    Other,
}

impl TrackSearch {
    /// The earliest first time of a track with pictures or sound.
    pub(super) fn first(&self) -> Option<DemuxerTime> {
        self.tracks.iter().filter_map(|track| track.first).min()
    }

    /// Whether the demuxer shows the track with this PID in a transport stream.
    pub(super) fn has_pid(&self, pid: u16) -> bool {
        self.tracks.iter().any(|track| track.number == Some(pid))
    }

    /// Ties the clock of a transport stream with this map to the time line of the demuxer, by its first picture.
    pub(super) fn clock(&self, map: &[transport_stream::MappedTrack]) -> Option<ProgramClock> {
        let mut tracks = self.tracks.iter();
        let video = tracks.find(|track| track.kind == TrackKind::Video)?;
        let is_video = |track: &&transport_stream::MappedTrack| {
            track.kind == transport_stream::MappedKind::Video
        };
        Some(ProgramClock {
            stamp: map.iter().find(is_video)?.first?,
            time: video.first?,
        })
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

pub(super) fn locked(search: &Mutex<TrackSearch>) -> MutexGuard<'_, TrackSearch> {
    search.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes tracks and their first times in `search`. When all is known the pipeline posts [`DONE`].
pub(super) fn watch(pipeline: &gst::Pipeline, search: &Arc<Mutex<TrackSearch>>) {
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

fn watch_track(element: &gst::Element, pad: &gst::Pad, search: &Arc<Mutex<TrackSearch>>) {
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
            number: number(&pad.name()),
        }
    }
}

/// The hexadecimal number at the end of the name of a pad.
fn number(name: &str) -> Option<u16> {
    let (_, number) = name.rsplit_once('_')?;
    u16::from_str_radix(number, 16).ok()
}

fn post_done(element: &gst::Element) {
    let structure = gst::Structure::new_empty(DONE);
    // Without a bus nobody waits.
    let _ = element.post_message(gst::message::Application::new(structure));
}
