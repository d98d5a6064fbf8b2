//! Links the streams of a decoder: the video, and the audio if it is wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use gst::prelude::*;

use super::shared::Shared;
use crate::tag::audio::{self, AudioBranch};
use crate::tag::discarded_stream::discard;
use crate::tag::time_line::TimeLine;
use crate::tag::undemuxed_audio::UndemuxedAudio;

/// Which streams are wanted.
pub(super) struct WantedStreams {
    /// The ids of video streams that are not shown.
    pub(super) other_video: Vec<String>,
    /// Where the audio goes, if it is wanted.
    pub(super) audio: Option<Arc<AudioBranch>>,
    pub(super) time_line: TimeLine,
}

/// Links the wanted video stream to `entry` and all audio to its branch, and discards the other streams.
pub(super) fn connect(
    pipeline: &gst::Pipeline,
    decode: &gst::Element,
    entry: gst::Pad,
    wanted: WantedStreams,
    shared: Arc<Shared>,
) {
    let wanted = Arc::new(wanted);
    note_undecodable_sound(decode, &wanted, shared.clone());

    // Streams that nobody needs are not decoded.
    let decoded = wanted.clone();
    decode.connect("autoplug-continue", false, move |values| {
        let pad = values.get(1)?.get::<gst::Pad>().ok();
        let caps = values.get(2)?.get::<gst::Caps>().ok();
        let name = caps.as_ref().and_then(|caps| caps.structure(0));
        let goes_on = match name.map(|structure| structure.name().as_str()) {
            Some(name) if name.starts_with("audio/") => match (&decoded.audio, &caps) {
                (Some(audio), Some(caps)) => !audio.takes(caps),
                _ => false,
            },
            Some(name) if is_video(name) => decoded.has_video(pad.as_ref()),
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
        if is_video(name) && wanted.has_video(Some(pad)) && !found.swap(true, Ordering::SeqCst) {
            // An unlinked pad ends the stream with an error that says so.
            let _ = pad.link(&entry);
            return;
        }
        let is_linked = match &wanted.audio {
            Some(audio) if name.starts_with("audio/") => {
                audio::retime(pad, wanted.time_line);
                let added = audio.add(&pipeline, pad, &caps);
                if let Err(error) = &added {
                    shared.add_lost_sound(format!("{name}: {error:#}"));
                }
                added.is_ok()
            }
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

/// Notes wanted sound for which there is no decoder.
fn note_undecodable_sound(decode: &gst::Element, wanted: &WantedStreams, shared: Arc<Shared>) {
    if wanted.audio.is_none() {
        return;
    }
    decode.connect("unknown-type", false, move |values| {
        let caps = values.get(2)?.get::<gst::Caps>().ok()?;
        let name = caps.structure(0)?.name();
        if name.starts_with("audio/") {
            shared.add_lost_sound(format!("{name}: nothing is installed to decode it"));
        }
        None
    });
}

/// Links sound that the demuxer leaves out, and returns the element through which it comes.
pub(super) fn add_undemuxed(
    pipeline: &gst::Pipeline,
    sound: &UndemuxedAudio,
    audio: Option<&AudioBranch>,
) -> anyhow::Result<gst_app::AppSrc> {
    let caps = sound.caps.as_ref();
    let caps = caps.context("the program map does not tell what it is, nor do its data")?;
    let source = sound.source()?;
    let audio = audio.context("no sound is wanted")?;
    audio.add_encoded(pipeline, source.upcast_ref(), caps)?;
    Ok(source)
}

impl WantedStreams {
    fn has_video(&self, pad: Option<&gst::Pad>) -> bool {
        let id = pad.and_then(|pad| pad.stream_id());
        id.is_none_or(|id| self.other_video.iter().all(|other| *other != id.as_str()))
    }
}

fn is_video(name: &str) -> bool {
    name.starts_with("video/") || name.starts_with("image/")
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
