//! `emotionclassify` over several frames of a face: intervals, quality, names of labels, messages, and a change of weights while
//! playing.

use crate::common::*;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo, VideoRegionOfInterestMeta};
use gstemotion::face::{EmotionResult, assign_ids, faces, set_object_id};

type Rect = (u32, u32, u32, u32);

/// The face of the portrait.
const FACE: Rect = (175, 70, 120, 120);

/// Another part of the portrait, which looks different.
const NO_FACE: Rect = (300, 300, 100, 80);

/// An element with a bus, fed with the portrait.
struct Stream {
    harness: gst_check::Harness,
    element: gst::Element,
    bus: gst::Bus,
    portrait: gst::Buffer,
}

impl Stream {
    fn new(line: &str) -> Self {
        let (info, portrait) = portrait(VideoFormat::Gray8);
        Self::of(line, &info, portrait)
    }

    fn of(line: &str, info: &VideoInfo, portrait: gst::Buffer) -> Self {
        let harness = harness(line, info);
        let element = harness.element().unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        Self {
            harness,
            element,
            bus,
            portrait,
        }
    }

    /// The emotions of the faces of a frame `ms` after the start, each face with its track.
    fn push(&mut self, ms: u64, tracked: &[(i32, Rect)]) -> Vec<EmotionResult> {
        let mut buffer = at(self.portrait.clone(), ms);
        let buffer_mut = buffer.make_mut();
        for (_, rect) in tracked {
            VideoRegionOfInterestMeta::add(buffer_mut, "face", *rect);
        }
        assign_ids(buffer_mut, "face");
        for (roi_id, (track, _)) in (1..).zip(tracked) {
            assert!(set_object_id(buffer_mut, roi_id, *track));
        }
        let out = self.harness.push_and_pull(buffer).unwrap();
        let found = faces(&out).into_iter();
        found.filter_map(|face| face.emotion).collect()
    }

    fn push_one(&mut self, ms: u64, rect: Rect) -> EmotionResult {
        self.push(ms, &[(1, rect)]).remove(0)
    }

    /// The text of the next warning; frames go on meanwhile, from `ms` on.
    fn warning(&mut self, mut ms: u64) -> String {
        for _ in 0..600 {
            let timeout = gst::ClockTime::from_mseconds(100);
            let message = self
                .bus
                .timed_pop_filtered(timeout, &[gst::MessageType::Warning]);
            if let Some(gst::MessageView::Warning(warning)) = message.as_ref().map(|m| m.view()) {
                return warning.error().to_string();
            }
            ms += 40;
            self.push_one(ms, FACE);
        }
        panic!("no warning");
    }

    fn messages(&self) -> Vec<gst::Structure> {
        let mut messages = Vec::new();
        while let Some(message) = self.bus.pop_filtered(&[gst::MessageType::Element]) {
            messages.extend(message.structure().map(ToOwned::to_owned));
        }
        messages
    }
}

/// Whether the network ran on this frame.
fn is_fresh(emotion: &EmotionResult) -> bool {
    emotion.raw.is_some()
}

#[test]
fn each_track_is_classified_at_its_interval_and_keeps_its_emotion_between() {
    for interval in ["3", "120ms"] {
        let mut stream = Stream::new(&format!("emotionclassify classify-interval={interval}"));
        let mut fresh = Vec::new();
        for frame in 0..6 {
            // The second face comes a frame later.
            let tracked = [(1, FACE), (2, FACE)];
            let found = stream.push(40 * frame, &tracked[..if frame == 0 { 1 } else { 2 }]);
            assert!(found.iter().all(|emotion| !emotion.label.is_empty()));
            fresh.push(found.iter().map(is_fresh).collect::<Vec<_>>());
        }
        let expected = [
            &[true][..],
            &[false, true],
            &[false, false],
            &[true, false],
            &[false, true],
            &[false, false],
        ];
        assert_eq!(fresh, expected, "{interval}");
        assert_eq!(stat(&stream.element, "classified"), 4);
    }
}

