//! How often the label of a face changes on real clips, frame by frame and smoothed. Prints a table; the clips are read
//! from `../shared/data/video` where that exists.

mod common;

use std::path::{Path, PathBuf};

use emotion_models::preprocess::Region;
use gst::prelude::*;
use gstemotion::face::{Face, faces};

/// Frames of a clip that are looked at.
const FRAMES: usize = 250;

#[derive(Debug, Default)]
struct Changes {
    raw: usize,
    steady: usize,
    /// Frames in which a face is the continuation of one in the frame before.
    pairs: usize,
}

fn clip(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/video");
    Some(folder.join(name)).filter(|path| path.exists())
}

fn region(face: &Face) -> Region {
    Region {
        x: face.x as f32,
        y: face.y as f32,
        width: face.width as f32,
        height: face.height as f32,
    }
}

fn count(path: &Path, model: &str) -> Changes {
    let line = format!(
        "filesrc location=\"{}\" ! decodebin ! videoconvert ! emotionfacedetect min-size=40 \
         ! emotionclassify model={model} ! appsink name=sink sync=false max-buffers=4",
        path.display()
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut changes = Changes::default();
    let mut before: Vec<Face> = Vec::new();
    for _ in 0..FRAMES {
        let Ok(sample) = sink.pull_sample() else {
            break;
        };
        let now = faces(sample.buffer().unwrap());
        for face in &now {
            let overlap = |other: &&Face| region(other).iou(&region(face));
            let Some(old) = before
                .iter()
                .max_by(|a, b| overlap(a).total_cmp(&overlap(b)))
            else {
                continue;
            };
            if overlap(&old) < 0.3 {
                continue;
            }
            let (Some(old), Some(new)) = (&old.emotion, &face.emotion) else {
                continue;
            };
            let label = |emotion: &gstemotion::face::EmotionResult| {
                emotion.raw.as_ref().map(|raw| raw.label.clone())
            };
            changes.pairs += 1;
            changes.raw += usize::from(label(old) != label(new));
            changes.steady += usize::from(old.label != new.label);
        }
        before = now;
    }
    pipeline.set_state(gst::State::Null).unwrap();
    changes
}

#[test]
fn on_real_clips_labels_change_less_often_than_frame_by_frame() {
    common::init();
    let names = [
        "classroom.mp4",
        "head-pose-face-detection-female-and-male.mp4",
        "WolfgangLanger_Pexels.mp4",
    ];
    for model in ["mini_xception", "residual_xception"] {
        let mut sum = Changes::default();
        for name in names {
            let Some(path) = clip(name) else {
                eprintln!("skipped: no clip {name}");
                continue;
            };
            let found = count(&path, model);
            eprintln!("{model} {name}: {found:?}");
            sum.raw += found.raw;
            sum.steady += found.steady;
            sum.pairs += found.pairs;
        }
        eprintln!("{model} all: {sum:?}");
        assert!(
            sum.raw == 0 && sum.pairs == 0 || sum.steady < sum.raw,
            "{sum:?}"
        );
    }
}
