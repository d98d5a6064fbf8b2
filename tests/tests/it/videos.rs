//! Real clips, decoded as users decode them.

use std::path::Path;

use emotion_pipelines::launch_line::LaunchLine;
use emotion_tests::{
    data,
    stream::{self, ReceivedFrame, assert_emotion_is_sound},
};

/// Faces and emotions in every fifth of the first frames of a clip.
fn play(file: &Path) -> Vec<ReceivedFrame> {
    let line = LaunchLine::default()
        .words("filesrc")
        .path("location", file)
        .words("! decodebin ! videoconvert ! videorate ! video/x-raw,framerate=2/1 ! identity eos-after=12")
        .words("! facedetect ! emotionclassify ! emotionoverlay");
    stream::run(line, |_| Ok(())).unwrap_or_else(|error| panic!("{}: {error:#}", file.display()))
}

fn share_with_faces(frames: &[ReceivedFrame]) -> f64 {
    frames
        .iter()
        .filter(|frame| !frame.faces.is_empty())
        .count() as f64
        / frames.len() as f64
}

fn assert_emotions_are_sound(frames: &[ReceivedFrame]) {
    let faces = frames.iter().flat_map(|frame| &frame.faces);
    faces.for_each(assert_emotion_is_sound);
}

#[test]
#[ignore = "needs EMOTION_DATA: video/"]
fn a_single_face_is_followed_through_its_clip() {
    for name in [
        "single_face.mp4",
        "WolfgangLanger_Pexels.mp4",
        "head-pose-face-detection-female.mp4",
    ] {
        let file = data(&format!("video/{name}"));
        let frames = play(&file);
        assert!(
            share_with_faces(&frames) >= 0.5,
            "{name}: {}",
            share_with_faces(&frames)
        );
        assert_emotions_are_sound(&frames);
    }
}

#[test]
#[ignore = "needs EMOTION_DATA: video/"]
fn several_people_are_seen_at_once() {
    let file = data("video/face-demographics-walking-and-pause.mp4");
    let frames = play(&file);
    assert!(frames.iter().any(|frame| frame.faces.len() >= 2));
    assert_emotions_are_sound(&frames);
}

#[test]
#[ignore = "needs EMOTION_DATA: video/"]
fn a_clip_without_a_face_stays_nearly_empty() {
    let file = data("video/no_face.mp4");
    let frames = play(&file);
    assert!(!frames.is_empty());
    assert!(
        share_with_faces(&frames) <= 0.2,
        "{}",
        share_with_faces(&frames)
    );
}

#[test]
#[ignore = "needs EMOTION_DATA: video/"]
fn another_codec_and_container_are_decoded() {
    let file = data("video/noface_face.mov");
    assert!(!play(&file).is_empty());
}
