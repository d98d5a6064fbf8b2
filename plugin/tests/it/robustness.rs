//! What nobody should send, and somebody does: no element crashes or hangs on it.

use std::ffi::CStr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::*;
use emotion_models::weights::WeightTensors;
use emotion_models::{Metadata, Weights};
use emotion_tests::repository;
use gst::glib;
use gst::glib::translate::ToGlibPtrMut;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstemotion::face::{EmotionResult, MAX_FACES, assign_ids, faces, set_emotions};

const READERS: [&str; 4] = [
    "emotionclassify",
    "emotionzones zones=\"all=0,0 1,0 1,1 0,1\" lines=\"door=0.5,0 0.5,1\"",
    "emotionoverlay privacy=fill privacy-missing=show",
    "emotionpublish location=/dev/null",
];

/// A region whose type is a quark of the test's own making.
fn add_region_of_quark(buffer: &mut gst::Buffer, quark: glib::ffi::GQuark) {
    // SAFETY: the buffer is writable, and GStreamer takes any number for a type.
    unsafe {
        gst_video::ffi::gst_buffer_add_video_region_of_interest_meta_id(
            buffer.make_mut().as_mut_ptr(),
            quark,
            10,
            10,
            30,
            30,
        );
    }
}

/// A value that holds bytes which are not UTF-8, as C programs can make it.
fn no_utf8() -> glib::Value {
    let text = c"caf\xe9";
    let mut value = glib::Value::from_type(glib::Type::STRING);
    // SAFETY: the value holds a string, and copies the text.
    unsafe {
        glib::gobject_ffi::g_value_set_string(value.to_glib_none_mut().0, CStr::as_ptr(text))
    };
    value
}

#[test]
fn regions_without_a_type_and_with_one_that_is_not_utf8_are_no_faces() {
    init();
    // SAFETY: GLib copies the text, which ends with NUL.
    let latin1 = unsafe { glib::ffi::g_quark_from_string(c"caf\xe9".as_ptr()) };
    for line in READERS {
        let (info, mut buffer) = blank(VideoFormat::Gray8, 64, 64);
        add_region_of_quark(&mut buffer, 0);
        VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", (5, 5, 20, 20));
        add_region_of_quark(&mut buffer, latin1);
        let out = harness(line, &info).push_and_pull(at(buffer, 0)).unwrap();
        assert_eq!(faces(&out).len(), 1, "{line}");
        // A zone and a line have a region each.
        let added = if line.contains("lines=") { 2 } else { 0 };
        assert_eq!(
            out.iter_meta::<VideoRegionOfInterestMeta>().count(),
            3 + added,
            "{line}: the others stay"
        );
    }
}

#[test]
fn an_emotion_replaces_another_beside_regions_without_a_type() {
    init();
    let (_, mut buffer) = blank(VideoFormat::Gray8, 64, 64);
    add_region_of_quark(&mut buffer, 0);
    VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", (5, 5, 20, 20)).set_id(7);
    let emotion = |label: &str| EmotionResult {
        label: label.into(),
        confidence: 0.5,
        ..EmotionResult::default()
    };
    for label in ["happy", "sad"] {
        assert_eq!(set_emotions(buffer.make_mut(), [(7, &emotion(label))]), 1);
        assert_eq!(faces(&buffer)[0].emotion.as_ref().unwrap().label, label);
    }
    assert_eq!(buffer.iter_meta::<VideoRegionOfInterestMeta>().count(), 2);
}

#[test]
fn texts_of_others_that_are_not_utf8_are_ignored() {
    init();
    for line in READERS {
        let (info, mut buffer) = blank(VideoFormat::Gray8, 64, 64);
        let mut emotion = gst::Structure::builder("emotion")
            .field("label_id", 0)
            .field("confidence", 0.5)
            .build();
        emotion.set_value("label", no_utf8().try_into_send_value::<String>().unwrap());
        let mut roi = VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", (5, 5, 20, 20));
        roi.add_param(emotion);
        let out = harness(line, &info).push_and_pull(at(buffer, 0)).unwrap();
        assert_eq!(faces(&out).len(), 1, "{line}");
    }
}

#[test]
fn a_property_that_is_not_utf8_is_refused() {
    init();
    for (factory, property) in [
        ("emotionfacedetect", "model-location"),
        ("emotionclassify", "labels"),
        ("emotionoverlay", "font"),
        ("emotionpublish", "source"),
        ("emotionzones", "zones"),
    ] {
        let element = gst::ElementFactory::make(factory).build().unwrap();
        element.set_property_from_value(property, &no_utf8());
        let error = error_at_start(&element);
        assert!(
            error.contains(property) && error.contains("expected text in UTF-8"),
            "{error}"
        );
    }
}

