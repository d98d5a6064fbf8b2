//! Faces as objects of GStreamer's analytics metadata: ours for elements of others, and theirs for ours.

use std::fs;
use std::path::PathBuf;

use crate::common::*;
use gst::glib;
use gst::prelude::*;
use gst_analytics::prelude::*;
use gst_analytics::{
    AnalyticsClassificationMtd, AnalyticsODMtd, AnalyticsRelationMeta, AnalyticsTrackingMtd,
    RelTypes,
};
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::{Face, UNCERTAIN, faces};

/// The face of the portrait: left and upper edge, width and height.
const ASTRONAUT: [i32; 4] = [180, 70, 110, 110];

/// Passes the frame on with what a tensor decoder of GStreamer and its tracker add to it for each object.
fn detected_by_others(mut buffer: gst::Buffer, objects: &[(&str, [i32; 4])]) -> gst::Buffer {
    let pts = buffer.pts().unwrap_or_default();
    let mut meta = AnalyticsRelationMeta::add(buffer.make_mut());
    for (track, (object_type, [x, y, width, height])) in (40..).zip(objects) {
        let quark = glib::Quark::from_str(*object_type);
        let object = meta.add_od_mtd(quark, *x, *y, *width, *height, 0.8);
        let object = object.unwrap().id();
        let track = meta.add_tracking_mtd(track, pts).unwrap().id();
        meta.set_relation(RelTypes::RELATE_TO, object, track)
            .unwrap();
    }
    buffer
}

/// Box, type, and classes with their levels.
type ObjectOfOthers = ([i32; 4], String, Vec<(String, f32)>);

/// The objects as an element of GStreamer finds them.
fn read_by_others(buffer: &gst::Buffer) -> Vec<ObjectOfOthers> {
    let meta = buffer.meta::<AnalyticsRelationMeta>().unwrap();
    meta.iter::<AnalyticsODMtd>()
        .map(|object| {
            let at = object.location().unwrap();
            let mut classes = meta.iter_direct_related::<AnalyticsClassificationMtd>(
                object.id(),
                RelTypes::RELATE_TO,
            );
            let classes = classes.next().map_or_else(Vec::new, |classes| {
                let classes = classes.iterate();
                classes
                    .map(|(name, level)| (name.as_str().to_string(), level))
                    .collect()
            });
            let object_type = object.obj_type().unwrap().as_str().to_string();
            ([at.x, at.y, at.w, at.h], object_type, classes)
        })
        .collect()
}

fn rect(face: &Face) -> [i32; 4] {
    [face.x, face.y, face.width as i32, face.height as i32]
}

#[test]
fn detected_and_classified_faces_are_objects_with_tracks_and_seven_shares() {
    let (info, buffer) = portrait(VideoFormat::I420);
    let mut h = harness("emotionfacedetect ! emotionclassify", &info);
    let out = h.push_and_pull(at(buffer, 0)).unwrap();
    let face = &faces(&out)[0];
    let emotion = face.emotion.as_ref().unwrap();

    let objects = read_by_others(&out);
    assert_eq!(objects.len(), 1);
    let (place, object_type, classes) = &objects[0];
    assert_eq!((*place, &**object_type), (rect(face), "face"));
    assert_eq!(
        classes[0],
        (emotion.label.clone(), emotion.confidence as f32)
    );
    let seven: Vec<&str> = LABELS.to_vec();
    let named = classes.iter().map(|(name, _)| name.as_str());
    let mut named: Vec<&str> = named.filter(|name| *name != UNCERTAIN).collect();
    named.sort_by_key(|name| seven.iter().position(|label| label == name));
    assert_eq!(named, seven);
    for (label, probability) in emotion.labels.iter().zip(&emotion.probabilities) {
        let class = classes.iter().find(|(name, _)| name == label).unwrap();
        assert_eq!(class.1, *probability as f32, "{label}");
    }
    let meta = out.meta::<AnalyticsRelationMeta>().unwrap();
    let track = meta.iter::<AnalyticsTrackingMtd>().next().unwrap().info();
    assert_eq!((track.0, track.3), (face.object_id.unwrap() as u64, false));
}

