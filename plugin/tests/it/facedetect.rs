//! The element `facedetect`, under the name that always means ours.

use crate::common::*;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoMeta};
use gstemotion::face::faces;
use gstemotion::luma::FORMATS;

/// Settings that find the face of the portrait, which is 110 pixels wide, quickly.
const ELEMENT: &str = "emotionfacedetect min-size=80";

#[test]
fn every_format_passes_through_untouched_and_gets_its_face() {
    init();
    for format in FORMATS {
        let (info, buffer) = portrait(format);
        let before = bytes(&buffer);
        let mut h = harness(ELEMENT, &info);

        let out = h.push_and_pull(at(buffer, 40)).unwrap();

        assert_eq!(
            out.pts(),
            Some(gst::ClockTime::from_mseconds(40)),
            "{format:?}"
        );
        assert_eq!(bytes(&out), before, "{format:?}");
        let found = faces(&out);
        assert_eq!(found.len(), 1, "{format:?}");
        assert!(is_the_astronaut(&found[0]), "{format:?}: {found:?}");
        let confidence = found[0].detection.unwrap().confidence;
        assert!(
            (0.7..=1.0).contains(&confidence),
            "{format:?}: {confidence}"
        );
    }
}

#[test]
fn padded_rows_are_read_by_their_stride() {
    init();
    let (info, tight) = portrait(VideoFormat::Gray8);
    let (width, stride) = (info.width() as usize, 560);
    let mut padded = Vec::new();
    for row in bytes(&tight).chunks_exact(width) {
        padded.extend_from_slice(row);
        padded.resize(padded.len() + stride - width, 255);
    }
    let mut buffer = gst::Buffer::from_slice(padded);
    VideoMeta::add_full(
        buffer.make_mut(),
        gst_video::VideoFrameFlags::empty(),
        info.format(),
        info.width(),
        info.height(),
        &[0],
        &[stride as i32],
    )
    .unwrap();
    let mut h = harness(ELEMENT, &info);

    let found = faces(&h.push_and_pull(buffer).unwrap());

    // A new element: the same one would already know the face.
    let mut other = harness(ELEMENT, &info);
    assert_eq!(found, faces(&other.push_and_pull(tight).unwrap()));
    assert_eq!(found.len(), 1);
}

#[test]
fn format_and_size_may_change_between_frames() {
    init();
    let (first, buffer) = portrait(VideoFormat::I420);
    let small = info(VideoFormat::Bgrx, 256, 256);
    let half = convert(buffer.clone(), &first, &small);
    let mut h = harness("emotionfacedetect min-size=40", &first);
    assert!(is_the_astronaut(
        &faces(&h.push_and_pull(buffer).unwrap())[0]
    ));

    h.set_src_caps(small.to_caps().unwrap());
    let found = faces(&h.push_and_pull(half).unwrap());

    assert_eq!(found.len(), 1);
    assert!((40..80).contains(&found[0].width), "{found:?}");
}

#[test]
fn a_shared_frame_is_not_copied_and_its_other_owner_sees_no_faces() {
    init();
    let (info, buffer) = portrait(VideoFormat::Nv12);
    let kept = buffer.clone();
    let mut h = harness(ELEMENT, &info);

    let out = h.push_and_pull(buffer).unwrap();

    assert_eq!(faces(&out).len(), 1);
    assert_eq!(faces(&kept).len(), 0);
    assert_eq!(
        out.map_readable().unwrap().as_ptr(),
        kept.map_readable().unwrap().as_ptr(),
        "same memory"
    );
}

#[test]
fn settings_act_on_the_next_frame_while_playing() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let mut h = harness(ELEMENT, &info);
    let element = h.element().unwrap();
    let mut count = || faces(&h.push_and_pull(buffer.clone()).unwrap()).len();
    assert_eq!(count(), 1);

    element.set_property("min-size", 300_u32);
    assert_eq!(count(), 0);

    element.set_properties(&[("min-size", &80_u32), ("max-size", &90_u32)]);
    assert_eq!(count(), 0);

    element.set_property("max-size", 0_u32);
    assert_eq!(count(), 1);

    element.set_property("threshold", 1_f32);
    assert_eq!(count(), 0);
}

#[test]
fn frames_too_small_for_a_face_pass() {
    assert_small_frames_pass("emotionfacedetect");
}

#[test]
fn sizes_that_no_face_can_have_find_nothing() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    for sizes in [
        "min-size=200 max-size=100",
        "min-size=4294967295",
        "max-size=1",
        "min-size=0 max-size=1",
    ] {
        let mut h = harness(&format!("emotionfacedetect {sizes}"), &info);
        assert_eq!(
            faces(&h.push_and_pull(buffer.clone()).unwrap()),
            [],
            "{sizes}"
        );
    }
}

#[test]
fn a_face_in_an_8k_frame_is_found() {
    init();
    let (info, buffer) = wide_portrait(7680, 4320);
    let mut h = harness("emotionfacedetect min-size=700", &info);

    let found = faces(&h.push_and_pull(buffer).unwrap());

    assert_eq!(found.len(), 1, "{found:?}");
    let scale = 4320.0 / 512.0;
    let centre = (found[0].x as f32 + found[0].width as f32 / 2.0) / scale;
    assert!((210.0..260.0).contains(&centre), "{found:?}");
}

