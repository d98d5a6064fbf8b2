//! The element `emotionclassify`, on regions of interest from our elements and from others.

use crate::common::*;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstemotion::face::{EmotionResult, Face, assign_ids, faces, regions, set_object_id};
use gstemotion::luma::FORMATS;

/// The face of the portrait.
const FACE: (u32, u32, u32, u32) = (175, 70, 120, 120);

/// A region as GStreamer's OpenCV `facedetect` adds it: of type `face`, without an id and params.
fn add_region(buffer: &mut gst::Buffer, roi_type: &str, rect: (u32, u32, u32, u32)) {
    VideoRegionOfInterestMeta::add(buffer.make_mut(), roi_type, rect);
}

fn classify(line: &str, info: &gst_video::VideoInfo, buffer: gst::Buffer) -> Vec<Face> {
    faces(&harness(line, info).push_and_pull(buffer).unwrap())
}

#[track_caller]
fn assert_sound(emotion: &EmotionResult) {
    assert_eq!(
        emotion.labels,
        [
            "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"
        ]
    );
    assert_eq!(emotion.probabilities.len(), 7);
    let sum: f64 = emotion.probabilities.iter().sum();
    assert!((sum - 1.0).abs() < 1e-5, "{emotion:?}");
    let best = emotion.probabilities.iter().copied().fold(0.0, f64::max);
    assert_eq!(emotion.confidence, best);
    assert_eq!(emotion.probabilities[emotion.label_id], best);
    let named = &emotion.labels[emotion.label_id];
    assert!(emotion.is_uncertain() || emotion.label == *named);
    assert!(!emotion.model_name.is_empty() && !emotion.weights_id.is_empty());
}

#[track_caller]
fn assert_same(a: &Face, b: &Face) {
    let probabilities = |face: &Face| face.emotion.clone().unwrap().probabilities;
    for (a, b) in probabilities(a).iter().zip(probabilities(b)) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
}

#[test]
fn every_format_passes_through_untouched_and_its_face_gets_an_emotion() {
    init();
    for format in FORMATS {
        let (info, mut buffer) = portrait(format);
        add_region(&mut buffer, "face", FACE);
        let before = bytes(&buffer);

        let out = harness("emotionclassify", &info)
            .push_and_pull(at(buffer, 40))
            .unwrap();

        assert_eq!(out.pts(), Some(gst::ClockTime::from_mseconds(40)));
        assert_eq!(bytes(&out), before, "{format:?}");
        assert_sound(faces(&out)[0].emotion.as_ref().unwrap());
    }
}

#[test]
fn every_format_of_the_same_picture_gets_the_same_emotion() {
    init();
    let probabilities = FORMATS.map(|format| {
        let (info, mut buffer) = portrait(format);
        add_region(&mut buffer, "face", FACE);
        classify("emotionclassify", &info, buffer)[0]
            .emotion
            .clone()
            .unwrap()
            .probabilities
    });
    for (format, found) in FORMATS.iter().zip(&probabilities) {
        for (a, b) in found.iter().zip(&probabilities[0]) {
            assert!(
                (a - b).abs() < 0.05,
                "{format:?}: {found:?}, GRAY8: {:?}",
                probabilities[0]
            );
        }
    }
}

#[test]
fn regions_of_another_detector_without_ids_and_params_are_classified_each() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::Rgb);
    add_region(&mut buffer, "face", FACE);
    add_region(&mut buffer, "face", (300, 300, 100, 80));

    let found = classify("emotionclassify", &info, buffer);

    assert_eq!(found.len(), 2);
    assert_ne!(found[0].roi_id, found[1].roi_id);
    found
        .iter()
        .for_each(|face| assert_sound(face.emotion.as_ref().unwrap()));
}

