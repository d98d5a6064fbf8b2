use gst::glib;
use gst_analytics::prelude::*;
use gst_analytics::{AnalyticsRelationMeta, RelTypes};
use gst_video::VideoRegionOfInterestMeta;

use super::object_link::links;
use super::*;
use crate::analytics::{self, ObjectTrack};

fn buffer() -> gst::Buffer {
    gst::init().unwrap();
    let mut buffer = gst::Buffer::new();
    buffer.make_mut().set_pts(10 * gst::ClockTime::SECOND);
    buffer
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

fn emotion(label: &str) -> EmotionResult {
    let labels = ["happy", "sad"].map(String::from).to_vec();
    let label_id = labels.iter().position(|other| other == label).unwrap();
    let mut probabilities = vec![0.25; 2];
    probabilities[label_id] = 0.75;
    EmotionResult {
        label: label.into(),
        label_id,
        confidence: 0.75,
        labels,
        probabilities,
        ..EmotionResult::default()
    }
}

/// What a tensor decoder and a tracker of GStreamer add for an object.
fn add_foreign(
    buffer: &mut gst::BufferRef,
    object_type: &str,
    [x, y, width, height]: [i32; 4],
    track: u64,
) -> u32 {
    let quark = glib::Quark::from_str(object_type);
    let mut meta = AnalyticsRelationMeta::add(buffer);
    let object = meta
        .add_od_mtd(quark, x, y, width, height, 0.5)
        .unwrap()
        .id();
    let first_seen = 8 * gst::ClockTime::SECOND;
    let track = meta.add_tracking_mtd(track, first_seen).unwrap().id();
    meta.set_relation(RelTypes::RELATE_TO, object, track)
        .unwrap();
    object
}

fn remove_regions(buffer: &mut gst::BufferRef) {
    while let Some(roi) = buffer.meta_mut::<VideoRegionOfInterestMeta>() {
        roi.remove().unwrap();
    }
}

fn boxes(faces: &[Face]) -> Vec<(i32, i32, u32, u32)> {
    let boxes = faces.iter().map(|f| (f.x, f.y, f.width, f.height));
    boxes.collect()
}

#[test]
fn each_detected_face_is_an_object_with_its_track() {
    let mut buffer = buffer();
    let tracked = TrackedFace {
        id: 7,
        region: emotion_models::preprocess::Region::new(-10.0, 20.0, 40.0, 50.0),
        confidence: 0.75,
        age: std::time::Duration::from_secs(2),
        lost: std::time::Duration::ZERO,
        landmarks: None,
    };
    let lost = TrackedFace {
        id: 8,
        lost: std::time::Duration::from_secs(1),
        ..tracked
    };
    add_tracked(buffer.make_mut(), 200, 100, &[tracked, lost]);
    let objects = analytics::objects(&buffer);
    let first = objects[0];
    assert_eq!(objects.len(), 2);
    // As the region: without what lies outside the frame.
    assert_eq!((first.object_type, first.x, first.y), (ROI_TYPE, 0, 20));
    assert_eq!((first.width, first.height), (30, 50));
    assert_eq!(first.confidence, Some(0.75));
    let ids: Vec<u32> = objects.iter().map(|object| object.id).collect();
    let tracks: Vec<_> = analytics::details(&buffer, &ids)
        .into_iter()
        .map(|details| details.track.unwrap())
        .collect();
    let seconds = |s| Some(s * gst::ClockTime::SECOND);
    assert_eq!(
        tracks,
        [(7, 10, false), (8, 9, true)].map(|(id, last, is_lost)| ObjectTrack {
            id,
            first_seen: seconds(8),
            last_seen: seconds(last),
            is_lost,
        })
    );
}

#[test]
fn candidates_are_no_objects() {
    let mut buffer = buffer();
    add_candidates(buffer.make_mut(), 200, 100, &[detected(1, 2, 3, 4)]);
    assert_eq!(analytics::objects(&buffer), []);
}

#[test]
fn a_frame_without_faces_has_empty_metadata_so_that_overlays_forget_the_last_ones() {
    let mut buffer = buffer();
    add_detected(buffer.make_mut(), 200, 100, &[]);
    assert!(buffer.meta::<AnalyticsRelationMeta>().unwrap().is_empty());
}

#[test]
fn an_emotion_is_written_to_the_object_of_its_region_and_replaced_there() {
    let mut buffer = buffer();
    let faces = [detected(0, 0, 10, 10), detected(50, 50, 20, 20)];
    let ids = add_detected(buffer.make_mut(), 200, 100, &faces);
    for label in ["happy", "sad"] {
        assert!(set_emotion(
            buffer.make_mut(),
            ids[1].unwrap(),
            &emotion(label)
        ));
        let objects = analytics::objects(&buffer);
        assert_eq!(objects.len(), 2);
        let details = analytics::details(&buffer, &[objects[0].id, objects[1].id]);
        assert_eq!(details[0].emotion, None);
        assert_eq!(details[1].emotion.as_ref().unwrap().1.label, label);
    }
}

#[test]
fn a_region_of_another_writer_gets_an_object_or_takes_the_one_with_its_box() {
    let mut buffer = buffer();
    let object = add_foreign(buffer.make_mut(), ROI_TYPE, [1, 2, 30, 40], 5);
    for (id, rect) in [(1, (1, 2, 30, 40)), (2, (100, 2, 30, 40))] {
        VideoRegionOfInterestMeta::add(buffer.make_mut(), ROI_TYPE, rect).set_id(id);
    }
    let (happy, sad) = (emotion("happy"), emotion("sad"));
    assert_eq!(set_emotions(buffer.make_mut(), [(1, &happy), (2, &sad)]), 2);
    let objects = analytics::objects(&buffer);
    let places: Vec<_> = objects.iter().map(|object| (object.id, object.x)).collect();
    assert_eq!(places[0], (object, 1));
    assert_eq!((places.len(), places[1].1), (2, 100));
    let details = analytics::details(&buffer, &[places[0].0, places[1].0]);
    let labels: Vec<_> = details
        .iter()
        .map(|details| details.emotion.as_ref().unwrap().1.label.as_str())
        .collect();
    assert_eq!(labels, ["happy", "sad"]);
}

#[test]
fn objects_of_the_wanted_types_are_faces_where_there_are_no_regions() {
    let mut buffer = buffer();
    add_foreign(buffer.make_mut(), "person", [0, 0, 90, 90], 1);
    add_foreign(buffer.make_mut(), "Face", [10, 20, 30, 40], 3);
    add_foreign(buffer.make_mut(), "face", [-5, 60, 15, 20], u64::MAX);
    let faces = faces_or_objects(&buffer, &FaceTypes::default());
    assert_eq!(boxes(&faces), [(10, 20, 30, 40), (0, 60, 10, 20)]);
    assert_eq!((faces[0].roi_id, faces[1].roi_id), (1, 2));
    assert_eq!(
        (faces[0].object_id, faces[1].object_id),
        (Some(3), Some(i32::MAX))
    );
    let detection = faces[0].detection.unwrap();
    assert_eq!(detection.confidence, 0.5);
    assert_eq!(detection.age, Some(2 * gst::ClockTime::SECOND));
    assert_eq!(detection.lost, Some(gst::ClockTime::ZERO));
    let people = faces_or_objects(&buffer, &FaceTypes::parse(" head, person"));
    assert_eq!(boxes(&people), [(0, 0, 90, 90)]);
    assert_eq!(faces_or_objects(&buffer, &FaceTypes::parse("")), []);
}

#[test]
fn regions_decide_where_there_are_both() {
    let mut buffer = buffer();
    add_foreign(buffer.make_mut(), "face", [10, 20, 30, 40], 3);
    VideoRegionOfInterestMeta::add(buffer.make_mut(), ROI_TYPE, (1, 2, 3, 4)).set_id(9);
    let faces = faces_or_objects(&buffer, &FaceTypes::default());
    assert_eq!((faces[0].roi_id, boxes(&faces)), (9, vec![(1, 2, 3, 4)]));
}

#[test]
fn a_moved_region_keeps_its_object_by_its_id() {
    let mut buffer = buffer();
    let id = add_detected(buffer.make_mut(), 200, 100, &[detected(0, 0, 10, 10)])[0].unwrap();
    // As a converter does it: params are lost, the id stays, and the object was left behind.
    remove_regions(buffer.make_mut());
    VideoRegionOfInterestMeta::add(buffer.make_mut(), ROI_TYPE, (40, 40, 20, 20)).set_id(id);
    set_emotion(buffer.make_mut(), id, &emotion("sad"));
    let objects = analytics::objects(&buffer);
    assert_eq!(objects.len(), 1);
    let details = analytics::details(&buffer, &[objects[0].id]);
    assert_eq!(details[0].emotion.as_ref().unwrap().1.label, "sad");
    let faces = faces_or_objects(&buffer, &FaceTypes::default());
    assert_eq!(boxes(&faces), [(40, 40, 20, 20)]);
}

#[test]
fn objects_are_not_read_where_regions_were_lost_or_facedetect_found_nobody() {
    let mut lost = buffer();
    add_detected(lost.make_mut(), 200, 100, &[detected(0, 0, 10, 10)]);
    remove_regions(lost.make_mut());
    assert_eq!(analytics::objects(&lost).len(), 1);
    assert_eq!(faces_or_objects(&lost, &FaceTypes::default()), []);

    let mut nobody = buffer();
    add_foreign(nobody.make_mut(), "face", [10, 20, 30, 40], 3);
    mark_detected(nobody.make_mut(), 2.0);
    assert_eq!(faces_or_objects(&nobody, &FaceTypes::default()), []);
}

#[test]
fn objects_get_regions_that_say_the_same_and_take_emotions() {
    let mut buffer = buffer();
    let object = add_foreign(buffer.make_mut(), "face", [10, 20, 30, 40], 3);
    let classes = {
        let mut meta = AnalyticsRelationMeta::add(buffer.make_mut());
        let labels = ["happy", "sad"].map(glib::Quark::from_str);
        let classes = meta.add_cls_mtd(&[0.75, 0.25], &labels).unwrap().id();
        meta.set_relation(RelTypes::RELATE_TO, object, classes)
            .unwrap();
        classes
    };
    let types = FaceTypes::default();
    let expected = faces_or_objects(&buffer, &types);
    assert_eq!(expected[0].emotion.as_ref().unwrap().label, "happy");

    add_regions_of_objects(buffer.make_mut(), &types, ROI_TYPE);
    add_regions_of_objects(buffer.make_mut(), &types, ROI_TYPE);
    assert_eq!(faces(&buffer), expected);
    let link = links(&buffer)[&1];
    assert_eq!((link.object, link.classes), (object, Some(classes)));

    set_emotion(buffer.make_mut(), 1, &emotion("sad"));
    assert_eq!(faces(&buffer)[0].emotion.as_ref().unwrap().label, "sad");
    let details = analytics::details(&buffer, &[object]);
    assert_eq!(details[0].emotion.as_ref().unwrap().1.label, "sad");
    assert_eq!(lost_regions(&buffer), 0);
}

#[test]
fn a_track_that_is_set_later_is_related_to_the_object() {
    let mut buffer = buffer();
    let id = add_detected(buffer.make_mut(), 200, 100, &[detected(0, 0, 10, 10)])[0].unwrap();
    assert!(set_object_id(buffer.make_mut(), id, 12));
    let object = analytics::objects(&buffer)[0].id;
    let track = analytics::details(&buffer, &[object])[0].track.unwrap();
    assert_eq!(track.id, 12);
}

#[test]
fn of_very_many_objects_all_are_faces_and_the_largest_have_tracks() {
    let mut buffer = buffer();
    let count = MAX_FACES + 3;
    for i in 0..count as i32 {
        let side = if i < 3 { 5 } else { 10 };
        add_foreign(buffer.make_mut(), "face", [i, 0, side, side], 1);
    }
    let faces = faces_or_objects(&buffer, &FaceTypes::default());
    assert_eq!(faces.len(), count);
    let tracked = faces.iter().filter(|face| face.object_id.is_some());
    assert_eq!(tracked.count(), MAX_FACES);
    assert!(faces[..3].iter().all(|face| face.object_id.is_none()));
}
