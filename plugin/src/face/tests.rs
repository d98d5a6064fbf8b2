use emotion_models::preprocess::Landmarks;
use gst::Structure;
use gst::meta::CustomMeta;
use gst_video::VideoRegionOfInterestMeta;

use super::stored::{META_NAME, register_meta};
use super::structures::{emotion_to_structure, landmarks_to_structure};
use super::*;

const FRAME: (u32, u32) = (200, 100);

fn buffer() -> gst::Buffer {
    gst::init().unwrap();
    gst::Buffer::new()
}

fn detected(x: i32, y: i32, width: u32, height: u32) -> DetectedFace {
    DetectedFace {
        x,
        y,
        width,
        height,
        confidence: 0.75,
        landmarks: None,
    }
}

fn happy() -> EmotionResult {
    EmotionResult {
        label: "happy".into(),
        label_id: 1,
        confidence: 0.7,
        model_name: "test".into(),
        weights_id: "0123456789abcdef".into(),
        threshold: Some(0.4),
        labels: vec!["sad".into(), "happy".into()],
        probabilities: vec![0.3, 0.7],
        valence: Some(0.36),
        quality: Some(0.8),
        raw: Some(RawEmotion {
            label: "sad".into(),
            confidence: 0.6,
        }),
    }
}

fn sad() -> EmotionResult {
    EmotionResult {
        label: "sad".into(),
        label_id: 0,
        confidence: 0.9,
        probabilities: vec![0.9, 0.1],
        ..happy()
    }
}

fn add(buffer: &mut gst::BufferRef, faces: &[DetectedFace]) -> Vec<Option<i32>> {
    add_detected(buffer, FRAME.0, FRAME.1, faces)
}

fn add_foreign<'a>(
    buffer: &'a mut gst::BufferRef,
    roi_type: &str,
    id: i32,
) -> gst::MetaRefMut<'a, VideoRegionOfInterestMeta, gst::meta::Standalone> {
    let mut roi = VideoRegionOfInterestMeta::add(buffer, roi_type, (1, 2, 3, 4));
    roi.set_id(id);
    roi
}

/// What a converting videoconvert or videoscale does: the region keeps its id, moves, and loses its params.
fn scale_and_lose_params(buffer: &mut gst::BufferRef, factor: u32) {
    let regions: Vec<_> = buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .map(|roi| (roi.rect(), roi.id()))
        .collect();
    while let Some(roi) = buffer.meta_mut::<VideoRegionOfInterestMeta>() {
        roi.remove().unwrap();
    }
    for ((x, y, width, height), id) in regions {
        let rect = (x * factor, y * factor, width * factor, height * factor);
        VideoRegionOfInterestMeta::add(buffer, ROI_TYPE, rect).set_id(id);
    }
}

#[test]
fn a_detected_and_classified_face_is_read_back() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();

    let ids = add(buffer, &[detected(10, 20, 30, 40)]);
    assert_eq!(ids, [Some(1)]);
    assert!(set_emotion(buffer, 1, &happy()));
    assert!(set_object_id(buffer, 1, 7));

    assert_eq!(
        faces(buffer),
        [Face {
            roi_id: 1,
            x: 10,
            y: 20,
            width: 30,
            height: 40,
            detection: Some(Detection {
                confidence: 0.75,
                ..Detection::default()
            }),
            object_id: Some(7),
            landmarks: None,
            emotion: Some(happy()),
        }]
    );
}

#[test]
fn the_params_have_the_names_and_types_that_other_tools_read() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add(buffer, &[detected(50, 20, 100, 40)]);
    set_emotion(buffer, 1, &happy());
    set_object_id(buffer, 1, 7);

    let roi = buffer.meta::<VideoRegionOfInterestMeta>().unwrap();
    let detection = roi.param("detection").unwrap();
    assert_eq!(detection.get::<&str>("label"), Ok("face"));
    assert_eq!(detection.get::<i32>("label_id"), Ok(0));
    assert_eq!(detection.get::<f64>("confidence"), Ok(0.75));
    assert_eq!(detection.get::<f64>("x_min"), Ok(0.25));
    assert_eq!(detection.get::<f64>("x_max"), Ok(0.75));
    assert_eq!(detection.get::<f64>("y_min"), Ok(0.2));
    assert_eq!(detection.get::<f64>("y_max"), Ok(0.6));
    assert_eq!(roi.param("object_id").unwrap().get::<i32>("id"), Ok(7));
    let emotion = roi.param("emotion").unwrap();
    assert_eq!(emotion.get::<&str>("label"), Ok("happy"));
    assert_eq!(emotion.get::<i32>("label_id"), Ok(1));
    assert_eq!(emotion.get::<f64>("confidence"), Ok(0.7));
    assert_eq!(emotion.get::<&str>("model_name"), Ok("test"));
    let probabilities = emotion.get::<gst::ArrayRef<'_>>("probabilities").unwrap();
    assert_eq!(probabilities[1].get::<f64>(), Ok(0.7));
    assert_eq!(emotion.get::<f64>("valence"), Ok(0.36));
    assert_eq!(emotion.get::<f64>("quality"), Ok(0.8));
    assert_eq!(emotion.get::<&str>("raw_label"), Ok("sad"));
    assert_eq!(emotion.get::<f64>("raw_confidence"), Ok(0.6));
    let labels = emotion.get::<gst::ArrayRef<'_>>("labels").unwrap();
    assert_eq!(labels[1].get::<&str>(), Ok("happy"));
}