#[test]
fn a_batch_gives_each_face_what_it_gets_alone() {
    init();
    let (info, plain) = portrait(VideoFormat::Gray8);
    let rects = [FACE, (300, 300, 100, 80), (0, 0, 512, 512), (10, 10, 5, 7)];
    let mut crowd = plain.clone();
    rects
        .iter()
        .for_each(|rect| add_region(&mut crowd, "face", *rect));
    let together = classify("emotionclassify", &info, crowd);

    for (rect, in_crowd) in rects.into_iter().zip(&together) {
        let mut single = plain.clone();
        add_region(&mut single, "face", rect);
        assert_same(&classify("emotionclassify", &info, single)[0], in_crowd);
    }
}

#[test]
fn regions_half_outside_are_classified_and_those_without_a_pixel_are_not() {
    init();
    let minus = |value: u32| value.wrapping_neg();
    let cases = [
        ((450, 450, 120, 120), true),
        ((minus(60), minus(60), 120, 120), true),
        ((511, 511, 1, 1), true),
        ((512, 0, 50, 50), false),
        ((minus(50), 0, 50, 50), false),
        ((100, 100, 0, 50), false),
        ((100, 100, 50, 0), false),
        ((0, 0, u32::MAX, u32::MAX), false),
        ((minus(1), minus(1), u32::MAX, 5), false),
    ];
    let (info, mut buffer) = portrait(VideoFormat::I420);
    cases
        .iter()
        .for_each(|(rect, _)| add_region(&mut buffer, "face", *rect));
    let mut h = harness("emotionclassify", &info);

    let found = faces(&h.push_and_pull(buffer).unwrap());

    for (face, (rect, expected)) in found.iter().zip(cases) {
        assert_eq!(face.emotion.is_some(), expected, "{rect:?}");
    }
    assert_eq!(stat(&h.element().unwrap(), "faces"), 3);
}

#[test]
fn only_regions_of_the_object_class_are_classified() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::Rgb);
    add_region(&mut buffer, "face", FACE);
    add_region(&mut buffer, "head", FACE);

    let mut h = harness("emotionclassify object-class=head", &info);
    let out = h.push_and_pull(buffer).unwrap();

    assert!(faces(&out)[0].emotion.is_none());
    assert!(regions(&out, "head")[0].emotion.is_some());
}

#[test]
fn the_margin_acts_on_the_next_frame_while_playing() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::Rgb);
    add_region(&mut buffer, "face", FACE);
    let mut h = harness("emotionclassify", &info);
    let element = h.element().unwrap();
    let mut probabilities = || {
        let out = h.push_and_pull(buffer.clone()).unwrap();
        faces(&out)[0].emotion.clone().unwrap().probabilities
    };
    let tight = probabilities();

    element.set_property("margin", 0.5_f32);

    assert_ne!(probabilities(), tight);
}

#[test]
fn frames_without_faces_pass() {
    let (info, buffer) = blank(VideoFormat::Yuy2, 33, 17);
    let mut h = harness("emotionclassify", &info);

    let out = h.push_and_pull(buffer).unwrap();

    assert_eq!(out.iter_meta::<gst::Meta>().count(), 0);
    assert_eq!(stat(&h.element().unwrap(), "analysed"), 1);
}

#[test]
fn a_face_of_one_pixel_and_one_in_an_8k_frame_are_classified() {
    init();
    for (width, height) in [(1, 1), (7680, 4320)] {
        let (info, mut buffer) = blank(VideoFormat::Nv12, width, height);
        add_region(&mut buffer, "face", (0, 0, width, height));
        assert_sound(
            classify("emotionclassify", &info, buffer)[0]
                .emotion
                .as_ref()
                .unwrap(),
        );
    }
}

#[test]
fn format_and_size_may_change_between_frames() {
    init();
    let (first, mut buffer) = portrait(VideoFormat::I420);
    let second = info(VideoFormat::Bgrx, 256, 256);
    let mut half = convert(buffer.clone(), &first, &second);
    add_region(&mut buffer, "face", FACE);
    add_region(&mut half, "face", (88, 35, 60, 60));
    let mut h = harness("emotionclassify", &first);
    assert!(
        faces(&h.push_and_pull(buffer).unwrap())[0]
            .emotion
            .is_some()
    );

    h.set_src_caps(second.to_caps().unwrap());

    assert!(faces(&h.push_and_pull(half).unwrap())[0].emotion.is_some());
}

