//! The chain of our elements on a stream without faces, compared with `identity`: what they cost where there is nothing to do.
//!
//! The pictures move, so that the detector has to look. `identity` passes the same buffers on.

use anyhow::{Context, Result, anyhow};
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};

use crate::args::Args;
use crate::comparison::Comparison;
use crate::harness::harness;
use crate::measure::{in_turn, timed};
use crate::report::{Measurement, Unit};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
/// Frames in a turn: two seconds, so that every turn has about as many detections.
const CALLS: usize = 50;
const CHAIN: &str =
    "emotionfacedetect ! emotionclassify ! emotionoverlay ! emotionpublish location=/dev/null";

/// The one comparison.
pub(crate) fn comparisons() -> Vec<Comparison> {
    vec![Comparison::new("elements/no-face".to_owned(), measure)]
}

fn measure(name: &str, args: &Args) -> Result<Vec<Measurement>> {
    gst::init()?;
    gstemotion::plugin_register_static()?;
    let mut ours = Side::new(CHAIN)?;
    let mut theirs = Side::new("identity")?;
    let turns = in_turn(args.rounds.get(), || ours.turn(), || theirs.turn())?;
    Ok(vec![Measurement::new(
        name,
        Unit::Milliseconds,
        turns,
        format!("{} identity", gst::version_string()),
    )])
}

/// Elements and the frames that pass them.
struct Side {
    harness: Harness,
    pictures: Vec<gst::Buffer>,
    frame: u64,
}

impl Side {
    fn new(line: &str) -> Result<Self> {
        let info = VideoInfo::builder(VideoFormat::I420, WIDTH, HEIGHT)
            .fps(gst::Fraction::new(25, 1))
            .build()?;
        let harness = harness(line, &info)?;
        // A slope that wanders.
        let pictures = (0..CALLS).map(|frame| {
            let pixel = |i: usize| ((i % WIDTH as usize + 8 * frame) / 6 % 200) as u8;
            gst::Buffer::from_slice((0..info.size()).map(pixel).collect::<Vec<u8>>())
        });
        Ok(Self {
            harness,
            pictures: pictures.collect(),
            frame: 0,
        })
    }

    /// Median time of a frame in seconds.
    fn turn(&mut self) -> Result<f64> {
        let mut pictures = self.pictures.clone().into_iter();
        timed(CALLS, || {
            let mut picture = pictures
                .next()
                .context("expected as many frames as calls")?;
            picture
                .make_mut()
                .set_pts(gst::ClockTime::from_mseconds(40 * self.frame));
            self.frame += 1;
            self.harness
                .push_and_pull(picture)
                .map(drop)
                .map_err(|error| anyhow!("the elements returned no frame: {error}"))
        })
    }
}