#[test]
fn when_params_are_lost_the_custom_meta_answers_with_the_moved_rectangle() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add(
        buffer,
        &[detected(10, 20, 30, 40), detected(100, 20, 30, 40)],
    );
    set_emotions(buffer, [(1, &happy()), (2, &sad())]);
    let before = faces(buffer);

    scale_and_lose_params(buffer, 2);

    let after = faces(buffer);
    assert_eq!(
        (after[0].x, after[0].y, after[0].width, after[0].height),
        (20, 40, 60, 80)
    );
    assert_eq!(after[0].detection, before[0].detection);
    assert_eq!(after[0].emotion, Some(happy()));
    assert_eq!(after[1].emotion, Some(sad()));
}

#[test]
fn a_copy_of_the_buffer_keeps_everything_and_is_independent() {
    let mut original = buffer();
    add(original.make_mut(), &[detected(10, 20, 30, 40)]);
    let mut copy = original.clone();

    set_emotion(copy.make_mut(), 1, &happy());

    assert_eq!(faces(&copy)[0].emotion, Some(happy()));
    assert_eq!(faces(&original)[0].emotion, None);
    assert_eq!(faces(&original)[0].detection, faces(&copy)[0].detection);
}

#[test]
fn a_second_emotion_replaces_the_first_and_keeps_the_order_and_the_rest() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add(buffer, &[detected(0, 0, 10, 10), detected(20, 0, 10, 10)]);
    set_emotions(buffer, [(1, &happy()), (2, &happy())]);
    add_foreign(buffer, "car", 9).set_parent_id(3);

    assert!(set_emotion(buffer, 1, &sad()));

    let found = faces(buffer);
    assert_eq!(
        found.iter().map(|face| face.roi_id).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(found[0].emotion, Some(sad()));
    assert_eq!(
        found[0].detection,
        Some(Detection {
            confidence: 0.75,
            ..Detection::default()
        })
    );
    assert_eq!(found[1].emotion, Some(happy()));
    let first = buffer.meta::<VideoRegionOfInterestMeta>().unwrap();
    assert_eq!(
        first
            .params()
            .filter(|param| param.name() == "emotion")
            .count(),
        1
    );
    let car = buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .last()
        .unwrap();
    assert_eq!((car.roi_type(), car.id(), car.parent_id()), ("car", 9, 3));

    scale_and_lose_params(buffer, 1);
    assert_eq!(faces(buffer)[0].emotion, Some(sad()));
}

#[test]
fn new_ids_differ_from_those_of_other_regions() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add_foreign(buffer, "car", 1);
    add_foreign(buffer, ROI_TYPE, 3);

    let ids = add(buffer, &[detected(0, 0, 10, 10), detected(20, 0, 10, 10)]);

    assert_eq!(ids, [Some(2), Some(4)]);
}

#[test]
fn a_new_face_does_not_inherit_from_a_region_that_was_dropped() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add(buffer, &[detected(0, 0, 10, 10)]);
    set_emotion(buffer, 1, &happy());
    buffer
        .meta_mut::<VideoRegionOfInterestMeta>()
        .unwrap()
        .remove()
        .unwrap();

    let ids = add(buffer, &[detected(0, 0, 10, 10)]);

    assert_eq!(ids, [Some(2)]);
    assert_eq!(faces(buffer)[0].emotion, None);
}

