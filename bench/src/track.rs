//! `facedetect` on one thread, on a made clip with up to four faces.
//!
//! The default settings are compared with a detection on every frame, which must not track better, and with a plain
//! cascade. A third comparison shows how long a slow cascade holds frames up when it runs in the background.

use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use emotion_tests::mot;
use emotion_tests::stream::rect;
use emotion_tests::walkers::{SECONDS, Walkers};
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::faces;

use crate::args::Args;
use crate::comparison::Comparison;
use crate::measure::in_turn;
use crate::report::{Measurement, Unit};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
const FRAMES_PER_SECOND: u64 = 25;
/// Frames in a turn: two seconds, so that every turn has about as many detections.
const FRAMES: u64 = 50;
/// How much lower IDF1 may be than with a detection on every frame.
const MAX_LOSS: f64 = 0.01;

/// Two settings of the element.
#[derive(Debug, Clone, Copy)]
struct Settings {
    name: &'static str,
    ours: &'static str,
    peer: &'static str,
    peer_name: &'static str,
    /// Whether ours must track as well as the peer.
    compares_tracks: bool,
}

const SETTINGS: [Settings; 3] = [
    Settings {
        name: "track",
        ours: "",
        peer: "detection-interval=1",
        peer_name: "itself, detecting on every frame",
        compares_tracks: true,
    },
    Settings {
        name: "track-cascade",
        ours: "",
        peer: "detector=cascade tracking=false",
        peer_name: "OpenCV's Haar cascade on every frame, no tracks",
        compares_tracks: false,
    },
    Settings {
        name: "track-asynchronous",
        ours: "detector=cascade asynchronous=true",
        peer: "detector=cascade detection-interval=1",
        peer_name: "the same cascade, for which frames wait",
        compares_tracks: false,
    },
];

/// One comparison for each settings.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let compare = |settings: Settings| {
        let name = format!("{}/{WIDTH}x{HEIGHT}", settings.name);
        Comparison::new(name, move |name, args| measure(name, args, settings))
    };
    SETTINGS.into_iter().map(compare).collect()
}

fn measure(name: &str, args: &Args, settings: Settings) -> Result<Vec<Measurement>> {
    gst::init()?;
    gstemotion::plugin_register_static()?;
    let clip = Walkers::new(WIDTH as usize, HEIGHT as usize)?;
    let mut ours = Side::new(settings.ours)?;
    let mut theirs = Side::new(settings.peer)?;
    let turns = in_turn(
        args.rounds.get(),
        || ours.turn(&clip),
        || theirs.turn(&clip),
    )?;
    if settings.compares_tracks {
        let [ours, theirs] = [ours, theirs].map(|side| mot::score(&side.frames));
        ensure!(
            ours.idf1 >= theirs.idf1 - MAX_LOSS,
            "fewer detections track worse: {ours:?}, expected about {theirs:?} as with a detection on every frame"
        );
    }
    Ok(vec![Measurement::new(
        name,
        Unit::Milliseconds,
        turns,
        settings.peer_name,
    )])
}

/// An element and its results.
struct Side {
    harness: Harness,
    frame: u64,
    frames: Vec<mot::EvaluatedFrame>,
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
            frames: Vec::new(),
        })
    }

    /// Mean time of a frame in seconds, with and without detections, without the time for making the frames.
    fn turn(&mut self, clip: &Walkers) -> Result<f64> {
        let mut seconds = 0.0;
        for _ in 0..FRAMES {
            let time = self.frame as f64 / FRAMES_PER_SECOND as f64;
            // The clip runs in a loop.
            let position = time % SECONDS;
            let mut buffer = gst::Buffer::from_slice(clip.picture(position));
            buffer
                .make_mut()
                .set_pts(gst::ClockTime::from_seconds_f64(time));
            let started = Instant::now();
            let out = self
                .harness
                .push_and_pull(buffer)
                .map_err(|error| anyhow!("the element returned no frame: {error}"))?;
            seconds += started.elapsed().as_secs_f64();
            // Only the first loop counts: people at its end are not where they are at its beginning.
            if time < SECONDS {
                self.frames.push(mot::EvaluatedFrame {
                    truth: clip.truth(position),
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
