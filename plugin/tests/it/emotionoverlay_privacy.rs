//! `emotionoverlay privacy=…`: not even the detector finds a hidden face, whatever happens to the metadata.

use std::fs;
use std::path::Path;

use crate::common::*;
use emotion_models::preprocess::Region;
use emotion_tests::data;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::{DetectedFace, Face, add_detected, faces};
use gstemotion::luma::FORMATS;

/// Each frame is searched by itself.
const DETECTORS: &[&str] = &[
    "emotionfacedetect tracking=false",
    #[cfg(feature = "cascade")]
    "emotionfacedetect tracking=false detector=cascade",
];
const MODES: [&str; 3] = ["blur", "pixelate", "fill"];
/// Hides the faces and draws nothing else.
const HIDING: &str =
    "emotionoverlay boxes=false labels=false bars=none privacy-missing=show privacy=";

/// The approximate place of the face in the portrait.
const ASTRONAUT: DetectedFace = DetectedFace {
    x: 180,
    y: 70,
    width: 110,
    height: 110,
    confidence: 0.01,
    landmarks: None,
};

/// Formats in which every detector looks.
const OFTEN: [VideoFormat; 4] = [
    VideoFormat::I420,
    VideoFormat::Bgra,
    VideoFormat::P01010le,
    VideoFormat::V210,
];

/// The picture without its metadata.
fn bare(buffer: &gst::Buffer) -> gst::Buffer {
    gst::Buffer::from_slice(bytes(buffer))
}

fn found_by(detector: &str, info: &VideoInfo, buffer: gst::Buffer) -> Vec<Face> {
    let after = harness(detector, info).push_and_pull(buffer).unwrap();
    faces(&after)
}

fn found(info: &VideoInfo, buffer: gst::Buffer) -> Vec<Face> {
    let detectors = DETECTORS.iter();
    detectors
        .flat_map(|detector| found_by(detector, info, buffer.clone()))
        .collect()
}

fn detected(face: &Face) -> DetectedFace {
    DetectedFace {
        x: face.x,
        y: face.y,
        width: face.width,
        height: face.height,
        confidence: 0.01,
        landmarks: None,
    }
}

fn region(x: i32, y: i32, width: u32, height: u32) -> Region {
    Region {
        x: x as f32,
        y: y as f32,
        width: width as f32,
        height: height as f32,
    }
}

/// How many of the `hidden` faces are still found in their place.
fn still_found(hidden: &[DetectedFace], found: &[Face]) -> usize {
    let at = |face: &DetectedFace| region(face.x, face.y, face.width, face.height);
    hidden
        .iter()
        .filter(|hidden| {
            found
                .iter()
                .any(|face| at(hidden).iou(&region(face.x, face.y, face.width, face.height)) > 0.2)
        })
        .count()
}

/// The first frame of a picture or clip, and then every `step`th of at most `count`.
fn frames(path: &Path, step: usize, count: usize) -> Vec<(VideoInfo, gst::Buffer)> {
    let line = format!(
        "filesrc location=\"{}\" ! decodebin ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false max-buffers=2",
        path.display()
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut frames = Vec::new();
    let mut number = 0;
    while frames.len() < count
        && let Ok(sample) = sink.pull_sample()
    {
        if number % step == 0 {
            let info = VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
            let own = VideoInfo::builder(VideoFormat::I420, info.width(), info.height())
                .fps(info.fps())
                .build()
                .unwrap();
            let buffer = convert(sample.buffer_owned().unwrap(), &info, &own);
            frames.push((own, buffer));
        }
        number += 1;
    }
    pipeline.set_state(gst::State::Null).unwrap();
    frames
}

#[test]
fn the_detector_no_longer_finds_the_portrait_in_any_format() {
    init();
    for format in FORMATS {
        let (info, buffer) = portrait(format);
        let face = found_by(DETECTORS[0], &info, bare(&buffer));
        let face = face.iter().find(|face| is_the_astronaut(face)).unwrap();
        for mode in MODES {
            let mut buffer = bare(&buffer);
            add_detected(buffer.make_mut(), 512, 512, &[detected(face)]);
            let hidden = harness(&format!("{HIDING}{mode}"), &info)
                .push_and_pull(buffer)
                .unwrap_or_else(|error| panic!("{mode} {format:?}: {error}"));
            // The cascade takes long, and sees the same luma.
            let detectors = if OFTEN.contains(&format) {
                DETECTORS
            } else {
                &DETECTORS[..1]
            };
            for detector in detectors {
                let faces = found_by(detector, &info, bare(&hidden));
                assert!(!faces.iter().any(is_the_astronaut), "{mode} {format:?}");
            }
        }
    }
}

#[test]
#[ignore = "needs EMOTION_DATA: faces/ and video/"]
fn on_photographs_and_clips_the_detector_finds_no_hidden_face() {
    init();
    let (photos, clips) = (data("faces"), data("video"));
    let mut before = [0; DETECTORS.len()];
    let mut again = Vec::new();
    let mut hide = |path: &Path, info: &VideoInfo, buffer: &gst::Buffer| {
        for (d, detector) in DETECTORS.iter().enumerate() {
            let faces = found_by(detector, info, bare(buffer));
            let faces: Vec<_> = faces.iter().map(detected).collect();
            before[d] += faces.len();
            for mode in MODES.iter().filter(|_| !faces.is_empty()) {
                let mut buffer = bare(buffer);
                add_detected(buffer.make_mut(), info.width(), info.height(), &faces);
                let hidden = harness(&format!("{HIDING}{mode}"), info)
                    .push_and_pull(buffer)
                    .unwrap();
                let left = found_by(detector, info, bare(&hidden));
                if still_found(&faces, &left) > 0 {
                    again.push(format!("{}, {mode}, {detector}: {left:?}", path.display()));
                }
            }
        }
    };
    let list = fs::read_to_string(photos.join("faces.jsonl")).unwrap();
    for line in list.lines().step_by(3) {
        let photo: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = photos.join(photo["image"].as_str().unwrap());
        for (info, buffer) in frames(&path, 1, 1) {
            hide(&path, &info, &buffer);
        }
    }
    let mut paths: Vec<_> = fs::read_dir(clips)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "mp4" || e == "mov"))
        .collect();
    paths.sort();
    for path in paths {
        for (info, buffer) in frames(&path, 60, 3) {
            hide(&path, &info, &buffer);
        }
    }
    eprintln!("{before:?} faces found by {DETECTORS:?}");
    assert!(before.iter().all(|before| *before > 40), "{before:?}");
    assert!(again.is_empty(), "found again:\n{}", again.join("\n"));
}

