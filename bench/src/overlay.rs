//! Drawing on a frame, compared with GStreamer's own element for text.
//!
//! Five faces move and their probabilities change with every frame, so every frame is drawn anew. The peer draws only five
//! constant words, which is less than any overlay of faces needs. (It is `clockoverlay`, which draws any text, because
//! `textoverlay` has a second sink pad.)

use anyhow::{Context, Result, anyhow};
use emotion_models::Emotion;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::{self, DetectedFace, EmotionResult};

use crate::args::Args;
use crate::comparison::Comparison;
use crate::harness::harness;
use crate::measure::{in_turn, timed};
use crate::report::{Measurement, Unit};

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;
const FACES: i32 = 5;
/// Frames in a turn.
const CALLS: usize = 50;
/// Names and properties: the default settings, then everything for all faces.
const SETTINGS: [(&str, &str); 2] = [
    ("overlay", ""),
    (
        "overlay-all",
        "bars=all timeline=true summary=true ids=true",
    ),
];

/// One comparison for each settings.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let compare = |(name, properties): (&str, &'static str)| {
        Comparison::new(format!("{name}/{WIDTH}x{HEIGHT}"), move |name, args| {
            measure(name, args, properties)
        })
    };
    SETTINGS.into_iter().map(compare).collect()
}

fn measure(name: &str, args: &Args, properties: &str) -> Result<Vec<Measurement>> {
    gst::init()?;
    gstemotion::plugin_register_static()?;
    let info = VideoInfo::builder(VideoFormat::I420, WIDTH, HEIGHT)
        .fps(gst::Fraction::new(25, 1))
        .build()?;
    let mut ours = Side::new(&format!("emotionoverlay {properties}"), &info)?;
    let words = (0..FACES).map(|i| {
        format!("clockoverlay time-format=happy font-desc=\"Sans Bold 20\" shaded-background=true halignment=left valignment=top deltax={} deltay={}", 40 + 370 * i, 300 + 40 * i)
    });
    let mut theirs = Side::new(&words.collect::<Vec<_>>().join(" ! "), &info)?;
    let turns = in_turn(args.rounds.get(), || ours.turn(), || theirs.turn())?;
    let peer_name = format!("{} clockoverlay, words alone", gst::version_string());
    Ok(vec![Measurement::new(
        name,
        Unit::Milliseconds,
        turns,
        peer_name,
    )])
}

/// Elements and the frames on which they draw.
struct Side {
    harness: Harness,
    picture: gst::Buffer,
    frame: u64,
}

impl Side {
    fn new(line: &str, info: &VideoInfo) -> Result<Self> {
        let harness = harness(line, info)?;
        Ok(Self {
            harness,
            picture: gst::Buffer::from_slice(vec![90; info.size()]),
            frame: 0,
        })
    }

    /// Median time of a frame in seconds, without the time for making the frames.
    fn turn(&mut self) -> Result<f64> {
        let mut frames = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            frames.push(self.next_frame()?);
        }
        let mut frames = frames.into_iter();
        timed(CALLS, || {
            let frame = frames.next().context("expected as many frames as calls")?;
            self.harness
                .push_and_pull(frame)
                .map(drop)
                .map_err(|error| anyhow!("the elements returned no frame: {error}"))
        })
    }

    fn next_frame(&mut self) -> Result<gst::Buffer> {
        let frame = self.frame;
        self.frame += 1;
        let mut buffer = self.picture.copy_deep()?;
        let writable = buffer.make_mut();
        writable.set_pts(gst::ClockTime::from_mseconds(40 * frame));
        let step = (frame % 60) as i32;
        let detected: Vec<DetectedFace> = (0..FACES)
            .map(|i| DetectedFace {
                x: 40 + 370 * i + step,
                y: 340 + 40 * i + step / 2,
                width: 210 + 10 * i.unsigned_abs(),
                height: 210 + 10 * i.unsigned_abs(),
                confidence: 0.9,
                landmarks: None,
            })
            .collect();
        let ids = face::add_detected(writable, WIDTH, HEIGHT, &detected);
        let mut emotions = Vec::new();
        for (i, id) in ids.into_iter().flatten().enumerate() {
            face::set_object_id(writable, id, i as i32);
            emotions.push((id, emotion(i, frame)));
        }
        face::set_emotions(
            writable,
            emotions.iter().map(|(id, emotion)| (*id, emotion)),
        );
        Ok(buffer)
    }
}

/// An emotion with probabilities that change with every frame.
fn emotion(face: usize, frame: u64) -> EmotionResult {
    let labels = Emotion::names();
    let label_id = (face + (frame / 100) as usize) % labels.len();
    let confidence = 0.5 + 0.4 * (frame as f64 / 11.0 + face as f64).sin();
    let mut probabilities = vec![(1.0 - confidence) / 6.0; labels.len()];
    probabilities[label_id] = confidence;
    EmotionResult {
        label: labels[label_id].clone(),
        label_id,
        confidence,
        model_name: "bench".into(),
        labels,
        probabilities,
        ..EmotionResult::default()
    }
}