#[test]
fn a_face_that_looks_different_is_classified_before_its_interval_is_over() {
    let mut stream = Stream::new("emotionclassify classify-interval=10s");
    assert!(is_fresh(&stream.push_one(0, FACE)));
    assert!(!is_fresh(&stream.push_one(40, FACE)));
    assert!(is_fresh(&stream.push_one(80, NO_FACE)));
}

#[test]
fn without_time_stamps_every_frame_is_classified() {
    let mut stream = Stream::new("emotionclassify classify-interval=10");
    stream.portrait.make_mut().set_pts(gst::ClockTime::NONE);
    for _ in 0..3 {
        let mut buffer = stream.portrait.clone();
        VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", FACE);
        let out = stream.harness.push_and_pull(buffer).unwrap();
        assert!(is_fresh(faces(&out)[0].emotion.as_ref().unwrap()));
    }
}

#[test]
fn impossible_texts_are_refused_at_start_and_change_nothing_while_playing() {
    init();
    for (name, text, part) in [
        ("classify-interval", "often", "\"often\""),
        ("labels", "happy", "OLD=NEW"),
    ] {
        let element = gst::ElementFactory::make("emotionclassify")
            .property(name, text)
            .build()
            .unwrap();
        assert!(error_at_start(&element).contains(part));

        let mut stream = Stream::new("emotionclassify classify-interval=2 labels=happy=Freude");
        stream.element.set_property(name, text);
        let warning = stream.warning(0);
        assert!(warning.contains(part), "{warning}");
        assert_ne!(stream.element.property::<String>(name), text);
        let found = [10_000, 10_040].map(|ms| stream.push_one(ms, FACE));
        assert!(found[1].labels.contains(&"Freude".into()));
        assert_eq!(found.iter().filter(|emotion| is_fresh(emotion)).count(), 1);
    }
}

#[test]
fn a_good_crop_has_a_better_quality_than_a_small_a_cut_off_and_a_blank_one() {
    let mut stream = Stream::new("emotionclassify");
    let mut quality = |rect| stream.push_one(0, rect).quality.unwrap();
    assert!(quality(FACE) > 0.5, "{}", quality(FACE));
    for rect in [(210, 110, 14, 14), (450, 100, 120, 120)] {
        assert!(quality(rect) < 0.5, "{rect:?}");
    }
    let (info, grey) = blank(VideoFormat::Gray8, 512, 512);
    let mut stream = Stream::of("emotionclassify", &info, grey);
    assert_eq!(stream.push_one(0, FACE).quality, Some(0.0));
}

#[test]
fn what_is_seen_in_a_poor_crop_moves_the_shown_emotion_less() {
    // Twice the same frames, the second time with the other one from a region that is mostly outside.
    let moved = |other: Rect| {
        let mut stream = Stream::new("emotionclassify smoothing=mean");
        let before = stream.push_one(0, FACE);
        let after = stream.push_one(40, other);
        let raw = Stream::new("emotionclassify smoothing=none").push_one(0, other);
        let distance = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        distance(&before.probabilities, &after.probabilities)
            / distance(&before.probabilities, &raw.probabilities)
    };
    let (good, poor) = (moved((150, 60, 160, 160)), moved((460, 300, 120, 120)));
    assert!(good > 0.4 && poor < 0.2, "{good} {poor}");
}

