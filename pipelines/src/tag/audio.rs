//! The audio of an annotated video: copied if the container supports its format, otherwise encoded again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use gst::glib;
use gst::prelude::*;

use super::time_line::{TimeLine, plain_segment, probe_return, segment_of};

const ENCODERS: [&str; 5] = [
    "avenc_aac",
    "fdkaacenc",
    "opusenc",
    "vorbisenc",
    "lamemp3enc",
];
/// Without limits, because the muxer waits for both streams and containers may have seconds of audio before the video.
const QUEUE: &str = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0";

/// What is copied where the container takes it. AC-3, DTS, Opus and others are supported by fewer players in MP4, and
/// the muxer of GStreamer 1.22 writes a wrong start for Opus.
const COPIED: &str = "audio/mpeg,mpegversion=4,stream-format=raw,framed=true; audio/mpeg,mpegversion=1,layer=3,parsed=true; audio/x-vorbis; audio/x-flac,framed=true";

/// Links audio streams to a muxer.
pub(super) struct AudioBranch {
    muxer: gst::Element,
    /// The caps that are copied.
    copied: gst::Caps,
    /// An installed encoder for the muxer.
    encoder: Option<&'static str>,
    /// The tracks that are left out, by their numbers in the order in which they come.
    left_out: BTreeSet<usize>,
    /// Number of tracks so far.
    tracks: AtomicUsize,
    /// Those that ended without data.
    empty: Arc<Mutex<BTreeSet<usize>>>,
}

impl AudioBranch {
    /// Leaves out the tracks with the numbers `left_out`, which were [empty](Self::empty) in an earlier attempt.
    ///
    /// # Errors
    ///
    /// If GStreamer cannot read the caps above, which does not happen.
    pub(super) fn new(muxer: &gst::Element, left_out: BTreeSet<usize>) -> anyhow::Result<Self> {
        let templates = muxer.pad_template_list();
        let templates = templates.iter().filter(|template| {
            template.direction() == gst::PadDirection::Sink
                && template.name_template().starts_with("audio")
        });
        let mut supported = gst::Caps::new_empty();
        for template in templates {
            supported.merge(template.caps().clone());
        }
        let encodes = |name: &&&str| {
            gst::ElementFactory::find(name).is_some_and(|factory| {
                factory.static_pad_templates().iter().any(|template| {
                    template.direction() == gst::PadDirection::Src
                        && template.caps().can_intersect(&supported)
                })
            })
        };
        let encoder = ENCODERS.iter().find(encodes).copied();
        let copied: gst::Caps = COPIED.parse()?;
        Ok(Self {
            muxer: muxer.clone(),
            copied: copied.intersect(&supported),
            encoder,
            left_out,
            tracks: AtomicUsize::new(0),
            empty: Arc::default(),
        })
    }