#[test]
fn a_shared_frame_is_not_copied_and_its_other_owner_sees_no_emotion() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::Nv12);
    add_region(&mut buffer, "face", FACE);
    let kept = buffer.clone();

    let out = harness("emotionclassify", &info)
        .push_and_pull(buffer)
        .unwrap();

    assert!(faces(&out)[0].emotion.is_some());
    assert!(faces(&kept)[0].emotion.is_none());
    assert_eq!(
        out.map_readable().unwrap().as_ptr(),
        kept.map_readable().unwrap().as_ptr(),
        "same memory"
    );
}

#[test]
fn what_stands_between_the_elements_keeps_the_faces() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    for between in [
        "queue",
        "videoconvert ! video/x-raw,format=BGRx",
        "videoscale ! video/x-raw,width=256,height=256",
        "tee name=t t. ! queue ! fakesink async=false t. ! queue",
        "jpegenc ! jpegdec",
        "x264enc tune=zerolatency ! avdec_h264",
    ] {
        let line = format!("emotionfacedetect min-size=80 ! {between} ! emotionclassify");
        let mut h = harness(&line, &info);
        for frame in 0..3 {
            h.push(at(buffer.clone(), frame * 40)).unwrap();
        }
        h.push_event(gst::event::Eos::new());

        let found = faces(&h.pull().unwrap());

        assert_eq!(found.len(), 1, "{between}");
        let face = &found[0];
        assert!(face.detection.is_some(), "{between}");
        assert_sound(face.emotion.as_ref().expect(between));
        let scale = if between.contains("scale") { 2 } else { 1 };
        assert!(
            (80..160).contains(&(face.width * scale)),
            "{between}: {face:?}"
        );
    }
}

#[test]
fn lateness_skips_classifying_only_where_it_takes_long_and_faces_keep_their_emotions() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::Gray8);
    let plain = buffer.clone();
    add_region(&mut buffer, "face", FACE);
    let mut h = harness("emotionclassify classify-interval=1", &info);
    h.push_and_pull(at(buffer.clone(), 0)).unwrap();
    h.push_upstream_event(late_by(100));

    let mut with_time_enough = at(buffer.clone(), 40);
    with_time_enough
        .make_mut()
        .set_duration(gst::ClockTime::from_seconds(3600));
    let classified = h.push_and_pull(with_time_enough).unwrap();
    let mut without = [buffer, plain].map(|buffer| at(buffer, 80));
    add_region(&mut without[1], "face", (300, 300, 100, 80));
    let skipped = without.map(|mut buffer| {
        (buffer.make_mut()).set_duration(gst::ClockTime::NSECOND);
        h.push_and_pull(buffer).unwrap()
    });

    let emotion = |buffer| faces(buffer)[0].emotion.clone();
    let classified = emotion(&classified).unwrap();
    let kept = emotion(&skipped[0]).unwrap();
    assert!(classified.raw.is_some() && kept.raw.is_none());
    assert_eq!(kept.probabilities, classified.probabilities);
    assert_eq!(
        emotion(&skipped[1]),
        None,
        "a face that was never classified"
    );
    let element = h.element().unwrap();
    let counts = ["frames", "skipped", "classified"].map(|name| stat(&element, name));
    assert_eq!(counts, [4, 2, 2]);
}