#[test]
fn regions_without_ids_and_params_get_ids_and_then_emotions() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add_foreign(buffer, ROI_TYPE, 0);
    add_foreign(buffer, "car", 0);
    add_foreign(buffer, ROI_TYPE, 5);
    add_foreign(buffer, ROI_TYPE, 5);
    add_foreign(buffer, ROI_TYPE, 0);

    assign_ids(buffer, ROI_TYPE);

    let ids: Vec<_> = faces(buffer).iter().map(|face| face.roi_id).collect();
    assert_eq!(ids, [1, 5, 2, 3]);
    assert!(set_emotion(buffer, 3, &happy()));
    let emotions: Vec<_> = faces(buffer)
        .iter()
        .map(|face| face.emotion.is_some())
        .collect();
    assert_eq!(emotions, [false, false, false, true]);
}

#[test]
fn assigning_ids_twice_changes_nothing() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add_foreign(buffer, ROI_TYPE, 0);
    add_foreign(buffer, ROI_TYPE, 0);
    assign_ids(buffer, ROI_TYPE);
    let before = faces(buffer);

    assign_ids(buffer, ROI_TYPE);

    assert_eq!(faces(buffer), before);
}

#[test]
fn an_emotion_for_an_unknown_region_is_refused_and_leaves_no_trace() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();

    assert!(!set_emotion(buffer, 1, &happy()));

    assert_eq!(buffer.iter_meta::<gst::Meta>().count(), 0);
}

#[test]
fn rectangles_are_clamped_to_the_frame_and_dropped_outside_it() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();

    let ids = add(
        buffer,
        &[
            detected(-10, -5, 30, 30),
            detected(190, 90, 30, 30),
            detected(200, 0, 10, 10),
            detected(-10, 0, 10, 10),
            detected(5, 5, 0, 10),
            detected(i32::MIN, i32::MIN, u32::MAX, u32::MAX),
        ],
    );

    assert_eq!(ids, [Some(1), Some(2), None, None, None, Some(3)]);
    let rects: Vec<_> = faces(buffer)
        .iter()
        .map(|face| (face.x, face.y, face.width, face.height))
        .collect();
    assert_eq!(rects, [(0, 0, 20, 25), (190, 90, 10, 10), (0, 0, 200, 100)]);
}

#[test]
fn a_wrapped_coordinate_is_read_as_negative() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    VideoRegionOfInterestMeta::add(buffer, ROI_TYPE, (u32::MAX - 4, 3, 10, 10));

    assert_eq!(faces(buffer)[0].x, -5);
}

#[test]
fn regions_of_other_types_are_no_faces_but_can_be_asked_for() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add_foreign(buffer, "car", 4);

    assert_eq!(faces(buffer), []);
    assert_eq!(regions(buffer, "car")[0].roi_id, 4);
}

#[test]
fn garbled_params_are_ignored() {
    gst::init().unwrap();
    let garbled = [
        Structure::builder("detection")
            .field("confidence", "high")
            .build(),
        Structure::builder("detection")
            .field("confidence", f64::NAN)
            .build(),
        Structure::builder("object_id").field("id", "seven").build(),
        Structure::new_empty("emotion"),
        Structure::builder("emotion")
            .field("label", 3)
            .field("label_id", 0)
            .field("confidence", 0.5)
            .build(),
        Structure::builder("emotion")
            .field("label", "sad")
            .field("label_id", -1)
            .field("confidence", 0.5)
            .build(),
    ];
    for param in garbled {
        let mut buffer = buffer();
        let buffer = buffer.make_mut();
        add_foreign(buffer, ROI_TYPE, 1).add_param(param.clone());

        let face = &faces(buffer)[0];

        assert_eq!(
            (face.detection, face.object_id, &face.emotion),
            (None, None, &None),
            "{param}"
        );
    }
}

#[test]
fn a_garbled_param_does_not_hide_the_custom_meta() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add(buffer, &[detected(0, 0, 10, 10)]);
    set_emotion(buffer, 1, &happy());
    scale_and_lose_params(buffer, 1);
    let mut roi = buffer.meta_mut::<VideoRegionOfInterestMeta>().unwrap();
    roi.add_param(Structure::new_empty("emotion"));

    assert_eq!(faces(buffer)[0].emotion, Some(happy()));
}

#[test]
fn a_foreign_emotion_without_probabilities_is_read() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add_foreign(buffer, ROI_TYPE, 1).add_param(
        Structure::builder("emotion")
            .field("label", "anger")
            .field("label_id", 4)
            .field("confidence", 0.5)
            .field("probabilities", gst::Array::new(["many", "words"]))
            .build(),
    );

    let emotion = faces(buffer)[0].emotion.clone().unwrap();

    assert_eq!((emotion.label.as_str(), emotion.label_id), ("anger", 4));
    assert_eq!((emotion.labels.len(), emotion.probabilities.len()), (0, 0));
    assert_eq!(
        (emotion.valence, emotion.quality, emotion.raw),
        (None, None, None)
    );
}

