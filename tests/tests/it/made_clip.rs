//! The made clip, whose faces are known exactly.

use emotion_pipelines::clip;
use emotion_tests::stream::{assert_emotion_is_sound, clip_frames, finds, rect};

const EVERY: usize = 8;

#[test]
fn most_faces_are_found_and_nothing_is_found_in_empty_frames() {
    let numbers = || (0..clip::FRAMES).step_by(EVERY);
    let frames = clip_frames(numbers(), "facedetect").expect("it plays");
    assert_eq!(frames.len(), numbers().count());

    let (mut there, mut found, mut false_boxes) = (0, 0, 0);
    for (number, frame) in numbers().zip(&frames) {
        let wanted = clip::faces(number);
        there += wanted.len();
        found += wanted.iter().filter(|face| finds(frame, face)).count();
        let at_a_face = |candidate: &_| wanted.iter().any(|face| rect(candidate).iou(face) >= 0.3);
        let strangers = frame.faces.iter().filter(|face| !at_a_face(face)).count();
        false_boxes += strangers.saturating_sub(clip::cut_faces(number));
        if clip::EMPTY.contains(&number) {
            assert_eq!(frame.faces.len(), 0, "picture {number} is empty");
        }
    }
    assert!(found * 10 >= there * 9, "{found} of {there} faces found");
    assert!(
        false_boxes * 10 <= frames.len(),
        "{false_boxes} boxes without a face in {} frames",
        frames.len()
    );
}

#[test]
fn every_found_face_gets_an_emotion_and_most_are_happy() {
    let numbers = (40..clip::FRAMES).step_by(EVERY);
    let frames = clip_frames(numbers, "facedetect ! emotionclassify").expect("it plays");
    let faces: Vec<_> = frames.iter().flat_map(|frame| &frame.faces).collect();
    assert!(!faces.is_empty());
    for face in &faces {
        assert_emotion_is_sound(face);
    }
    let happy = faces
        .iter()
        .filter_map(|face| face.emotion.as_ref())
        .filter(|emotion| emotion.label == "happy")
        .count();
    assert!(
        happy * 2 > faces.len(),
        "the portrait smiles, yet only {happy} of {} are happy",
        faces.len()
    );
}

#[test]
fn results_are_the_same_in_every_run() {
    let run = || {
        let frames = clip_frames([60, 120, 190], "facedetect ! emotionclassify").expect("it plays");
        frames
            .into_iter()
            .map(|frame| frame.faces)
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