#[test]
fn the_longest_times_last_for_ever() {
    let longest = u64::MAX;
    for line in [
        format!("emotionfacedetect max-lost={longest} reattach={longest} detection-interval=auto"),
        format!("emotionoverlay privacy=fill privacy-missing=show privacy-hold={longest}"),
        format!("emotionpublish location=/dev/null interval={longest}"),
        "emotionclassify smoothing-window=60000000000".to_owned(),
        "emotionzones zones=\"all=0,0 1,0 1,1\" max-absence=3600000000000 emotion-window=3600000000000".to_owned(),
    ] {
        let (info, buffer) = portrait(VideoFormat::Gray8);
        let mut h = harness(&line, &info);
        for ms in [0, 40, 86_400_000] {
            h.push_and_pull(at(buffer.clone(), ms)).unwrap();
        }
    }
}

#[test]
fn a_listener_may_seek_while_it_is_told_of_a_face() {
    init();
    let portrait = emotion_tests::picture::portrait();
    for (elements, name) in [
        ("facedetect post-messages=change", "face-appeared"),
        (
            "facedetect ! emotionclassify post-messages=change",
            "emotion-changed",
        ),
    ] {
        let elements = elements.replace("facedetect", "emotionfacedetect min-size=80");
        let line = format!(
            "filesrc location=\"{}\" ! pngdec ! videoconvert ! imagefreeze name=source num-buffers=5 ! \
             video/x-raw,framerate=25/1 ! {elements} ! fakesink async=false",
            portrait.display()
        );
        let pipeline = gst::parse::launch(&line).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let bus = pipeline.bus().unwrap();
        let seeks = AtomicUsize::new(0);
        let source = pipeline.by_name("source").unwrap();
        bus.set_sync_handler(move |_, message| {
            let is_told = message.structure().is_some_and(|told| told.name() == name);
            if is_told && seeks.fetch_add(1, Ordering::Relaxed) < 3 {
                source
                    .seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::ZERO)
                    .unwrap();
            }
            gst::BusSyncReply::Pass
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let ended = bus.timed_pop_filtered(
            gst::ClockTime::from_seconds(60),
            &[gst::MessageType::Eos, gst::MessageType::Error],
        );
        let ended = ended.unwrap_or_else(|| panic!("{line} hangs"));
        assert_eq!(ended.type_(), gst::MessageType::Eos, "{ended:?}");
        bus.unset_sync_handler();
        pipeline.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn weights_in_a_pipe_or_a_device_are_refused() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for factory in ["emotionfacedetect", "emotionclassify"] {
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            let element = gst::ElementFactory::make(factory)
                .property("model-location", path.to_str().unwrap())
                .build()
                .unwrap();
            let error = error_at_start(&element);
            assert!(error.contains("found a pipe or a device"), "{error}");
        }
    }
}

/// The built-in weights of mini_XCEPTION, those of each layer a million times as large.
fn large_weights() -> Weights {
    let weights = Weights::built_in("mini_xception").unwrap();
    let metadata: Metadata = weights.metadata().clone();
    let mut tensors: WeightTensors = weights.tensors().clone();
    for (name, tensor) in &mut tensors {
        if name.ends_with("weight") {
            tensor.values.iter_mut().for_each(|value| *value *= 1e6);
        }
    }
    Weights::new("large", metadata, tensors).unwrap()
}

#[test]
fn weights_that_are_too_large_to_compute_with_are_refused() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.safetensors");
    large_weights().save(&file).unwrap();
    let element = gst::ElementFactory::make("emotionclassify")
        .property("model-location", file.to_str().unwrap())
        .build()
        .unwrap();
    let error = error_at_start(&element);
    assert!(error.contains("too large to compute with"), "{error}");

    // While playing, the old ones stay.
    let (info, mut buffer) = portrait(VideoFormat::Gray8);
    VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", (175, 70, 120, 120));
    let mut h = harness("emotionclassify", &info);
    let element = h.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    element.set_property("model-location", file.to_str().unwrap());
    let warning = bus
        .timed_pop_filtered(
            gst::ClockTime::from_seconds(60),
            &[gst::MessageType::Warning],
        )
        .expect("a warning");
    let gst::MessageView::Warning(warning) = warning.view() else {
        unreachable!()
    };
    let text = warning.error().to_string();
    assert!(text.contains("residual_xception goes on"), "{text}");
    let out = h.push_and_pull(buffer).unwrap();
    assert!(faces(&out)[0].emotion.is_some());
}