    /// The numbers of the tracks that ended without data. The muxer writes a file with them that nobody can read.
    pub(super) fn empty(&self) -> BTreeSet<usize> {
        self.empty
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The number of the next track.
    ///
    /// # Errors
    ///
    /// If that is left out.
    fn next_track(&self) -> anyhow::Result<usize> {
        let track = self.tracks.fetch_add(1, Ordering::SeqCst);
        anyhow::ensure!(
            !self.left_out.contains(&track),
            "nothing in it could be decoded"
        );
        Ok(track)
    }

    /// Whether audio with these caps is copied as it is.
    pub(super) fn takes(&self, caps: &gst::Caps) -> bool {
        caps.is_subset(&self.copied)
    }

    /// Links the audio of `pad` to the muxer.
    pub(super) fn add(
        &self,
        pipeline: &gst::Pipeline,
        pad: &gst::Pad,
        caps: &gst::Caps,
    ) -> anyhow::Result<()> {
        let track = self.next_track()?;
        let words = if self.takes(caps) {
            QUEUE.to_owned()
        } else {
            anyhow::ensure!(
                caps.iter()
                    .all(|structure| structure.name() == "audio/x-raw"),
                "nothing is installed to decode it"
            );
            let encoder = self.encoder.context("no audio encoder is installed")?;
            format!("{QUEUE} ! audioconvert ! audioresample ! {encoder}")
        };
        self.link(pipeline, pad, &words, track)
    }

    /// Links the sound of `source`, which has these caps and is not decoded, to the muxer.
    pub(super) fn add_encoded(
        &self,
        pipeline: &gst::Pipeline,
        source: &gst::Element,
        caps: &gst::Caps,
    ) -> anyhow::Result<()> {
        let track = self.next_track()?;
        let encoder = self.encoder.context("no audio encoder is installed")?;
        let [parser, decoder] = decoding(caps).context("nothing is installed to decode it")?;
        let exit = source.static_pad("src").context("it has no source pad")?;
        // The source waits when the first queue is full, and the muxer for the pictures.
        let words = format!(
            "queue ! {parser} ! {decoder} ! audioconvert ! audioresample ! {encoder} ! queue"
        );
        pipeline.add(source)?;
        self.link(pipeline, &exit, &words, track)
    }

    /// Links `pad` with the track of this number to the muxer through the elements in `words`.
    fn link(
        &self,
        pipeline: &gst::Pipeline,
        pad: &gst::Pad,
        words: &str,
        track: usize,
    ) -> anyhow::Result<()> {
        let bin = gst::parse::bin_from_description(words, true)?;
        pipeline.add(&bin)?;
        let connect = || -> anyhow::Result<()> {
            let entry = bin
                .static_pad("sink")
                .context("the audio branch has no sink pad")?;
            let exit = bin
                .static_pad("src")
                .context("the audio branch has no source pad")?;
            let muxer = self
                .muxer
                .request_pad_simple("audio_%u")
                .context("the muxer has no pad for audio")?;
            note_if_empty(&muxer, track, self.empty.clone());
            exit.link(&muxer)?;
            bin.sync_state_with_parent()?;
            pad.link(&entry)?;
            Ok(())
        };
        let connected = connect();
        if connected.is_err() {
            // A bin that stays would do no harm.
            let _ = bin.set_state(gst::State::Null);
            let _ = pipeline.remove(&bin);
        }
        connected
    }
}

/// Adds the number of the track to `empty` when the stream ends at `pad` without data.
fn note_if_empty(pad: &gst::Pad, track: usize, empty: Arc<Mutex<BTreeSet<usize>>>) {
    let has_data = AtomicBool::new(false);
    let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(types, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::Event(event)) => {
                let is_end = event.type_() == gst::EventType::Eos;
                if is_end && !has_data.load(Ordering::SeqCst) {
                    let mut empty = empty.lock().unwrap_or_else(PoisonError::into_inner);
                    empty.insert(track);
                }
            }
            _ => has_data.store(true, Ordering::SeqCst),
        }
        gst::PadProbeReturn::Ok
    });
}

/// The installed parser and decoder for encoded sound with these caps.
fn decoding(caps: &gst::Caps) -> Option<[glib::GString; 2]> {
    let best = |kind, caps: &gst::Caps| {
        let kind = kind | gst::ElementFactoryType::MEDIA_AUDIO;
        let all = gst::ElementFactory::factories_with_type(kind, gst::Rank::MARGINAL);
        let fitting = all.iter().filter(|factory| factory.can_sink_any_caps(caps));
        fitting.max_by_key(|factory| factory.rank()).cloned()
    };
    let parser = best(gst::ElementFactoryType::PARSER, caps)?;
    let parsed = parser
        .static_pad_templates()
        .iter()
        .find(|template| template.direction() == gst::PadDirection::Src)?
        .caps();
    let decoder = gst::ElementFactoryType::DECODER;
    // A parser may have to change the form in which the sound is stored.
    let decoder = best(decoder, caps).or_else(|| best(decoder, &parsed))?;
    Some([parser.name(), decoder.name()])
}

/// Gives the audio of `pad` the times that a player shows, and leaves out what lies before the start or outside edits.
pub(super) fn retime(pad: &gst::Pad, line: TimeLine) {
    let current = Mutex::new(segment_of(pad));
    let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(types, move |_, info| {
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        let passes = match &mut info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let buffer = buffer.make_mut();
                let time = buffer.pts().map(|pts| {
                    let duration = buffer.duration().unwrap_or_default();
                    audible_time(line, current.as_ref(), pts, duration)
                });
                if let Some(time) = time {
                    buffer.set_pts(time);
                    buffer.set_dts(time);
                }
                time != Some(None)
            }
            Some(gst::PadProbeData::Event(event)) => match event.view() {
                gst::EventView::Gap(_) => false,
                gst::EventView::Segment(segment) => {
                    *current = Some(segment.segment().to_owned());
                    *event = plain_segment(event.seqnum());
                    true
                }
                _ => true,
            },
            _ => true,
        };
        probe_return(passes)
    });
}