#[test]
fn without_tracking_a_late_frame_repeats_the_last_faces_and_counts_as_skipped() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let (_, empty) = blank(VideoFormat::Gray8, info.width(), info.height());
    let mut h = harness(&format!("{ELEMENT} tracking=false"), &info);
    let element = h.element().unwrap();
    let searched = faces(&h.push_and_pull(at(buffer, 0)).unwrap());

    h.push_upstream_event(late_by(100));
    let late = h.push_and_pull(at(empty.clone(), 200)).unwrap();
    let in_time = h.push_and_pull(at(empty, 201)).unwrap();

    assert_eq!(faces(&late), searched);
    assert_eq!(faces(&in_time), []);
    assert_eq!(stat(&element, "frames"), 3);
    assert_eq!(stat(&element, "analysed"), 2);
    assert_eq!(stat(&element, "skipped"), 1);
    assert_eq!(stat(&element, "faces"), 1);
}

#[test]
fn without_tracking_faces_are_repeated_until_a_frame_is_searched_after_a_second() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let (_, empty) = blank(VideoFormat::Gray8, info.width(), info.height());
    let mut h = harness(&format!("{ELEMENT} tracking=false"), &info);
    h.push_and_pull(at(buffer, 0)).unwrap();
    h.push_upstream_event(late_by(5000));

    for (ms, count) in [(999, 1), (1000, 0), (1001, 0)] {
        let out = h.push_and_pull(at(empty.clone(), ms)).unwrap();
        assert_eq!(faces(&out).len(), count, "{ms} ms");
    }
    assert_eq!(stat(&h.element().unwrap(), "analysed"), 2);
}

#[test]
fn a_flush_ends_lateness() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let mut h = harness(ELEMENT, &info);
    let element = h.element().unwrap();
    h.push_and_pull(at(buffer.clone(), 0)).unwrap();
    h.push_upstream_event(late_by(100));

    h.push_event(gst::event::FlushStart::new());
    h.push_event(gst::event::FlushStop::new(true));
    h.push_event(gst::event::Segment::new(&gst::FormattedSegment::<
        gst::ClockTime,
    >::new()));
    let out = h.push_and_pull(at(buffer, 20)).unwrap();

    assert_eq!(faces(&out).len(), 1);
    assert_eq!(stat(&element, "skipped"), 0);
    assert_eq!(stat(&element, "analysed"), 2);
}

#[test]
fn the_element_can_be_started_again_and_again() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let element = gst::ElementFactory::make("emotionfacedetect")
        .property("min-size", 80_u32)
        .build()
        .unwrap();
    for _ in 0..3 {
        let mut h = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
        h.set_src_caps(info.to_caps().unwrap());
        assert_eq!(faces(&h.push_and_pull(buffer.clone()).unwrap()).len(), 1);
        assert_eq!(stat(&element, "frames"), 1, "statistics begin anew");
        assert!(h.push_event(gst::event::Eos::new()));
        drop(h);
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn downstream_decides_whether_upstream_may_use_strides_of_its_own() {
    init();
    let (info, _) = blank(VideoFormat::I420, 64, 64);
    for knows_video_meta in [true, false] {
        let mut h = harness("emotionfacedetect", &info);
        if knows_video_meta {
            h.add_propose_allocation_meta(VideoMeta::meta_api(), None);
        }
        let caps = info.to_caps().unwrap();
        let mut query = gst::query::Allocation::new(Some(&caps), false);
        h.element()
            .unwrap()
            .static_pad("sink")
            .unwrap()
            .query(query.query_mut());

        let offered = query.find_allocation_meta::<VideoMeta>().is_some();

        assert_eq!(offered, knows_video_meta);
    }
}

#[test]
fn a_buffer_smaller_than_its_caps_is_an_error_that_gives_both() {
    init();
    let (info, _) = blank(VideoFormat::Gray8, 64, 48);
    let mut h = harness("emotionfacedetect", &info);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));

    let result = h.push(gst::Buffer::with_size(100).unwrap());

    assert_eq!(result, Err(gst::FlowError::Error));
    let error = next_error(&bus);
    assert!(
        error.contains("64×48") && error.contains("100 bytes"),
        "{error}"
    );
}

#[test]
fn both_names_make_the_same_element_with_types_of_their_own() {
    init();
    let factory = gst::ElementFactory::find("emotionfacedetect").unwrap();
    assert_eq!(factory.element_type().name(), "GstEmotionFaceDetect");
    let short = gst::ElementFactory::find("facedetect").unwrap();
    if short.element_type().name() == "GstEmotionFaceDetectAlias" {
        let (info, buffer) = portrait(VideoFormat::Gray8);
        let mut h = harness("facedetect min-size=80", &info);
        assert_eq!(h.element().unwrap().factory().unwrap().name(), "facedetect");
        assert!(is_the_astronaut(
            &faces(&h.push_and_pull(buffer).unwrap())[0]
        ));
    }
    let features = gst::Registry::get().features_by_plugin("emotion");
    let ours = features
        .iter()
        .filter(|feature| feature.name() == "facedetect");
    assert_eq!(ours.count(), 1);
}