#[test]
fn the_mirror_image_and_corrected_light_change_the_answer_while_playing() {
    let mut stream = Stream::new("emotionclassify smoothing=none classify-interval=1");
    let plain = stream.push_one(0, FACE).probabilities;
    stream.element.set_property("mirror", true);
    let mirrored = stream.push_one(40, FACE).probabilities;
    assert_ne!(mirrored, plain);
    assert!((mirrored.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    stream.element.set_property("mirror", false);
    for light in ["equalize", "clahe", "exposure"] {
        stream
            .element
            .set_property_from_str("light-correction", light);
        assert_ne!(stream.push_one(80, FACE).probabilities, plain, "{light}");
    }
    stream
        .element
        .set_property_from_str("light-correction", "none");
    assert_eq!(stream.push_one(120, FACE).probabilities, plain);
}

#[test]
fn a_face_and_its_mirror_image_get_the_same_with_mirror() {
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let mut pixels = bytes(&buffer);
    let stride = info.stride()[0] as usize;
    pixels
        .chunks_exact_mut(stride)
        .for_each(|row| row[..512].reverse());
    let flipped = gst::Buffer::from_slice(pixels);
    let line = "emotionclassify smoothing=none mirror=true";
    let one = Stream::of(line, &info, buffer).push_one(0, FACE);
    let rect = (512 - FACE.0 - FACE.2, FACE.1, FACE.2, FACE.3);
    let other = Stream::of(line, &info, flipped).push_one(0, rect);
    for (a, b) in one.probabilities.iter().zip(&other.probabilities) {
        assert!((a - b).abs() < 1e-3, "{one:?} {other:?}");
    }
}

#[test]
fn labels_are_renamed_and_grouped_while_playing_and_valence_stays() {
    let mut stream = Stream::new("emotionclassify smoothing=none threshold=0");
    let plain = stream.push_one(0, FACE);
    stream.element.set_property(
        "labels",
        "happy=Freude,angry+disgust+fear+sad=negative,surprise=Ü",
    );
    let grouped = stream.push_one(40, FACE);
    assert_eq!(grouped.labels, ["negative", "Freude", "Ü", "neutral"]);
    let p = &plain.probabilities;
    let negative = p[0] + p[1] + p[2] + p[4];
    assert!((grouped.probabilities[0] - negative).abs() < 1e-9);
    assert!((grouped.valence.unwrap() - plain.valence.unwrap()).abs() < 1e-9);
    assert_eq!(grouped.labels[grouped.label_id], grouped.label);

    stream.element.set_property("labels", "joy=Freude");
    let warning = stream.warning(80);
    assert!(warning.contains("know no joy, only angry"), "{warning}");
}

#[test]
fn each_change_of_a_label_posts_a_message_with_its_face_and_time() {
    let mut stream = Stream::new("emotionclassify smoothing=none threshold=0 post-messages=change");
    let first = stream.push(0, &[(7, FACE)]).remove(0);
    stream.push(40, &[(7, FACE)]);
    let messages = stream.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0].name(), "emotion-changed");
    assert_eq!(messages[0].get::<i32>("id"), Ok(7));
    assert!(!messages[0].has_field("old-emotion"), "the face is new");
    assert_eq!(
        messages[0].get::<String>("new-emotion"),
        Ok(first.label.clone())
    );

    stream
        .element
        .set_property("labels", format!("{}=Laune", first.label));
    let second = stream.push(80, &[(7, FACE)]).remove(0);
    let messages = stream.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0].get::<String>("old-emotion"), Ok(first.label));
    assert_eq!(messages[0].get::<String>("new-emotion"), Ok("Laune".into()));
    assert_eq!(messages[0].get::<bool>("uncertain"), Ok(false));
    assert_eq!(messages[0].get::<f64>("confidence"), Ok(second.confidence));
    let time = gst::ClockTime::from_mseconds(80);
    assert_eq!(messages[0].get::<gst::ClockTime>("stream-time"), Ok(time));
    assert_eq!(messages[0].get::<gst::ClockTime>("running-time"), Ok(time));
}

#[test]
fn messages_come_for_every_frame_or_not_at_all_as_asked() {
    let mut stream = Stream::new("emotionclassify");
    stream.push_one(0, FACE);
    assert!(stream.messages().is_empty());

    stream
        .element
        .set_property_from_str("post-messages", "frame");
    stream.push(40, &[(1, FACE), (2, NO_FACE)]);
    let messages = stream.messages();
    assert_eq!(messages.len(), 2, "one of the new face, one of the frame");
    assert_eq!(messages[1].name(), "emotions");
    assert_eq!(messages[1].get::<u32>("count"), Ok(2));
    let faces = messages[1].get::<gst::Array>("faces").unwrap();
    let id = |value: &gst::glib::SendValue| {
        let face = value.get::<gst::Structure>().unwrap();
        (face.get::<i32>("id").unwrap(), face.has_field("confidence"))
    };
    let ids: Vec<_> = faces.iter().map(id).collect();
    assert_eq!(ids, [(1, true), (2, true)]);
}

