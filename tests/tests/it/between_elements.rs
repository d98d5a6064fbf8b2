//! Users put other elements between ours; faces and emotions must survive them.

use emotion_tests::stream::{ReceivedFrame, assert_emotion_is_sound, clip_frames, rect};

/// Pictures of the made clip with two whole faces.
const NUMBERS: [usize; 4] = [130, 140, 150, 199];

fn behind(elements: &str) -> Vec<ReceivedFrame> {
    clip_frames(
        NUMBERS,
        &format!(
            "videoconvert ! video/x-raw,format=I420 ! facedetect ! emotionclassify ! {elements}"
        ),
    )
    .unwrap_or_else(|error| panic!("{elements}: {error:#}"))
}

/// Asserts that `frames` have the same faces and emotions as a run without other elements, scaled by `scale`.
fn assert_same_faces(frames: &[ReceivedFrame], elements: &str, scale: (f32, f32)) {
    let plain = behind("identity");
    assert_eq!(frames.len(), plain.len(), "{elements}");
    for (frame, plain) in frames.iter().zip(&plain) {
        assert_eq!(
            frame.faces.len(),
            plain.faces.len(),
            "{elements} at {:?}",
            plain.time
        );
        assert!(
            plain.faces.len() >= 2,
            "both faces are found at {:?}",
            plain.time
        );
        for (face, plain) in frame.faces.iter().zip(&plain.faces) {
            assert_emotion_is_sound(face);
            assert_eq!(face.emotion, plain.emotion, "{elements}");
            assert_eq!(face.detection, plain.detection, "{elements}");
            let (face, plain) = (rect(face), rect(plain));
            for (found, expected) in [
                (face.x, plain.x * scale.0),
                (face.y, plain.y * scale.1),
                (face.width, plain.width * scale.0),
                (face.height, plain.height * scale.1),
            ] {
                assert!(
                    (found - expected).abs() <= 1.0,
                    "{elements}: {face:?} from {plain:?}"
                );
            }
        }
    }
}

#[test]
fn a_converting_videoconvert_keeps_them() {
    for format in ["RGB", "NV12", "GRAY8"] {
        let elements = format!("videoconvert ! video/x-raw,format={format}");
        assert_same_faces(&behind(&elements), &elements, (1.0, 1.0));
    }
}

#[test]
fn a_scaling_videoscale_keeps_them_and_scales_the_boxes() {
    let elements = "videoscale add-borders=false ! video/x-raw,width=320,height=360";
    assert_same_faces(&behind(elements), elements, (0.5, 0.75));
}

#[test]
fn a_queue_keeps_them() {
    assert_same_faces(&behind("queue"), "queue", (1.0, 1.0));
}

#[test]
fn both_branches_of_a_tee_keep_them() {
    let elements = "tee name=two two. ! queue ! videoconvert ! video/x-raw,format=RGBA ! fakesink two. ! queue";
    assert_same_faces(&behind(elements), elements, (1.0, 1.0));
}

#[test]
fn an_encoder_and_its_decoder_keep_them() {
    let elements = "x264enc tune=zerolatency ! avdec_h264 ! videoconvert";
    assert_same_faces(&behind(elements), elements, (1.0, 1.0));
}

#[test]
fn emotions_are_classified_behind_a_conversion_and_a_scaling_of_the_detected_picture() {
    let elements = "facedetect ! videoconvert ! video/x-raw,format=NV12 ! videoscale add-borders=false \
                    ! video/x-raw,width=1280,height=960 ! queue ! emotionclassify";
    let frames = clip_frames(NUMBERS, elements).expect("it plays");
    for frame in &frames {
        assert_eq!(frame.size, (1280, 960));
        assert!(
            frame.faces.len() >= 2,
            "both faces are found at {:?}",
            frame.time
        );
        frame.faces.iter().for_each(assert_emotion_is_sound);
    }
}

#[test]
fn the_overlay_draws_behind_a_tee_without_touching_the_other_branch() {
    let elements = "facedetect ! emotionclassify ! tee name=two two. ! queue ! emotionoverlay ! fakesink two. ! queue";
    let frames = clip_frames(NUMBERS, elements).expect("it plays");
    assert_eq!(frames.len(), NUMBERS.len());
    frames
        .iter()
        .flat_map(|frame| &frame.faces)
        .for_each(assert_emotion_is_sound);
}