#[test]
fn an_uncertain_emotion_keeps_the_index_of_the_best_guess() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add(buffer, &[detected(0, 0, 10, 10)]);
    let unsure = EmotionResult {
        label: UNCERTAIN.into(),
        ..happy()
    };
    set_emotion(buffer, 1, &unsure);

    let found = faces(buffer)[0].emotion.clone().unwrap();

    assert!(found.is_uncertain() && !happy().is_uncertain());
    assert_eq!(found.probabilities[found.label_id], found.confidence);
}

#[test]
fn a_valence_or_quality_out_of_range_is_unknown() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    let mut param = emotion_to_structure(&happy());
    param.set("valence", f64::NAN);
    param.set("quality", 2.0);
    param.set("threshold", -1.0);
    add_foreign(buffer, ROI_TYPE, 1).add_param(param);

    let emotion = faces(buffer)[0].emotion.clone().unwrap();

    assert_eq!((emotion.valence, emotion.quality), (None, None));
    assert_eq!(emotion.threshold, None);
}

#[test]
fn a_garbled_custom_meta_is_ignored_and_then_replaced() {
    gst::init().unwrap();
    let garbled: [gst::glib::SendValue; 3] = [
        gst::glib::SendValue::from_owned(3),
        gst::glib::SendValue::from_owned(gst::Array::new([1, 2])),
        gst::glib::SendValue::from_owned(gst::Array::new([Structure::new_empty("face")])),
    ];
    for value in garbled {
        let mut buffer = buffer();
        let buffer = buffer.make_mut();
        register_meta();
        let mut meta = CustomMeta::add(buffer, META_NAME).unwrap();
        meta.mut_structure().set_value("faces", value);
        add_foreign(buffer, ROI_TYPE, 1);

        assert_eq!(faces(buffer)[0].emotion, None);
        assert!(set_emotion(buffer, 1, &happy()));
        scale_and_lose_params(buffer, 1);
        assert_eq!(faces(buffer)[0].emotion, Some(happy()));
    }
}

/// A face whose points lie on the diagonal of its box.
fn with_landmarks() -> DetectedFace {
    let points = [
        [10.0, 20.0],
        [15.0, 25.0],
        [20.0, 30.0],
        [25.0, 35.0],
        [30.0, 40.0],
    ];
    DetectedFace {
        landmarks: Some(Landmarks(points)),
        ..detected(10, 20, 30, 40)
    }
}

#[test]
fn landmarks_are_fractions_of_the_frame_under_the_names_of_the_points() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add(buffer, &[with_landmarks()]);
    let roi = buffer.meta::<VideoRegionOfInterestMeta>().unwrap();
    let param = roi.param("landmarks").unwrap();
    let value = |name: &str| param.get::<f64>(name).unwrap();
    let [width, height] = [FRAME.0, FRAME.1].map(f64::from);
    let is_near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    assert!(is_near(value("right_eye_x"), 10.0 / width));
    assert!(is_near(value("left_eye_y"), 25.0 / height));
    assert!(is_near(value("nose_x"), 20.0 / width));
    assert!(is_near(value("left_mouth_y"), 40.0 / height));
}

#[test]
fn landmarks_survive_where_params_are_lost() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    add(buffer, &[with_landmarks()]);
    let before = faces(buffer)[0].landmarks.expect("they were written");
    scale_and_lose_params(buffer, 2);
    assert_eq!(faces(buffer)[0].landmarks, Some(before));
}

#[test]
fn landmarks_of_which_one_is_missing_or_far_away_are_ignored() {
    for (name, value) in [
        ("nose_x", None),
        ("nose_x", Some(1e9)),
        ("nose_y", Some(f64::NAN)),
    ] {
        let mut buffer = buffer();
        let buffer = buffer.make_mut();
        let mut param = landmarks_to_structure(&Landmarks([[0.5; 2]; Landmarks::COUNT]));
        match value {
            Some(value) => param.set(name, value),
            None => param.remove_field(name),
        }
        let mut roi = VideoRegionOfInterestMeta::add(buffer, "face", (0, 0, 10, 10));
        roi.add_param(param);
        assert_eq!(faces(buffer)[0].landmarks, None, "{name} {value:?}");
    }
}
