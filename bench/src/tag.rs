//! `emotion-tag` compared with decoding alone: the cost of detecting and classifying the faces of a file.

use std::env;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use emotion_pipelines::clip::{self, Clip};
use emotion_pipelines::launch_line::LaunchLine;
use emotion_pipelines::runner::{self, StopFlag};
use emotion_pipelines::tag::inputs::{self, InputArguments};
use emotion_pipelines::tag::limits::Limits;
use emotion_pipelines::tag::progress::TagProgress;
use emotion_pipelines::tag::settings::Settings;
use emotion_pipelines::tag::{self, Options};
use gst::prelude::*;

use crate::args::Args;
use crate::comparison::Comparison;
use crate::measure::in_turn;
use crate::report::{Measurement, Unit};

/// The part of the made clip with two faces.
const FRAMES: std::ops::Range<usize> = 110..clip::FRAMES;
/// How often it follows itself: the start of a worker process, a fifth of a second, then hardly counts.
const REPEATS: usize = 12;

/// The only comparison.
pub(crate) fn comparisons() -> Vec<Comparison> {
    vec![Comparison::new("tag/1080p".into(), measure)]
}

fn measure(name: &str, args: &Args) -> Result<Vec<Measurement>> {
    emotion_pipelines::init()?;
    let folder = tempfile::tempdir()?;
    let (once, video) = (
        folder.path().join("once.mp4"),
        folder.path().join("four faces.mp4"),
    );
    make(&once)?;
    repeat(&once, &video)?;
    let out = folder.path().join("out");
    let turns = in_turn(
        args.rounds.get(),
        || timed(|| tag(&video, &out)),
        || timed(|| decode(&video)),
    )?;
    Ok(vec![Measurement::new(
        name,
        Unit::Milliseconds,
        turns.map(|turns| turns.per(FRAMES.len() * REPEATS)),
        "decodebin ! fakesink",
    )])
}

fn timed(call: impl FnOnce() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    call()?;
    Ok(started.elapsed().as_secs_f64())
}

fn decode(video: &Path) -> Result<()> {
    let line = LaunchLine::default()
        .words("filesrc")
        .path("location", video)
        .words("! decodebin ! fakesink sync=false");
    runner::run(&line.launch()?, &StopFlag::default(), |_| {})?;
    Ok(())
}

fn tag(video: &Path, out: &Path) -> Result<()> {
    let options = Options {
        settings: Settings::default(),
        out: out.to_owned().into(),
        shard: None,
        work: None,
        jobs: NonZeroUsize::MIN,
        resume: false,
        limits: Limits::default(),
        worker: env::current_exe()?,
    };
    let found = inputs::scan(InputArguments {
        paths: &[PathBuf::from(video)],
        ..InputArguments::default()
    })?;
    let mut log = Vec::new();
    let progress = TagProgress::json(&mut log);
    let totals = tag::run(&options, &found, &StopFlag::default(), &progress)?;
    drop(progress);
    ensure!(
        totals.tagged == 1,
        "the video was not tagged: {}",
        String::from_utf8_lossy(&log)
    );
    Ok(())
}

/// Writes a video of four faces: the made clip twice, side by side, on a moving background that costs decoding time.
fn make(video: &Path) -> Result<()> {
    let line = LaunchLine::default()
        .words("appsrc name=drawn ! videoconvert ! videoscale ! video/x-raw,format=I420,width=900,height=675")
        .words("! tee name=twice")
        .words("videotestsrc pattern=smpte75 horizontal-speed=3")
        .words(&format!("num-buffers={}", FRAMES.len()))
        .words("! video/x-raw,format=I420,width=1920,height=1080,framerate=25/1 ! board.sink_0")
        .words("twice. ! queue ! board.sink_1 twice. ! queue ! board.sink_2")
        .words("compositor name=board sink_1::xpos=30 sink_1::ypos=200 sink_2::xpos=990 sink_2::ypos=200")
        .words("! video/x-raw,format=I420,width=1920,height=1080")
        .words("! x264enc bitrate=6000 speed-preset=veryfast ! h264parse ! mp4mux ! filesink")
        .path("location", video);
    let pipeline = line.launch()?;
    let drawn = pipeline
        .by_name("drawn")
        .context("expected the element named drawn")?;
    let drawn = drawn
        .downcast::<gst_app::AppSrc>()
        .ok()
        .context("expected an appsrc")?;
    // Timestamps begin at 0, as those of the background do.
    let offset = gst::ClockTime::SECOND * FRAMES.start as u64 / clip::FRAMES_PER_SECOND as u64;
    let pad = drawn.static_pad("src").context("expected a source pad")?;
    pad.set_offset(-(offset.nseconds() as i64));
    Clip::new()?.feed(&drawn, FRAMES);
    runner::run(&pipeline, &StopFlag::default(), |_| {}).context("cannot write the video")?;
    Ok(())
}

/// Writes a video that shows `once` again and again.
fn repeat(once: &Path, video: &Path) -> Result<()> {
    let whole = LaunchLine::default().words("concat name=all ! h264parse ! mp4mux ! filesink");
    let line = (0..REPEATS).fold(whole.path("location", video), |line, _| {
        let line = line.words("filesrc").path("location", once);
        line.words("! qtdemux ! h264parse ! all.")
    });
    runner::run(&line.launch()?, &StopFlag::default(), |_| {})
        .context("cannot repeat the video")?;
    Ok(())
}
