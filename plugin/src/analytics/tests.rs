use emotion_analysis::{EmotionResult, UNCERTAIN};
use gst::glib;
use gst_analytics::prelude::*;
use gst_analytics::{
    AnalyticsClassificationMtd, AnalyticsODMtd, AnalyticsRelationMeta, AnalyticsTrackingMtd,
    RelTypes,
};

use super::emotion_classes::{from_classes, to_classes};
use super::object::ObjectDetails;
use super::*;

fn buffer() -> gst::Buffer {
    gst::init().unwrap();
    gst::Buffer::new()
}

fn emotion(label: &str, label_id: usize, probabilities: &[f64]) -> EmotionResult {
    EmotionResult {
        label: label.into(),
        label_id,
        confidence: probabilities[label_id],
        labels: ["happy", "sad", "neutral"].map(String::from).to_vec(),
        probabilities: probabilities.to_vec(),
        ..EmotionResult::default()
    }
}

fn object(track: Option<ObjectTrack>) -> NewObject<'static> {
    NewObject {
        object_type: "face",
        rect: (10, 20, 30, 40),
        confidence: 0.75,
        track,
    }
}

fn track(id: u64) -> ObjectTrack {
    ObjectTrack {
        id,
        first_seen: Some(gst::ClockTime::SECOND),
        last_seen: Some(3 * gst::ClockTime::SECOND),
        is_lost: true,
    }
}

#[test]
fn a_written_object_is_read_with_its_track_and_emotion() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    let id = add_objects(buffer, &[object(Some(track(7)))])[0].unwrap();
    let sad = emotion("sad", 1, &[0.25, 0.5, 0.25]);
    let classes = set_emotion(buffer, id, None, &sad).unwrap();

    let read = objects(buffer);
    assert_eq!(
        read,
        [AnalyticsObject {
            id,
            object_type: "face",
            x: 10,
            y: 20,
            width: 30,
            height: 40,
            confidence: Some(0.75),
        }]
    );
    let details = &details(buffer, &[id])[0];
    assert_eq!(details.track, Some(track(7)));
    let (read_classes, read) = details.emotion.as_ref().unwrap();
    assert_eq!(*read_classes, classes);
    assert_eq!(
        (&*read.label, read.label_id, read.confidence),
        ("sad", 1, 0.5)
    );
    assert_eq!(read.labels, sad.labels);
    assert_eq!(read.probabilities, sad.probabilities);
}

#[test]
fn details_are_related_to_their_object_in_both_directions_and_to_no_other() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    let added = add_objects(buffer, &[object(Some(track(1))), object(Some(track(2)))]);
    let [a, b] = [added[0].unwrap(), added[1].unwrap()];
    let classes = set_emotion(buffer, b, None, &emotion("happy", 0, &[0.5, 0.25, 0.25])).unwrap();
    let meta = buffer.meta::<AnalyticsRelationMeta>().unwrap();
    assert_eq!(meta.relation(b, classes), RelTypes::RELATE_TO);
    assert_eq!(meta.relation(classes, b), RelTypes::RELATE_TO);
    assert_eq!(meta.relation(a, classes), RelTypes::NONE);
    let tracks = details(buffer, &[a, b]);
    let tracks: Vec<u64> = tracks
        .iter()
        .map(|details| details.track.unwrap().id)
        .collect();
    assert_eq!(tracks, [1, 2]);
}

#[test]
fn the_shown_label_is_the_first_class_though_another_is_more_probable() {
    let shown = emotion("sad", 1, &[0.5, 0.375, 0.125]);
    let classes = to_classes(&shown);
    assert_eq!(
        classes,
        [("sad", 0.375), ("happy", 0.5), ("neutral", 0.125)]
    );
    let classes: Vec<(&str, f64)> = classes.iter().map(|(l, p)| (*l, f64::from(*p))).collect();
    let read = from_classes(&classes).unwrap();
    assert_eq!(
        (&*read.label, read.label_id, read.confidence),
        ("sad", 1, 0.375)
    );
    assert_eq!(read.probabilities, shown.probabilities);
}

#[test]
fn uncertain_is_a_class_of_its_own_before_all_emotions() {
    let uncertain = emotion(UNCERTAIN, 2, &[0.25, 0.25, 0.5]);
    let classes = to_classes(&uncertain);
    assert_eq!(
        classes,
        [
            (UNCERTAIN, 0.5),
            ("happy", 0.25),
            ("sad", 0.25),
            ("neutral", 0.5)
        ]
    );
    let classes: Vec<(&str, f64)> = classes.iter().map(|(l, p)| (*l, f64::from(*p))).collect();
    let read = from_classes(&classes).unwrap();
    assert!(read.is_uncertain());
    assert_eq!((read.label_id, read.confidence), (2, 0.5));
    assert_eq!(read.labels, uncertain.labels);
    assert_eq!(read.probabilities, uncertain.probabilities);
}

#[test]
fn classes_of_other_things_are_no_emotion() {
    assert_eq!(from_classes(&[("tabby", 0.5), ("hat", 0.5)]), None);
    assert_eq!(from_classes(&[]), None);
    let contempt = from_classes(&[("contempt", 0.75), ("angry", 0.25)]).unwrap();
    assert_eq!(contempt.labels, ["angry", "contempt"]);
    assert_eq!((&*contempt.label, contempt.label_id), ("contempt", 1));
}

