//! Links the streams of a decoder: the video, and the audio if it is wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;

use crate::tag::audio::{self, AudioBranch};
use crate::tag::discarded_stream::discard;
use crate::tag::time_line::TimeLine;

/// Which streams are wanted.
pub(super) struct WantedStreams {
    /// The ids of video streams that are not shown.
    pub(super) other_video: Vec<String>,
    /// Where the audio goes, if it is wanted.
    pub(super) audio: Option<AudioBranch>,
    pub(super) time_line: TimeLine,
}

/// Links the wanted video stream to `entry` and all audio to its branch, and discards the other streams.
pub(super) fn connect(
    pipeline: &gst::Pipeline,
    decode: &gst::Element,
    entry: gst::Pad,
    wanted: WantedStreams,
) {
    let wanted = Arc::new(wanted);

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
    decode.connect_pad_added(move |decode, pad| {
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
                    gst::element_warning!(
                        decode,
                        gst::StreamError::Encode,
                        ("the annotated copy has no sound ({name}): {error:#}")
                    );
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
