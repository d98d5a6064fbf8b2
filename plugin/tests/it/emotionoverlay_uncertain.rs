//! The element `emotionoverlay` on faces none of whose emotions is certain: they are grey, and nothing of the best guess shows.

use crate::common::*;
use gst_video::VideoFormat;
use gstemotion::face::{DetectedFace, EmotionResult, UNCERTAIN, add_detected, set_emotion};

/// Everything that is drawn but the bars.
const ALL: &str = "summary=true timeline=true bars=none";

/// The box alone.
const BOX: &str = "labels=false bars=none";

/// The picture of a face with this label, guess and confidence.
fn drawn(properties: &str, label: &str, label_id: usize, confidence: f64) -> Vec<u8> {
    let (info, mut buffer) = blank(VideoFormat::Rgb, 320, 240);
    let face = DetectedFace {
        x: 100,
        y: 80,
        width: 90,
        height: 90,
        confidence: 0.9,
        landmarks: None,
    };
    let buffer_mut = buffer.make_mut();
    add_detected(buffer_mut, 320, 240, &[face]);
    let emotion = EmotionResult {
        label: label.into(),
        label_id,
        confidence,
        labels: LABELS.map(String::from).to_vec(),
        ..EmotionResult::default()
    };
    assert!(set_emotion(buffer_mut, 1, &emotion));
    let line = format!("emotionoverlay {properties}");
    bytes(&harness(&line, &info).push_and_pull(buffer).unwrap())
}

/// The largest difference between the colours of a pixel.
fn most_colour(picture: &[u8]) -> u8 {
    let (pixels, _) = picture.as_chunks::<3>();
    let spread = |[r, g, b]: &[u8; 3]| r.max(g).max(b) - r.min(g).min(b);
    pixels.iter().map(spread).max().unwrap()
}

#[test]
fn an_uncertain_face_is_grey_in_every_style_whatever_the_guess() {
    for style in ["default", "minimal", "broadcast", "seed"] {
        let all = format!("style={style} {ALL}");
        let uncertain = drawn(&all, UNCERTAIN, 3, 0.38);
        assert!(uncertain == drawn(&all, UNCERTAIN, 0, 0.21), "{style}");
        let alone = format!("style={style} {BOX}");
        assert!(
            most_colour(&drawn(&alone, UNCERTAIN, 3, 0.38)) < 40,
            "{style}"
        );
        assert!(
            most_colour(&drawn(&alone, "happy", 3, 0.38)) > 150,
            "{style}"
        );
    }
}