#[test]
fn the_element_can_be_started_again_and_again() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::Gray8);
    add_region(&mut buffer, "face", FACE);
    let element = gst::ElementFactory::make("emotionclassify")
        .build()
        .unwrap();
    for _ in 0..3 {
        let mut h = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
        h.set_src_caps(info.to_caps().unwrap());
        assert!(
            faces(&h.push_and_pull(buffer.clone()).unwrap())[0]
                .emotion
                .is_some()
        );
        assert_eq!(stat(&element, "frames"), 1, "statistics begin anew");
        assert!(h.push_event(gst::event::Eos::new()));
        drop(h);
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn unusable_weights_are_named_at_start() {
    init();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("broken.safetensors");
    std::fs::write(&file, "no weights").unwrap();
    for location in [
        file.as_path(),
        std::path::Path::new("/nowhere/weights.safetensors"),
    ] {
        let element = gst::ElementFactory::make("emotionclassify")
            .property("model-location", location.to_str().unwrap())
            .build()
            .unwrap();

        let error = error_at_start(&element);

        assert!(error.contains(location.to_str().unwrap()), "{error}");
    }
}

#[test]
fn statistics_say_how_the_network_computes_while_there_is_one() {
    init();
    let element = gst::ElementFactory::make("emotionclassify")
        .build()
        .unwrap();
    let arithmetic = || {
        let stats = element.property::<gst::Structure>("stats");
        stats.get::<String>("arithmetic").ok()
    };
    assert_eq!(arithmetic(), None);
    element.set_state(gst::State::Paused).unwrap();
    let instructions = emotion_models::Instructions::best();
    let weights = emotion_models::Weights::embedded().unwrap();
    let precision = weights.fastest_precision();
    assert_eq!(arithmetic(), Some(format!("{instructions} {precision}")));
    element.set_state(gst::State::Null).unwrap();
    assert_eq!(arithmetic(), None);
    element.set_property_from_str("precision", "f32");
    element.set_state(gst::State::Paused).unwrap();
    assert_eq!(arithmetic(), Some(format!("{instructions} f32")));
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_precision_that_the_machine_lacks_is_an_error_that_names_the_remedy() {
    init();
    if emotion_models::inference::Precision::Bf16.is_available() {
        emotion_tests::skipped("precision=bf16 on a machine without bfloat16: this one has it");
        return;
    }
    for name in ["facedetect", "emotionclassify"] {
        let element = gst::ElementFactory::make(name)
            .property_from_str("precision", "bf16")
            .build()
            .unwrap();
        let error = error_at_start(&element);
        assert!(error.contains("choose f32"), "{name}: {error}");
    }
}

#[test]
fn integers_need_quantised_weights_and_are_chosen_where_these_keep_their_accuracy() {
    init();
    for (name, weights) in [
        ("facedetect", "face_net"),
        ("emotionclassify", "residual_xception"),
    ] {
        let make = |precision: &str, location: Option<String>| {
            gst::ElementFactory::make(name)
                .property_from_str("precision", precision)
                .property("model-location", location)
                .build()
                .unwrap()
        };
        let file = |name: &str| {
            let folder = env!("CARGO_MANIFEST_DIR");
            Some(format!("{folder}/../models/weights/{name}.safetensors"))
        };
        let error = error_at_start(&make("int8", file(weights)));
        assert!(
            error.contains("emotion-trainer quantize"),
            "{name}: {error}"
        );
        let location = file(&format!("{weights}_int8"));
        let integers = emotion_models::Weights::load(location.as_ref().unwrap().as_ref()).unwrap();
        let fastest = integers.fastest_precision().name();
        for (precision, location, expected) in [
            ("auto", None, fastest),
            ("int8", None, "int8"),
            ("f32", None, "f32"),
            ("auto", location.clone(), fastest),
            ("int8", location.clone(), "int8"),
            ("f32", location, "f32"),
        ] {
            let element = make(precision, location);
            element.set_state(gst::State::Paused).unwrap();
            let stats = element.property::<gst::Structure>("stats");
            let instructions = emotion_models::Instructions::best();
            let arithmetic = stats.get::<String>("arithmetic").unwrap();
            assert_eq!(arithmetic, format!("{instructions} {expected}"), "{name}");
            element.set_state(gst::State::Null).unwrap();
        }
    }
}

#[test]
fn each_built_in_model_says_who_it_is() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::Gray8);
    add_region(&mut buffer, "face", FACE);
    let [default, other] = ["emotionclassify", "emotionclassify model=mini_xception"].map(|line| {
        classify(line, &info, buffer.clone())[0]
            .emotion
            .clone()
            .unwrap()
    });
    assert_sound(&other);
    assert_eq!(default.model_name, "residual_xception");
    assert_eq!(other.model_name, "mini_xception");
    assert_ne!(default.weights_id, other.weights_id);
    assert_ne!(default.probabilities, other.probabilities);
}

