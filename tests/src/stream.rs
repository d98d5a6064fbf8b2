//! Runs a pipeline in this process and collects the faces of every frame.

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use emotion_models::preprocess::Region;
use emotion_pipelines::{
    clip::Clip,
    launch_line::LaunchLine,
    runner::{self, StopFlag},
};
use gst::prelude::*;
use gstemotion::face::{self, Face};

/// The faces on one buffer.
#[derive(Clone, Debug)]
pub struct ReceivedFrame {
    /// Presentation time of the buffer.
    pub time: Option<gst::ClockTime>,
    /// Width and height of the picture in pixels.
    pub size: (u32, u32),
    /// The faces in its metadata.
    pub faces: Vec<Face>,
}

/// Runs `description`, in the syntax of `gst-launch-1.0` without its sink, to its end.
///
/// # Errors
///
/// The error that an element posts.
pub fn frames(description: &str) -> anyhow::Result<Vec<ReceivedFrame>> {
    run(LaunchLine::default().words(description), |_| Ok(()))
}

/// Runs the pictures of the made clip with these numbers through `elements`.
///
/// # Errors
///
/// The error that an element posts.
pub fn clip_frames(
    numbers: impl IntoIterator<Item = usize, IntoIter: Send + 'static>,
    elements: &str,
) -> anyhow::Result<Vec<ReceivedFrame>> {
    run(
        LaunchLine::default()
            .words("appsrc name=clip !")
            .words(elements),
        |pipeline| {
            let source = pipeline
                .by_name("clip")
                .and_then(|element| element.downcast::<gst_app::AppSrc>().ok());
            Clip::new()?.feed(&source.context("appsrc is an AppSrc")?, numbers);
            Ok(())
        },
    )
}

/// Runs a line without its sink to its end; `prepare` gets the pipeline before it starts.
///
/// # Errors
///
/// The error of `prepare`, or the one that an element posts.
pub fn run(
    line: LaunchLine,
    prepare: impl FnOnce(&gst::Pipeline) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<ReceivedFrame>> {
    emotion_pipelines::init()?;
    let pipeline = line.words("! fakesink name=end sync=false").launch()?;
    prepare(&pipeline)?;
    let end = pipeline
        .by_name("end")
        .and_then(|end| end.static_pad("sink"))
        .context("a sink has a pad")?;
    let frames = Arc::new(Mutex::new(Vec::new()));
    let writer = frames.clone();
    end.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if let Some(buffer) = info.buffer() {
            let caps = pad
                .current_caps()
                .and_then(|caps| gst_video::VideoInfo::from_caps(&caps).ok());
            writer.lock().unwrap().push(ReceivedFrame {
                time: buffer.pts(),
                size: caps
                    .map(|info| (info.width(), info.height()))
                    .unwrap_or_default(),
                faces: face::faces(buffer),
            });
        }
        gst::PadProbeReturn::Ok
    });
    runner::run(&pipeline, &StopFlag::default(), |_| {})?;
    Ok(std::mem::take(&mut *frames.lock().unwrap()))
}

/// The rectangle of a face.
pub fn rect(face: &Face) -> Region {
    Region {
        x: face.x as f32,
        y: face.y as f32,
        width: face.width as f32,
        height: face.height as f32,
    }
}

/// Whether some face of the frame has an IoU of at least 0.5 with `wanted`.
pub fn finds(frame: &ReceivedFrame, wanted: &Region) -> bool {
    frame.faces.iter().any(|face| rect(face).iou(wanted) >= 0.5)
}

/// Asserts that the emotion of the face is complete: all labels with probabilities, and the confidence of the named one.
///
/// # Panics
///
/// When a part is missing or contradicts another.
pub fn assert_emotion_is_sound(face: &Face) {
    let emotion = face
        .emotion
        .as_ref()
        .unwrap_or_else(|| panic!("no emotion on {face:?}"));
    let names = emotion_models::Emotion::ALL.map(|emotion| emotion.name());
    assert_eq!(emotion.labels, names);
    let named = names[emotion.label_id];
    assert!(
        emotion.is_uncertain() || emotion.label == named,
        "{emotion:?}"
    );
    assert!(
        (emotion.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-3,
        "{emotion:?}"
    );
    // A smoothed label may lag behind the most probable one for a moment.
    let confidence = emotion.probabilities[emotion.label_id];
    assert_eq!(emotion.confidence, confidence, "{emotion:?}");
}
