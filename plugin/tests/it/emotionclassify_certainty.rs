//! `emotionclassify`: what is uncertain, what is classified again, and faces whose neutral expression is known. On weights whose
//! answers are known.

use std::path::PathBuf;

use crate::common::*;
use emotion_tests::weights::ConstantAnswer;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstemotion::face::{EmotionResult, UNCERTAIN, assign_ids, faces, set_object_id};

/// The face of the portrait.
const FACE: (u32, u32, u32, u32) = (175, 70, 120, 120);

/// A part of the portrait that looks different.
const NO_FACE: (u32, u32, u32, u32) = (300, 300, 100, 80);

/// An element with these weights, fed with the portrait.
struct Stream {
    folder: tempfile::TempDir,
    harness: gst_check::Harness,
    element: gst::Element,
    bus: gst::Bus,
    portrait: gst::Buffer,
}

impl Stream {
    fn new(answer: &ConstantAnswer, properties: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        answer.weights().save(&path).unwrap();
        let (info, portrait) = portrait(VideoFormat::Gray8);
        let line = format!(
            "emotionclassify model-location={} {properties}",
            path.display()
        );
        let harness = harness(&line, &info);
        let element = harness.element().unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        Self {
            folder,
            harness,
            element,
            bus,
            portrait,
        }
    }

    /// The emotion of the face of the track 7 on a frame `ms` after the start.
    fn push(&mut self, ms: u64, rect: (u32, u32, u32, u32)) -> EmotionResult {
        let mut buffer = at(self.portrait.clone(), ms);
        let buffer_mut = buffer.make_mut();
        VideoRegionOfInterestMeta::add(buffer_mut, "face", rect);
        assign_ids(buffer_mut, "face");
        assert!(set_object_id(buffer_mut, 1, 7));
        let out = self.harness.push_and_pull(buffer).unwrap();
        faces(&out)[0].emotion.clone().unwrap()
    }

    /// Weights with this answer in a file of their own.
    fn file(&self, answer: &ConstantAnswer) -> PathBuf {
        let path = self.folder.path().join(answer.name);
        answer.weights().save(&path).unwrap();
        path
    }

    fn messages(&self) -> Vec<gst::Structure> {
        let messages = std::iter::from_fn(|| self.bus.pop_filtered(&[gst::MessageType::Element]));
        messages
            .filter_map(|message| message.structure().map(ToOwned::to_owned))
            .collect()
    }

    fn learn_baseline(&self, id: i32) -> bool {
        self.element.emit_by_name("learn-baseline", &[&id])
    }

    fn stat<T: for<'a> gst::glib::value::FromValue<'a> + 'static>(&self, name: &str) -> T {
        let stats = self.element.property::<gst::Structure>("stats");
        stats.get(name).unwrap()
    }
}

fn with_threshold(threshold: f32) -> ConstantAnswer {
    ConstantAnswer {
        threshold: Some(threshold),
        ..ConstantAnswer::default()
    }
}

#[test]
fn by_default_the_threshold_is_that_of_the_weights_and_changes_with_them() {
    let mut stream = Stream::new(&with_threshold(0.7), "");
    assert_eq!(stream.element.property::<f64>("threshold"), -1.0);
    let emotion = stream.push(0, FACE);
    assert!(emotion.is_uncertain());
    assert_eq!(
        (emotion.threshold, stream.stat("threshold")),
        (Some(0.7), 0.7)
    );
    assert_eq!(emotion.weights_id, stream.stat::<String>("weights-id"));

    let tolerant = ConstantAnswer {
        name: "tolerant",
        ..with_threshold(0.3)
    };
    let file = stream.file(&tolerant);
    stream.element.set_property("model-location", file.to_str());
    let emotion = stream.push(40, FACE);
    assert_eq!(
        (&*emotion.label, &*emotion.model_name),
        ("happy", "tolerant")
    );
    assert_eq!(
        (emotion.threshold, stream.stat("threshold")),
        (Some(0.3), 0.3)
    );
}

#[test]
fn a_threshold_of_zero_names_every_label_and_one_of_its_own_outranks_the_weights() {
    for (threshold, label) in [("0", "happy"), ("0.5", "happy"), ("0.65", UNCERTAIN)] {
        let properties = format!("threshold={threshold}");
        let mut stream = Stream::new(&with_threshold(0.9), &properties);
        assert_eq!(stream.push(0, FACE).label, label, "{threshold}");
    }
    // A crop that is mostly outside the picture.
    let mut stream = Stream::new(&with_threshold(0.3), "");
    let poor = stream.push(0, (480, 300, 120, 120));
    assert!(poor.quality < Some(0.25) && poor.is_uncertain(), "{poor:?}");
    let mut stream = Stream::new(&with_threshold(0.3), "threshold=0");
    assert_eq!(stream.push(0, (480, 300, 120, 120)).label, "happy");
}