#[test]
fn a_model_that_is_not_built_in_is_named_at_start_with_those_that_are() {
    init();
    let element = gst::ElementFactory::make("emotionclassify")
        .property("model", "huge")
        .build()
        .unwrap();

    let error = error_at_start(&element);

    assert!(
        error.contains("huge: there are no built-in weights"),
        "{error}"
    );
    for name in emotion_models::Weights::built_in_names() {
        assert!(error.contains(name), "{error}");
    }
}

/// The portrait with its face on the track `id`, `ms` after the start, with `rect` as the face.
fn tracked(buffer: &gst::Buffer, rect: (u32, u32, u32, u32), id: i32, ms: u64) -> gst::Buffer {
    let mut buffer = at(buffer.clone(), ms);
    add_region(&mut buffer, "face", rect);
    let buffer_mut = buffer.make_mut();
    assign_ids(buffer_mut, "face");
    assert!(set_object_id(buffer_mut, 1, id));
    buffer
}

#[test]
fn a_track_keeps_its_history_and_another_track_begins_its_own() {
    init();
    let (info, plain) = portrait(VideoFormat::Gray8);
    let mut h = harness("emotionclassify threshold=0", &info);
    let mut push = |rect, id, ms| {
        let out = h.push_and_pull(tracked(&plain, rect, id, ms)).unwrap();
        faces(&out)[0].emotion.clone().unwrap()
    };
    let other_rect = (300, 300, 100, 80);
    let first = push(FACE, 1, 0);
    let steady = push(other_rect, 1, 40);
    let anew = push(other_rect, 2, 80);

    assert_eq!(steady.label, first.label);
    assert_eq!(steady.raw, anew.raw);
    assert_ne!(steady.probabilities, anew.probabilities);
    assert_eq!(anew.confidence, anew.raw.unwrap().confidence);
    assert!(anew.valence.is_some());
}

#[test]
fn without_smoothing_or_time_stamps_each_frame_stands_for_itself() {
    init();
    let (info, plain) = portrait(VideoFormat::Gray8);
    for (line, has_time) in [
        ("emotionclassify threshold=0 smoothing=none", true),
        ("emotionclassify threshold=0", false),
    ] {
        let mut h = harness(line, &info);
        for (ms, rect) in [(0, FACE), (40, (300, 300, 100, 80))] {
            let mut buffer = tracked(&plain, rect, 1, ms);
            if !has_time {
                buffer.make_mut().set_pts(gst::ClockTime::NONE);
            }
            let out = h.push_and_pull(buffer).unwrap();
            let emotion = faces(&out)[0].emotion.clone().unwrap();
            let raw = emotion.raw.unwrap();
            assert_eq!(
                (emotion.label, emotion.confidence),
                (raw.label, raw.confidence)
            );
        }
    }
}

#[test]
fn below_the_threshold_the_label_is_uncertain_and_the_best_guess_keeps_its_index() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::Gray8);
    add_region(&mut buffer, "face", FACE);

    let found = classify("emotionclassify threshold=1.0", &info, buffer);

    let emotion = found[0].emotion.clone().unwrap();
    assert!(emotion.is_uncertain());
    assert_eq!(emotion.probabilities[emotion.label_id], emotion.confidence);
}