#[test]
fn a_new_emotion_and_a_new_track_take_the_place_of_the_old_ones() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    let id = add_objects(buffer, &[object(Some(track(1)))])[0].unwrap();
    let old = set_emotion(buffer, id, None, &emotion("happy", 0, &[0.5, 0.25, 0.25]));
    set_emotion(buffer, id, old, &emotion("sad", 1, &[0.25, 0.5, 0.25])).unwrap();
    set_track(buffer, id, track(9));
    let details = &details(buffer, &[id])[0];
    assert_eq!(details.emotion.as_ref().unwrap().1.label, "sad");
    assert_eq!(details.track.unwrap().id, 9);
    // An index that is none of the metadata is ignored.
    assert!(
        set_emotion(
            buffer,
            id,
            Some(1000),
            &emotion("sad", 1, &[0.25, 0.5, 0.25])
        )
        .is_some()
    );
}

#[test]
fn no_objects_leave_empty_metadata() {
    let mut buffer = buffer();
    assert_eq!(objects(&buffer), []);
    assert_eq!(details(&buffer, &[0]), [ObjectDetails::default()]);
    assert_eq!(add_objects(buffer.make_mut(), &[]), []);
    assert!(buffer.meta::<AnalyticsRelationMeta>().unwrap().is_empty());
    assert_eq!(objects(&buffer), []);
}

#[test]
fn entries_of_others_that_are_broken_are_left_out() {
    let mut buffer = buffer();
    let face = glib::Quark::from_str("face");
    let mut meta = AnalyticsRelationMeta::add(buffer.make_mut());
    meta.add_od_mtd(face, 1, 1, 0, 10, 0.5).unwrap();
    meta.add_od_mtd(face, 1, 1, 10, -10, 0.5).unwrap();
    let kept = meta
        .add_od_mtd(face, -1, -2, 10, 10, f32::NAN)
        .unwrap()
        .id();
    let track = meta
        .add_tracking_mtd(u64::MAX, gst::ClockTime::ZERO)
        .unwrap()
        .id();
    let classes = [face, glib::Quark::from_str("happy")];
    let nan = meta.add_cls_mtd(&[0.5, f32::NAN], &classes).unwrap().id();
    meta.set_relation(RelTypes::IS_PART_OF, track, kept)
        .unwrap();
    meta.set_relation(RelTypes::RELATE_TO, kept, nan).unwrap();
    // What the bindings cannot make: an object without a type, a track without times, a class without a name.
    let nameless = nameless_entries(buffer.make_mut());

    let read = objects(&buffer);
    assert_eq!(read.len(), 1);
    assert_eq!(
        (read[0].id, read[0].x, read[0].confidence),
        (kept, -1, None)
    );
    let read = &details(&buffer, &[kept])[0];
    assert_eq!(read.track.unwrap().id, u64::MAX);
    assert_eq!(read.emotion, None);
    let meta = buffer.meta::<AnalyticsRelationMeta>().unwrap();
    let [_, track, classes] = nameless;
    assert_eq!(raw::track(&meta, track).unwrap().first_seen, None);
    assert_eq!(raw::classes(&meta, classes), None);
}

/// An object, a track and a classification without a type, times and a name.
fn nameless_entries(buffer: &mut gst::BufferRef) -> [u32; 3] {
    use gst_analytics::ffi;

    let mut meta = buffer.meta_mut::<AnalyticsRelationMeta>().unwrap();
    let mut entry = std::mem::MaybeUninit::<ffi::GstAnalyticsMtd>::uninit();
    let handle = entry.as_mut_ptr();
    // SAFETY: the functions write to the entry, and copy what they are given.
    unsafe {
        let meta = meta.as_mut_ptr();
        ffi::gst_analytics_relation_meta_add_od_mtd(meta, 0, 1, 1, 2, 2, 0.5, handle.cast());
        let object = (*handle).id;
        ffi::gst_analytics_relation_meta_add_tracking_mtd(meta, 1, u64::MAX, handle.cast());
        let track = (*handle).id;
        ffi::gst_analytics_relation_meta_add_one_cls_mtd(meta, 0.5, 0, handle.cast());
        [object, track, (*handle).id]
    }
}

#[test]
fn thousands_of_objects_are_written_and_read() {
    let mut buffer = buffer();
    let buffer = buffer.make_mut();
    let added = add_objects(buffer, &[object(Some(track(1))); 2000]);
    let ids: Vec<u32> = added.into_iter().flatten().collect();
    assert_eq!(objects(buffer).len(), 2000);
    let meta = buffer.meta::<AnalyticsRelationMeta>().unwrap();
    assert_eq!(meta.iter::<AnalyticsODMtd>().count(), 2000);
    assert_eq!(meta.iter::<AnalyticsTrackingMtd>().count(), 2000);
    assert_eq!(meta.iter::<AnalyticsClassificationMtd>().count(), 0);
    assert!(
        details(buffer, &ids[1990..])
            .iter()
            .all(|details| details.track.is_some())
    );
}