#[test]
fn an_uncertain_emotion_is_a_class_of_its_own_before_the_seven() {
    let (info, buffer) = portrait(VideoFormat::I420);
    let mut h = harness("emotionfacedetect ! emotionclassify threshold=1", &info);
    let out = h.push_and_pull(at(buffer, 0)).unwrap();
    let (_, _, classes) = &read_by_others(&out)[0];
    assert_eq!(classes[0].0, UNCERTAIN);
    let best = classes[1..].iter().map(|class| class.1).fold(0.0, f32::max);
    assert_eq!((classes.len(), classes[0].1), (8, best));
}

#[test]
fn faces_of_another_detector_are_classified_drawn_and_recorded() {
    let (info, buffer) = portrait(VideoFormat::I420);
    let people = [("person", [100, 40, 300, 400]), ("face", ASTRONAUT)];
    let buffer = detected_by_others(at(buffer, 0), &people);
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("faces.jsonl");
    let line = format!(
        "emotionclassify ! emotionpublish location={} ! emotionoverlay",
        records.display()
    );
    let mut h = harness(&line, &info);
    let out = h.push_and_pull(buffer.clone()).unwrap();

    let found = faces(&out);
    assert_eq!(found.len(), 1);
    assert_eq!((rect(&found[0]), found[0].object_id), (ASTRONAUT, Some(41)));
    let emotion = found[0].emotion.as_ref().unwrap();
    assert_eq!(emotion.labels, LABELS);
    // The same answer as about a region at this place.
    let (_, mut of_region) = portrait(VideoFormat::I420);
    let [x, y, width, height] = ASTRONAUT.map(|side| side as u32);
    gst_video::VideoRegionOfInterestMeta::add(of_region.make_mut(), "face", (x, y, width, height));
    let out_of_region = harness("emotionclassify", &info)
        .push_and_pull(at(of_region, 0))
        .unwrap();
    let of_region = faces(&out_of_region)[0].emotion.clone().unwrap();
    assert_eq!(emotion.probabilities, of_region.probabilities);

    let objects = read_by_others(&out);
    assert_eq!(objects.len(), 2, "their objects stay, and none is doubled");
    assert_eq!(objects[0].2, []);
    assert_eq!(objects[1].2[0].0, emotion.label);
    assert_ne!(bytes(&out), bytes(&buffer), "the overlay draws");
    h.push_event(gst::event::Eos::new());
    drop(h);
    let record: serde_json::Value =
        serde_json::from_str(fs::read_to_string(&records).unwrap().trim()).unwrap();
    assert_eq!(record["faces"][0]["id"], 41);
    assert_eq!(record["faces"][0]["emotion"], emotion.label);
    assert_eq!(record["faces"][0]["box"]["x"], 180);
}