#[test]
fn the_picture_itself_is_changed_also_where_the_sink_draws_the_overlay() {
    init();
    let (info, before) = portrait(VideoFormat::Nv12);
    for mode in MODES {
        let mut buffer = bare(&before);
        add_detected(buffer.make_mut(), 512, 512, &[ASTRONAUT]);
        let line = format!("emotionoverlay privacy-missing=show privacy={mode}");
        let after = harness_with_drawing_sink(&line, &info)
            .push_and_pull(buffer)
            .unwrap();
        let overlays = after.iter_meta::<gst_video::VideoOverlayCompositionMeta>();
        assert_eq!(overlays.count(), 1, "the box");
        assert!(
            !found(&info, bare(&after)).iter().any(is_the_astronaut),
            "{mode}"
        );
    }
}

#[test]
fn a_face_that_the_detector_loses_stays_hidden_for_the_time_asked_for() {
    init();
    let (info, before) = portrait(VideoFormat::I420);
    let line = format!("{HIDING}fill privacy-hold=400000000");
    let mut harness = harness(&line, &info);
    let mut is_hidden = |ms: u64, faces: &[DetectedFace]| {
        let mut buffer = at(bare(&before), ms);
        add_detected(buffer.make_mut(), 512, 512, faces);
        let after = harness.push_and_pull(buffer).unwrap();
        bytes(&after) != bytes(&before)
    };
    assert!(is_hidden(0, &[ASTRONAUT]));
    assert!(is_hidden(40, &[]));
    assert!(is_hidden(400, &[]));
    assert!(!is_hidden(440, &[]));
}

#[test]
fn without_timestamps_a_lost_face_stays_hidden_too() {
    init();
    let (info, before) = portrait(VideoFormat::I420);
    let mut harness = harness(&format!("{HIDING}fill"), &info);
    let mut first = bare(&before);
    add_detected(first.make_mut(), 512, 512, &[ASTRONAUT]);
    harness.push_and_pull(first).unwrap();
    for frame in 0..20 {
        let after = harness.push_and_pull(bare(&before)).unwrap();
        assert_ne!(bytes(&after), bytes(&before), "frame {frame}");
    }
}

#[test]
fn a_frame_that_cannot_be_written_to_is_an_error_and_not_shown() {
    init();
    let info = info(VideoFormat::I420, 512, 512);
    let mut buffer = gst::Buffer::from_slice(vec![0; 100]);
    add_detected(buffer.make_mut(), 512, 512, &[ASTRONAUT]);
    for mode in MODES {
        for line in ["emotionoverlay", HIDING.trim_end_matches(" privacy=")] {
            let line = format!("{line} privacy={mode}");
            let mut harness = harness_with_drawing_sink(&line, &info);
            assert_eq!(harness.push(buffer.clone()), Err(gst::FlowError::Error));
            assert_eq!(harness.buffers_in_queue(), 0, "{line}");
        }
    }
}

#[test]
fn a_shared_frame_keeps_its_face_for_its_other_owner() {
    init();
    let (info, before) = portrait(VideoFormat::I420);
    let mut buffer = before.clone();
    add_detected(buffer.make_mut(), 512, 512, &[ASTRONAUT]);
    let pixels = bytes(&before);
    let after = harness(&format!("{HIDING}blur"), &info)
        .push_and_pull(buffer)
        .unwrap();
    assert_eq!(bytes(&before), pixels);
    assert_ne!(bytes(&after), pixels);
}