#[test]
fn mutated_weights_are_refused_or_give_probabilities() {
    init();
    let original = std::fs::read(repository("models/weights/mini_xception.safetensors")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mutated.safetensors");
    let (info, mut picture) = portrait(VideoFormat::Gray8);
    VideoRegionOfInterestMeta::add(picture.make_mut(), "face", (175, 70, 120, 120));
    assign_ids(picture.make_mut(), "face");
    let mut refused = 0;
    for seed in 0..300 {
        let mut random = random(seed);
        let mut bytes = original.clone();
        for _ in 0..=random(20) {
            // Every third change is in the header.
            let end = if random(3) == 0 { 4000 } else { bytes.len() };
            let place = random(end);
            bytes[place] = random(256) as u8;
        }
        if seed % 10 == 0 {
            bytes.truncate(random(bytes.len()));
        }
        std::fs::write(&file, bytes).unwrap();
        let element = gst::ElementFactory::make("emotionclassify")
            .property("model-location", file.to_str().unwrap())
            .build()
            .unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        if element.set_state(gst::State::Paused).is_err() {
            let error = next_error(&bus);
            assert!(!error.contains("anic"), "seed {seed}: {error}");
            refused += 1;
            element.set_state(gst::State::Null).unwrap();
            continue;
        }
        let mut h = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
        h.set_src_caps(info.to_caps().unwrap());
        match h.push_and_pull(picture.clone()) {
            Ok(out) => {
                let emotion = faces(&out)[0].emotion.clone().unwrap();
                let sum: f64 = emotion.probabilities.iter().sum();
                assert!((sum - 1.0).abs() < 1e-3, "seed {seed}: {emotion:?}");
            }
            Err(_) => {
                let error = next_error(&bus);
                assert!(
                    error.contains("too large to compute with"),
                    "seed {seed}: {error}"
                );
            }
        }
        drop(h);
        element.set_state(gst::State::Null).unwrap();
    }
    assert!((10..300).contains(&refused), "{refused} of 300");
}

#[test]
fn a_label_of_two_thousand_letters_is_cut_short() {
    init();
    let (info, mut buffer) = portrait(VideoFormat::I420);
    VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", (175, 150, 120, 120));
    let before = bytes(&buffer);
    for name in ["m".repeat(2000), "m ".repeat(1000), "漢".repeat(2000)] {
        let labels: Vec<String> = LABELS
            .map(|label| format!("{label}={name}{label}"))
            .to_vec();
        let line = format!(
            "emotionclassify threshold=0 labels=\"{}\" ! emotionoverlay bars=all summary=true ids=true timeline=true",
            labels.join(",")
        );
        let out = harness(&line, &info)
            .push_and_pull(at(buffer.clone(), 0))
            .unwrap();
        assert_ne!(bytes(&out), before);
        let label = faces(&out)[0].emotion.clone().unwrap().label;
        assert!(label.starts_with(&name), "the metadata keep all of it");
    }
}

#[test]
fn of_a_hundred_thousand_regions_the_largest_are_classified_and_drawn() {
    init();
    let (info, mut buffer) = blank(VideoFormat::Gray8, 1280, 720);
    let buffer_mut = buffer.make_mut();
    for i in 0..100_000 {
        let (x, y) = (i % 1200, i / 1200 * 8);
        let side = if i < 600 { 40 } else { 8 };
        VideoRegionOfInterestMeta::add(buffer_mut, "face", (x, y, side, side));
    }
    let line = "emotionclassify model=mini_xception ! emotionoverlay privacy=fill privacy-missing=show \
                ! emotionpublish location=/dev/null";
    let mut h = harness(line, &info);

    for ms in [0, 40] {
        let out = h.push_and_pull(at(buffer.clone(), ms)).unwrap();
        let found = faces(&out);
        assert_eq!(found.len(), 100_000);
        let classified = found.iter().filter(|face| face.emotion.is_some());
        let widths: Vec<u32> = classified.map(|face| face.width).collect();
        assert_eq!(widths, [40; MAX_FACES]);
    }
}

#[test]
fn statistics_do_not_wait_for_a_reader_of_records() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // Opened for both, the pipe has a reader that reads nothing.
    let reader = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    let (info, buffer) = blank(VideoFormat::Gray8, 64, 64);
    let line = format!("emotionpublish location={}", pipe.display());
    let mut h = harness(&line, &info);
    let element = h.element().unwrap();
    let stream = std::thread::spawn(move || {
        // More than a pipe holds.
        for ms in 0..2000 {
            h.push_and_pull(at(buffer.clone(), ms)).unwrap();
        }
        h
    });
    // Until nothing moves any more.
    let mut last = u64::MAX;
    while std::mem::replace(&mut last, stat(&element, "analysed")) != last || last == 0 {
        std::thread::yield_now();
    }
    assert!(last < 2000);
    let mut reader = std::io::BufReader::new(reader);
    let mut lines = 0;
    while lines < 2000 {
        std::io::BufRead::read_line(&mut reader, &mut String::new()).unwrap();
        lines += 1;
    }
    drop(stream.join().unwrap());
    assert_eq!(stat(&element, "analysed"), 2000);
}