#[test]
fn overlay_and_records_read_objects_and_their_emotions_without_a_classifier() {
    let (info, buffer) = portrait(VideoFormat::I420);
    let mut h = harness("emotionfacedetect ! emotionclassify", &info);
    let ours = h.push_and_pull(at(buffer, 0)).unwrap();
    let emotion = faces(&ours)[0].emotion.clone().unwrap();
    let objects = read_by_others(&ours);
    // What is left where only GStreamer's metadata travels on.
    let mut theirs = at(gst::Buffer::from_slice(bytes(&ours)), 0);
    let mut meta = AnalyticsRelationMeta::add(theirs.make_mut());
    for ([x, y, width, height], object_type, classes) in objects {
        let quark = glib::Quark::from_str(object_type);
        let object = meta
            .add_od_mtd(quark, x, y, width, height, 0.9)
            .unwrap()
            .id();
        let (names, levels): (Vec<_>, Vec<_>) = classes
            .into_iter()
            .map(|(name, level)| (glib::Quark::from_str(name), level))
            .unzip();
        let classes = meta.add_cls_mtd(&levels, &names).unwrap().id();
        meta.set_relation(RelTypes::RELATE_TO, object, classes)
            .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let line = format!(
        "emotionoverlay ! emotionpublish location={}",
        path.display()
    );
    let mut h = harness(&line, &info);
    let drawn = h.push_and_pull(theirs).unwrap();
    let ours = harness("emotionoverlay", &info)
        .push_and_pull(ours)
        .unwrap();
    assert_eq!(bytes(&drawn), bytes(&ours), "the same is drawn");
    h.push_event(gst::event::Eos::new());
    drop(h);
    let record: serde_json::Value =
        serde_json::from_str(fs::read_to_string(&path).unwrap().trim()).unwrap();
    assert_eq!(record["faces"][0]["emotion"], emotion.label);
}

#[test]
fn face_types_choose_the_objects_that_are_classified() {
    let (info, buffer) = portrait(VideoFormat::I420);
    let buffer = detected_by_others(
        at(buffer, 0),
        &[("Head", ASTRONAUT), ("face", [0, 0, 50, 50])],
    );
    for (types, expected) in [("face", [0, 0, 50, 50]), ("person,head", ASTRONAUT)] {
        let line = format!("emotionclassify face-types={types}");
        let out = harness(&line, &info).push_and_pull(buffer.clone()).unwrap();
        let found: Vec<_> = faces(&out).iter().map(rect).collect();
        assert_eq!(found, [expected], "{types}");
    }
    let element = gst::ElementFactory::make("emotionclassify")
        .build()
        .unwrap();
    for name in ["emotionclassify", "emotionoverlay", "emotionpublish"] {
        let other = gst::ElementFactory::make(name).build().unwrap();
        assert_eq!(other.property::<String>("face-types"), "face");
    }
    element.set_property("face-types", " person , head,, ");
    assert_eq!(element.property::<String>("face-types"), "person,head");
    element.set_property("face-types", None::<String>);
    assert_eq!(element.property::<String>("face-types"), "face");
}

#[test]
fn privacy_hides_objects_where_a_mark_of_facedetect_is_not_asked_for() {
    let (info, buffer) = portrait(VideoFormat::I420);
    let line =
        "emotionoverlay boxes=false labels=false bars=none privacy=fill privacy-missing=show";
    let seen = detected_by_others(at(buffer.clone(), 0), &[("face", ASTRONAUT)]);
    let hidden = harness(line, &info).push_and_pull(seen).unwrap();
    let shown = harness(line, &info).push_and_pull(at(buffer, 0)).unwrap();
    assert!(found(&hidden, &info).is_empty());
    assert_eq!(found(&shown, &info).len(), 1);
}

fn found(picture: &gst::Buffer, info: &VideoInfo) -> Vec<Face> {
    let bare = gst::Buffer::from_slice(bytes(picture));
    let mut detector = harness("emotionfacedetect tracking=false", info);
    faces(&detector.push_and_pull(at(bare, 0)).unwrap())
}

/// Where the elements of others are tested, they are there: tools/test-debian.sh.
mod lines {
    use super::*;

    /// The folder that keeps what the lines give, if somebody wants to look at it.
    fn keep(name: &str, content: &[u8]) {
        if let Some(folder) = std::env::var_os("EMOTION_KEEP_DRAWN") {
            fs::write(PathBuf::from(folder).join(name), content).unwrap();
        }
    }

    /// The pixels of the luma that differ, as x and y.
    fn changed(a: &gst::Buffer, b: &gst::Buffer, info: &VideoInfo) -> Vec<(i32, i32)> {
        let stride = info.stride()[0];
        let (a, b) = (bytes(a), bytes(b));
        let pixels = a
            .iter()
            .zip(&b)
            .take((stride as u32 * info.height()) as usize);
        let pixels = pixels.zip(0..).filter(|((a, b), _)| a.abs_diff(**b) > 20);
        pixels.map(|(_, i)| (i % stride, i / stride)).collect()
    }

    #[test]
    #[ignore = "needs GStreamer's objectdetectionoverlay"]
    fn objectdetectionoverlay_draws_our_faces_and_labels_and_nothing_once_they_are_gone() {
        let (info, buffer) = portrait(VideoFormat::I420);
        let mut h = harness(
            "emotionfacedetect tracking=false ! emotionclassify ! objectdetectionoverlay",
            &info,
        );
        let drawn = h.push_and_pull(at(buffer.clone(), 0)).unwrap();
        let face = faces(&drawn)[0].clone();
        keep("objectdetectionoverlay.i420", &bytes(&drawn));
        let [left, top, width, height] = rect(&face);
        let changed_pixels = changed(&drawn, &buffer, &info);
        // Three of four pixels of each edge: its colour may be like the picture's.
        let at_edge = |x0: i32, y0: i32, dx: i32, dy: i32, length: i32| {
            let hits = (0..length).filter(|i| {
                changed_pixels
                    .iter()
                    .any(|(x, y)| (x - (x0 + dx * i)).abs() <= 1 && (y - (y0 + dy * i)).abs() <= 1)
            });
            assert!(4 * hits.count() as i32 > 3 * length, "edge at {x0},{y0}");
        };
        at_edge(left, top, 1, 0, width);
        at_edge(left, top + height, 1, 0, width);
        at_edge(left, top, 0, 1, height);
        at_edge(left + width, top, 0, 1, height);
        // The label stands above the box.
        let label = changed_pixels.iter().filter(|(_, y)| *y < top - 3).count();
        assert!(label > 50, "{label} pixels");

        let (_, nobody) = blank(VideoFormat::I420, info.width(), info.height());
        let out = h.push_and_pull(at(nobody.clone(), 40)).unwrap();
        assert_eq!(changed(&out, &nobody, &info), []);
    }

    /// The XML that relationmeta2onvifmeta has added.
    fn onvif(buffer: &gst::Buffer) -> String {
        let meta = gst::meta::CustomMeta::from_buffer(buffer, "OnvifXMLFrameMeta").unwrap();
        let frames = meta.structure().get::<gst::BufferList>("frames").unwrap();
        let xml = bytes(&frames.get_owned(0).unwrap());
        String::from_utf8(xml).unwrap()
    }

    #[test]
    #[ignore = "needs relationmeta2onvifmeta of gst-plugin-analytics"]
    fn relationmeta2onvifmeta_gives_onvif_with_our_boxes_and_type() {
        let (info, buffer) = portrait(VideoFormat::I420);
        let line =
            "emotionfacedetect ! emotionclassify ! relationmeta2onvifmeta time-source=running-time";
        let out = harness(line, &info).push_and_pull(at(buffer, 0)).unwrap();
        let xml = onvif(&out);
        keep("onvif.xml", xml.as_bytes());
        let [left, top, width, height] = rect(&faces(&out)[0]);
        let attribute = |name: &str| -> i32 {
            let (_, rest) = xml.split_once(&format!(" {name}=\"")).unwrap();
            rest.split_once('"').unwrap().0.parse().unwrap()
        };
        let place = ["left", "top", "right", "bottom"].map(attribute);
        assert_eq!(place, [left, top, left + width, top + height]);
        assert!(xml.contains(">face</tt:Type>"), "{xml}");
    }

    #[test]
    #[ignore = "needs relationmeta2onvifmeta and onvifmeta2relationmeta of gst-plugin-analytics"]
    fn faces_that_an_onvif_camera_has_found_are_classified() {
        let (info, buffer) = portrait(VideoFormat::I420);
        let seen = detected_by_others(at(buffer, 0), &[("face", ASTRONAUT)]);
        let camera = "relationmeta2onvifmeta time-source=running-time";
        let sent = harness(camera, &info).push_and_pull(seen).unwrap();
        // Only picture and XML come over the network.
        let mut received = at(gst::Buffer::from_slice(bytes(&sent)), 0);
        let xml = gst::Buffer::from_slice(onvif(&sent).into_bytes());
        let meta = gst::meta::CustomMeta::add(received.make_mut(), "OnvifXMLFrameMeta");
        let list: gst::BufferList = std::iter::once(xml).collect();
        meta.unwrap().mut_structure().set("frames", list);
        let mut h = harness("onvifmeta2relationmeta ! emotionclassify", &info);
        let found = faces(&h.push_and_pull(received).unwrap());
        assert_eq!(found.iter().map(rect).collect::<Vec<_>>(), [ASTRONAUT]);
        assert_eq!(found[0].emotion.as_ref().unwrap().labels, LABELS);
    }
}
