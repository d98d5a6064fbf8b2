//! The whole of `facedetect` on one thread, on a made clip with up to four faces: beside itself with a detection on every
//! frame, and beside a plain cascade. Ids and boxes have to be as good with few detections as with many. And how long a
//! slow cascade holds frames up when it works beside the stream.

use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use emotion_tests::mot;
use emotion_tests::stream::rect;
use emotion_tests::walkers::{SECONDS, Walkers};
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::faces;

use crate::Args;
use crate::measure::Turns;
use crate::report::{Outcome, Unit};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
const FRAMES_PER_SECOND: u64 = 25;
/// Frames of a turn: two seconds, so that the pace of detections evens out.
const FRAMES: u64 = 50;
/// How much less the ids may agree with the truth than with a detection on every frame.
const WORSE: f64 = 0.01;

/// What the default settings stand beside.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparison {
    /// A detection on every frame.
    EveryFrame,
    /// A cascade on every frame, without tracks.
    Cascade,
    /// A slow cascade beside the stream, and the same in it.
    Asynchronous,
}

/// All of them.
pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    [
        Comparison::EveryFrame,
        Comparison::Cascade,
        Comparison::Asynchronous,
    ]
    .into_iter()
}

impl Comparison {
    pub(crate) fn name(self) -> String {
        match self {
            Self::EveryFrame => format!("track/{WIDTH}x{HEIGHT}"),
            Self::Cascade => format!("track-cascade/{WIDTH}x{HEIGHT}"),
            Self::Asynchronous => format!("track-asynchronous/{WIDTH}x{HEIGHT}"),
        }
    }

    fn settings(self) -> &'static str {
        match self {
            Self::EveryFrame | Self::Cascade => "",
            Self::Asynchronous => "detector=cascade asynchronous=true",
        }
    }

    fn peer(self) -> (&'static str, &'static str) {
        match self {
            Self::EveryFrame => ("detection-interval=1", "itself, detecting on every frame"),
            Self::Cascade => (
                "detector=cascade tracking=false",
                "OpenCV's Haar cascade on every frame, no tracks",
            ),
            Self::Asynchronous => (
                "detector=cascade detection-interval=1",
                "the same cascade, for which frames wait",
            ),
        }
    }

    pub(crate) fn measure(self, args: &Args) -> Result<Vec<Outcome>> {
        gst::init()?;
        gstemotion::plugin_register_static()?;
        let clip = Walkers::new(WIDTH as usize, HEIGHT as usize)?;
        let (settings, peer_name) = self.peer();
        let mut ours = Side::new(self.settings())?;
        let mut theirs = Side::new(settings)?;
        let mut turns = [Turns::default(), Turns::default()];
        for _ in 0..args.rounds.get() {
            turns[0].push(ours.turn(&clip)?);
            turns[1].push(theirs.turn(&clip)?);
        }
        if matches!(self, Self::EveryFrame) {
            let [ours, theirs] = [ours, theirs].map(|side| mot::score(&side.seen));
            ensure!(
                ours.idf1 >= theirs.idf1 - WORSE,
                "few detections cost too much: {ours:?}, on every frame {theirs:?}"
            );
        }
        let [ours, peer] = turns;
        Ok(vec![Outcome {
            name: self.name(),
            ours,
            peer,
            peer_name: peer_name.into(),
            unit: Unit::Milliseconds,
            peak: None,
        }])
    }
}

/// An element and what it saw.
struct Side {
    harness: Harness,
    frame: u64,
    seen: Vec<mot::EvaluatedFrame>,
}

impl Side {
    fn new(settings: &str) -> Result<Self> {
        let element = gst::parse::launch(&format!("emotionfacedetect {settings}"))?;
        let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
        let info = VideoInfo::builder(VideoFormat::Gray8, WIDTH, HEIGHT)
            .fps(gst::Fraction::new(FRAMES_PER_SECOND as i32, 1))
            .build()?;
        harness.set_src_caps(info.to_caps()?);
        Ok(Self {
            harness,
            frame: 0,
            seen: Vec::new(),
        })
    }

    /// Mean time of a frame: most are followed and some are searched. Making the frames is not counted.
    fn turn(&mut self, clip: &Walkers) -> Result<f64> {
        let mut seconds = 0.0;
        for _ in 0..FRAMES {
            let time = self.frame as f64 / FRAMES_PER_SECOND as f64;
            // The clip begins anew, as in a loop.
            let place = time % SECONDS;
            let mut buffer = gst::Buffer::from_slice(clip.picture(place));
            buffer
                .make_mut()
                .set_pts(gst::ClockTime::from_seconds_f64(time));
            let started = Instant::now();
            let out = self
                .harness
                .push_and_pull(buffer)
                .map_err(|error| anyhow!("a frame did not pass: {error}"))?;
            seconds += started.elapsed().as_secs_f64();
            // Only the first time round: those who are there at the end are not where they begin.
            if time < SECONDS {
                self.seen.push(mot::EvaluatedFrame {
                    truth: clip.truth(place),
                    found: faces(&out)
                        .iter()
                        .filter_map(|face| Some((face.object_id?, rect(face))))
                        .collect(),
                });
            }
            self.frame += 1;
        }
        Ok(seconds / FRAMES as f64)
    }
}