#[test]
fn notify_is_the_deprecated_name_of_post_messages() {
    let mut stream = Stream::new("emotionclassify notify=frame");
    stream.push_one(0, FACE);
    assert_eq!(stream.messages().len(), 2);
    let value = stream.element.property_value("post-messages");
    let (_, value) = gst::glib::EnumValue::from_value(&value).unwrap();
    assert_eq!(value.nick(), "frame");
    let spec = stream.element.find_property("notify").unwrap();
    assert!(spec.flags().contains(gst::glib::ParamFlags::DEPRECATED));
}

/// Built-in weights as a file, called `name` in their metadata.
fn write_weights(path: &std::path::Path, name: &str) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/weights");
    std::fs::copy(folder.join(name).with_extension("safetensors"), path).unwrap();
}

#[test]
fn the_model_changes_on_the_next_frame_and_no_frame_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.safetensors");
    write_weights(&file, "mini_xception");
    let mut stream = Stream::new("emotionclassify classify-interval=100");
    assert_eq!(stream.push_one(0, FACE).model_name, "residual_xception");

    stream.element.set_property("model", "mini_xception");
    let other = stream.push_one(40, FACE);
    assert_eq!(other.model_name, "mini_xception");
    assert!(is_fresh(&other), "the old answer is no longer good");

    stream.element.set_property("model", "residual_xception");
    assert_eq!(stream.push_one(80, FACE).model_name, "residual_xception");
    stream
        .element
        .set_property("model-location", file.to_str().unwrap());
    assert_eq!(stream.push_one(120, FACE).model_name, "mini_xception");
    stream
        .element
        .set_property("model-location", None::<String>);
    assert_eq!(stream.push_one(160, FACE).model_name, "residual_xception");
    assert_eq!(stat(&stream.element, "analysed"), 5);
}

#[test]
fn where_the_new_model_cannot_be_had_the_old_one_goes_on_and_a_warning_says_why() {
    let mut stream = Stream::new("emotionclassify");
    for (name, value, part) in [
        ("model", "huge", "no built-in weights"),
        (
            "model-location",
            "/nowhere/w.safetensors",
            "/nowhere/w.safetensors",
        ),
    ] {
        stream.element.set_property(name, value);
        let warning = stream.warning(0);
        assert!(warning.contains(part), "{warning}");
        assert!(warning.contains("residual_xception goes on"), "{warning}");
        let emotion = stream.push_one(100_000, FACE);
        assert_eq!(emotion.model_name, "residual_xception");
    }
}

#[test]
fn a_model_file_that_is_replaced_is_loaded_and_rubbish_in_its_place_is_only_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.safetensors");
    write_weights(&file, "residual_xception");
    let line = format!("emotionclassify model-location={}", file.display());
    let mut stream = Stream::new(&line);
    assert_eq!(stream.push_one(0, FACE).model_name, "residual_xception");

    std::fs::write(&file, "rubbish").unwrap();
    let warning = stream.warning(0);
    assert!(warning.contains(file.to_str().unwrap()), "{warning}");
    assert!(warning.contains("residual_xception goes on"), "{warning}");

    let fresh = folder.path().join("new");
    write_weights(&fresh, "mini_xception");
    std::fs::rename(fresh, &file).unwrap();
    let timeout = gst::ClockTime::from_mseconds(100);
    let is_new = (0..600).any(|i| {
        // The element looks at the file once a second.
        stream
            .bus
            .timed_pop_filtered(timeout, &[gst::MessageType::Warning]);
        stream.push_one(100_000 + 40 * i, FACE).model_name == "mini_xception"
    });
    assert!(is_new);
}

#[test]
fn a_label_that_was_uncertain_is_named_again_only_clearly_or_long_above_the_threshold() {
    let named_after = |above: f64| {
        let mut stream = Stream::new("emotionclassify threshold=1.0 classify-interval=1");
        let first = stream.push_one(0, FACE);
        assert!(first.is_uncertain());
        let threshold = first.confidence - above;
        stream.element.set_property("threshold", threshold);
        let mut frames = (40..2000).step_by(40);
        frames.find(|&ms| !stream.push_one(ms, FACE).is_uncertain())
    };
    assert_eq!(named_after(0.01), None, "it would take four seconds");
    assert!(named_after(0.03) > Some(1000));
    assert!(named_after(0.2) <= Some(240));
}
