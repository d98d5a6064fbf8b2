//! What a file contains, before it is decoded: its tracks of pictures, and the time of its first frame or sound.

mod track_search;

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use gst::prelude::*;

use self::track_search::{DONE, TrackKind, TrackSearch, locked};
use super::container;
use super::movie_head::{self, Correction};
use super::time_line::TimeLine;
use super::transport_stream::{self, MappedKind};
use super::undemuxed_audio::UndemuxedAudio;
use crate::launch_line::LaunchLine;
use crate::runner;

/// What a file contains.
#[derive(Debug, Clone, Default)]
pub(super) struct MediaInfo {
    pub(super) time_line: TimeLine,
    /// The tracks of pictures in the order of the file; empty if the file is no container.
    pub(super) video: Vec<VideoTrack>,
    /// The audio tracks that the demuxer leaves out.
    pub(super) undemuxed_audio: Vec<UndemuxedAudio>,
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
        let mut corrections = movie_head::corrections(path)?;
        let mut hidden = Vec::new();
        if container::missing_end(path)?.is_some() {
            hidden = movie_head::hidden_sound(path)?;
        }
        let has_hidden_sound = !hidden.is_empty();
        corrections.append(&mut hidden);
        let corrections: Arc<[Correction]> = corrections.into();
        let pipeline = LaunchLine::default()
            .words("filesrc name=file ! decodebin name=decode")
            .launch()?;
        let file = pipeline.by_name("file").context("there is no filesrc")?;
        file.set_property("location", path);
        on_source(&file)?;
        movie_head::correct(&file, corrections.clone())?;
        let search = Arc::new(Mutex::new(TrackSearch::default()));
        track_search::watch(&pipeline, &search);
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
        let clock = search.clock(&map);
        let is_left_out = |track: &&transport_stream::MappedTrack| {
            track.may_be_sound() && !search.has_pid(track.pid)
        };
        let left_out = map.iter().filter(is_left_out);
        let undemuxed_audio =
            left_out.filter_map(|track| UndemuxedAudio::find(path, track, clock?).transpose());
        let undemuxed_audio = undemuxed_audio.collect::<std::io::Result<Vec<_>>>()?;
        // Text and data do not count.
        let mapped = map.iter().filter(|track| track.kind != MappedKind::Other);
        let mapped = mapped.chain(undemuxed_audio.iter().map(|audio| &audio.track));
        let stamps = mapped.filter_map(|track| track.first);
        let stamped = clock.map(|clock| stamps.map(move |first| clock.time_of(first)));
        // Sound begins with the movie.
        let hidden = has_hidden_sound.then_some(0);
        let firsts = search.first().into_iter().chain(hidden);
        let first = firsts.chain(stamped.into_iter().flatten()).min();
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
            undemuxed_audio,
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