#[test]
fn a_negative_threshold_other_than_minus_one_is_rejected() {
    let stream = Stream::new(&with_threshold(0.9), "threshold=0.25");
    stream.element.set_property("threshold", -0.5);
    let warning = next_warning(&stream.bus);
    assert!(
        warning.contains("-1") && warning.contains("found -0.5"),
        "{warning}"
    );
    assert_eq!(stream.element.property::<f64>("threshold"), 0.25);
    stream.element.set_property("threshold", -1.0);
    assert_eq!(stream.stat::<f64>("threshold"), 0.9, "0.9 as it is written");
}

#[test]
fn messages_say_that_a_face_is_uncertain() {
    let mut stream = Stream::new(&with_threshold(0.7), "post-messages=frame");
    stream.push(0, FACE);
    let messages = stream.messages();
    assert_eq!(
        messages[0].get::<String>("new-emotion").as_deref(),
        Ok(UNCERTAIN)
    );
    assert_eq!(messages[0].get::<bool>("uncertain"), Ok(true));
    let all = messages[1].get::<gst::Array>("faces").unwrap();
    let face = all[0].get::<gst::Structure>().unwrap();
    assert_eq!(face.get::<bool>("uncertain"), Ok(true));
    assert_eq!(face.get::<String>("emotion").as_deref(), Ok(UNCERTAIN));
}

#[test]
fn a_covered_face_is_of_poor_quality_and_uncertain() {
    let covered = |cover| {
        let answer = ConstantAnswer {
            cover: Some(cover),
            ..with_threshold(0.4)
        };
        Stream::new(&answer, "").push(0, FACE)
    };
    let (free, masked) = (covered(0.02), covered(0.95));
    assert_eq!((&*free.label, &*masked.label), ("happy", UNCERTAIN));
    let ratio = masked.quality.unwrap() / free.quality.unwrap();
    assert!((ratio - 0.05 / 0.98).abs() < 1e-3, "{ratio}");
    assert_eq!(masked.labels[masked.label_id], "happy", "the best guess");
}

#[test]
fn a_sure_face_is_classified_twice_a_second_and_one_that_looks_different_at_once() {
    let mut stream = Stream::new(&ConstantAnswer::default(), "");
    assert_eq!(
        stream.element.property::<String>("classify-interval"),
        "auto"
    );
    let frames = (0..1000).step_by(40);
    let fresh = frames.filter(|&ms| stream.push(ms, FACE).raw.is_some());
    assert_eq!(fresh.collect::<Vec<_>>(), [0, 40, 80, 600]);
    assert!(stream.push(1000, NO_FACE).raw.is_some());
}

#[test]
fn an_unsure_face_is_classified_again_at_once_and_does_not_cost_more_and_more() {
    let mut stream = Stream::new(&with_threshold(0.58), "");
    let frames = (0..10_000).step_by(40);
    let fresh: Vec<_> = frames
        .filter(|&ms| stream.push(ms, FACE).raw.is_some())
        .collect();
    assert_eq!(fresh[..6], [0, 40, 80, 160, 280, 520]);
    assert!(fresh.len() <= 26, "{fresh:?}");
}

#[test]
fn a_face_that_is_known_to_be_at_rest_becomes_neutral() {
    let mut stream = Stream::new(&ConstantAnswer::default(), "");
    assert!(!stream.learn_baseline(7), "it was not seen yet");
    stream.push(0, FACE);
    assert!(!stream.learn_baseline(8) && stream.learn_baseline(7));
    for ms in (40..1040).step_by(40) {
        let emotion = stream.push(ms, FACE);
        assert_eq!(emotion.label, "happy");
        assert!(emotion.raw.is_some(), "it is classified on each frame");
    }
    let later = (1040..2040).step_by(40).map(|ms| stream.push(ms, FACE));
    let emotion = later.last().unwrap();
    assert_eq!(emotion.label, "neutral");
    assert!((emotion.confidence - 0.6).abs() < 0.05, "{emotion:?}");
}

#[test]
fn all_faces_can_be_at_rest_at_a_moment_or_in_the_first_second() {
    for first_second in [false, true] {
        let mut stream = Stream::new(&ConstantAnswer::default(), "");
        if first_second {
            (stream.element).set_property_from_str("baseline", "first-second");
        } else {
            assert!(stream.learn_baseline(-1));
        }
        let emotions = (0..2000).step_by(40).map(|ms| stream.push(ms, FACE));
        assert_eq!(emotions.last().unwrap().label, "neutral", "{first_second}");
    }
}

#[test]
fn an_element_that_is_not_started_learns_nothing() {
    init();
    let element = gst::ElementFactory::make("emotionclassify")
        .build()
        .unwrap();
    assert!(!element.emit_by_name::<bool>("learn-baseline", &[&-1]));
}

#[test]
fn other_weights_forget_what_was_learnt() {
    let mut stream = Stream::new(&ConstantAnswer::default(), "baseline=first-second");
    let emotions = (0..2000).step_by(40).map(|ms| stream.push(ms, FACE));
    assert_eq!(emotions.last().unwrap().label, "neutral");
    let file = stream.file(&ConstantAnswer {
        name: "other",
        ..ConstantAnswer::default()
    });
    stream.element.set_property("model-location", file.to_str());
    let emotions = (2000..3000).step_by(40).map(|ms| stream.push(ms, FACE));
    assert_eq!(emotions.last().unwrap().label, "happy");
}