/// When a player plays it; `None` if most of it is not to be heard.
fn audible_time(
    line: TimeLine,
    segment: Option<&gst::Segment>,
    pts: gst::ClockTime,
    duration: gst::ClockTime,
) -> Option<gst::ClockTime> {
    let (middle, is_middle_shown) = line.demuxer_time(segment, pts + duration / 2);
    if !is_middle_shown || middle < line.start {
        return None;
    }
    let start = segment.and_then(|segment| segment.downcast_ref::<gst::ClockTime>()?.start());
    let time = match line.demuxer_time(segment, pts) {
        (time, true) => time,
        (_, false) => line.demuxer_time(segment, start.unwrap_or(pts)).0,
    };
    Some(line.player_time(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> gst::Caps {
        text.parse().unwrap()
    }

    #[test]
    fn supported_audio_is_not_decoded() {
        gst::init().unwrap();
        let muxer = gst::ElementFactory::make("mp4mux").build().unwrap();
        let audio = AudioBranch::new(&muxer, BTreeSet::new()).unwrap();
        for (text, supported) in [
            (
                "audio/mpeg,mpegversion=4,framed=true,stream-format=raw,channels=2,rate=48000",
                true,
            ),
            (
                "audio/mpeg,mpegversion=4,stream-format=raw,channels=2,rate=48000",
                false,
            ),
            (
                "audio/mpeg,mpegversion=4,framed=true,stream-format=adts,channels=2,rate=48000",
                false,
            ),
            (
                "audio/mpeg,mpegversion=1,layer=3,parsed=true,channels=2,rate=48000",
                true,
            ),
            ("audio/x-ac3,framed=true,channels=2,rate=48000", false),
            (
                "audio/x-opus,channel-mapping-family=0,channels=2,rate=48000",
                false,
            ),
            ("audio/x-vorbis", false),
            ("audio/x-flac,framed=true", false),
        ] {
            assert_eq!(audio.takes(&caps(text)), supported, "{text}");
        }
        assert!(audio.encoder.is_some());
    }

    #[test]
    fn encoded_sound_of_all_usual_kinds_has_a_parser_and_a_decoder() {
        gst::init().unwrap();
        for (text, parser) in [
            ("audio/mpeg,mpegversion=4,stream-format=adts", "aacparse"),
            ("audio/mpeg,mpegversion=4,stream-format=loas", "aacparse"),
            ("audio/mpeg,mpegversion=1,layer=2", "mpegaudioparse"),
            ("audio/x-dts", "dcaparse"),
            ("audio/x-ac3", "ac3parse"),
        ] {
            let found = decoding(&caps(text)).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found[0], parser, "{text}");
            assert_ne!(found[1], parser, "{text}");
        }
        assert_eq!(decoding(&caps("audio/x-no-such")), None);
    }

    #[test]
    fn sound_that_lies_mostly_before_the_start_is_left_out() {
        gst::init().unwrap();
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(gst::ClockTime::from_mseconds(3300));
        let segment = segment.upcast();
        let line = TimeLine::of_demuxer("qtdemux");
        let ms = gst::ClockTime::from_mseconds;
        for (pts, expected) in [
            (3270, None),
            (3280, None),
            (3295, Some(0)),
            (3318, Some(18)),
        ] {
            let time = audible_time(line, Some(&segment), ms(pts), ms(20));
            assert_eq!(time, expected.map(ms), "{pts}");
        }
        let line = TimeLine {
            start: 1_000_000_000,
            ..TimeLine::of_demuxer("matroskademux")
        };
        assert_eq!(audible_time(line, None, ms(980), ms(20)), None);
        assert_eq!(audible_time(line, None, ms(995), ms(20)), Some(ms(0)));
        assert_eq!(audible_time(line, None, ms(1040), ms(20)), Some(ms(40)));
    }
}
