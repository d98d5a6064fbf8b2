//! Drawing on a frame, beside GStreamer's own element for text.
//!
//! The five faces move and their probabilities change with every frame, so that something is always to be drawn. The peer
//! draws five unchanging words and nothing else: less than any overlay of faces has to. (It is `clockoverlay`, which writes
//! any text, because a second sink pad of `textoverlay` would be in the way here.)

use anyhow::{Context, Result, anyhow};
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::{self, DetectedFace, EmotionResult};

use crate::Args;
use crate::measure::{Turns, timed};
use crate::report::{Outcome, Unit};

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;
const FACES: i32 = 5;
const LABELS: [&str; 7] = [
    "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral",
];
/// Frames of a turn.
const CALLS: usize = 50;

/// Settings that are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparison {
    /// Boxes, labels, and bars for the largest face.
    Usual,
    /// All that there is, for all faces.
    Everything,
}

/// All of them.
pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    [Comparison::Usual, Comparison::Everything].into_iter()
}

impl Comparison {
    pub(crate) fn name(self) -> String {
        let what = match self {
            Self::Usual => "overlay",
            Self::Everything => "overlay-all",
        };
        format!("{what}/{WIDTH}x{HEIGHT}")
    }

    fn properties(self) -> &'static str {
        match self {
            Self::Usual => "",
            Self::Everything => "bars=all timeline=true summary=true ids=true",
        }
    }

    pub(crate) fn measure(self, args: &Args) -> Result<Vec<Outcome>> {
        gst::init()?;
        gstemotion::plugin_register_static()?;
        let info = VideoInfo::builder(VideoFormat::I420, WIDTH, HEIGHT)
            .fps(gst::Fraction::new(25, 1))
            .build()?;
        let mut ours = Side::new(&format!("emotionoverlay {}", self.properties()), &info)?;
        let words = (0..FACES).map(|i| {
            format!("clockoverlay time-format=happy font-desc=\"Sans Bold 20\" shaded-background=true halignment=left valignment=top deltax={} deltay={}", 40 + 370 * i, 300 + 40 * i)
        });
        let mut theirs = Side::new(&words.collect::<Vec<_>>().join(" ! "), &info)?;
        let mut turns = [Turns::default(), Turns::default()];
        for _ in 0..args.rounds.get() {
            turns[0].push(ours.turn()?);
            turns[1].push(theirs.turn()?);
        }
        let [ours, peer] = turns;
        Ok(vec![Outcome {
            name: self.name(),
            ours,
            peer,
            peer_name: format!("{} clockoverlay, words alone", gst::version_string()),
            unit: Unit::Milliseconds,
            peak: None,
        }])
    }
}

/// A line of elements and the frames that it draws on.
struct Side {
    harness: Harness,
    picture: gst::Buffer,
    frame: u64,
}

impl Side {
    fn new(line: &str, info: &VideoInfo) -> Result<Self> {
        let mut harness = if line.contains('!') {
            Harness::new_parse(line)
        } else {
            let element = gst::parse::launch(line)?;
            Harness::with_element(&element, Some("sink"), Some("src"))
        };
        harness.set_src_caps(info.to_caps()?);
        Ok(Self {
            harness,
            picture: gst::Buffer::from_slice(vec![90; info.size()]),
            frame: 0,
        })
    }

    /// Median time of a frame. Making the frames and looking at them is not counted.
    fn turn(&mut self) -> Result<f64> {
        let mut frames = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            frames.push(self.next_frame()?);
        }
        let mut frames = frames.into_iter();
        timed(CALLS, || {
            let frame = frames.next().context("as many frames as calls")?;
            self.harness
                .push_and_pull(frame)
                .map(drop)
                .map_err(|error| anyhow!("a frame did not pass: {error}"))
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

/// An emotion whose probabilities change with every frame.
fn emotion(face: usize, frame: u64) -> EmotionResult {
    let label_id = (face + (frame / 100) as usize) % LABELS.len();
    let confidence = 0.5 + 0.4 * (frame as f64 / 11.0 + face as f64).sin();
    let mut probabilities = vec![(1.0 - confidence) / 6.0; LABELS.len()];
    probabilities[label_id] = confidence;
    EmotionResult {
        label: LABELS[label_id].into(),
        label_id,
        confidence,
        model_name: "bench".into(),
        labels: LABELS.map(String::from).to_vec(),
        probabilities,
        ..EmotionResult::default()
    }
}
