//! OpenCV's cascades in `facedetect`.
#![cfg(feature = "cascade")]

use crate::common::*;
use gst::prelude::*;
use gst_video::VideoFormat;
use gstemotion::face::faces;

/// Settings that find the face of the portrait, which is 110 pixels wide, quickly.
const ELEMENT: &str = "emotionfacedetect detector=cascade min-size=80";

#[test]
fn the_face_is_found_in_the_whole_frame_and_in_the_region_that_holds_it() {
    init();
    let (info, buffer) = portrait(VideoFormat::Nv12);
    let everywhere = faces(
        &harness(ELEMENT, &info)
            .push_and_pull(buffer.clone())
            .unwrap(),
    );
    assert_eq!(everywhere.len(), 1);
    assert!(is_the_astronaut(&everywhere[0]), "{everywhere:?}");

    let found = |region: &str| {
        let mut h = harness(&format!("{ELEMENT} region={region}"), &info);
        faces(&h.push_and_pull(buffer.clone()).unwrap())
    };
    let inside = found("120,20,250,250");
    assert_eq!(inside.len(), 1);
    assert!(is_the_astronaut(&inside[0]), "{inside:?}");
    assert_eq!(found("0,0.5,1,0.5"), []);
}

#[test]
fn settings_act_on_the_next_frame_while_playing() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let mut h = harness(ELEMENT, &info);
    let element = h.element().unwrap();
    let mut count = || faces(&h.push_and_pull(buffer.clone()).unwrap()).len();
    assert_eq!(count(), 1);

    element.set_properties(&[("min-size", &80_u32), ("max-size", &90_u32)]);
    assert_eq!(count(), 0);

    element.set_property("max-size", 0_u32);
    element.set_property("min-neighbors", 1000_u32);
    assert_eq!(count(), 0);
}

#[test]
fn more_faces_are_found_the_fewer_neighbours_must_agree() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let mut h = harness(&format!("{ELEMENT} min-neighbors=0"), &info);

    let all = faces(&h.push_and_pull(buffer.clone()).unwrap());

    assert!(all.len() > 5, "{all:?}");
    let sure = all
        .iter()
        .filter(|face| face.detection.unwrap().confidence > 0.5);
    assert_eq!(sure.count(), 0, "one window alone is no evidence");

    let mut h = harness(&format!("{ELEMENT} min-neighbors=0 max-faces=1"), &info);
    let largest = faces(&h.push_and_pull(buffer).unwrap());
    assert_eq!(largest.len(), 1);
    assert!(all.iter().all(|face| face.width <= largest[0].width));
}

#[test]
fn small_frames_pass() {
    assert_small_frames_pass("emotionfacedetect detector=cascade");
}

#[test]
fn a_cascade_of_the_other_kind_is_taken_too() {
    init();
    let file = "/usr/share/opencv4/lbpcascades/lbpcascade_frontalface_improved.xml";
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let mut h = harness(&format!("{ELEMENT} cascade-file={file}"), &info);

    let found = faces(&h.push_and_pull(buffer).unwrap());

    assert_eq!(found.len(), 1);
    assert!(is_the_astronaut(&found[0]), "{found:?}");
}

#[test]
fn a_missing_cascade_is_named() {
    init();
    let element = gst::ElementFactory::make("emotionfacedetect")
        .property_from_str("detector", "cascade")
        .property("cascade-file", "/nowhere/faces.xml")
        .build()
        .unwrap();

    let error = error_at_start(&element);

    assert!(
        error.contains("cannot read the cascade /nowhere/faces.xml"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_cascade_is_refused_at_start() {
    init();
    let dir = tempfile::tempdir().unwrap();
    let storage =
        |inside: &str| format!("<?xml version=\"1.0\"?><opencv_storage>{inside}</opencv_storage>");
    let without_stages = "<cascade type_id=\"opencv-cascade-classifier\"><stageType>BOOST</stageType>\
        <featureType>HAAR</featureType><height>24</height><width>24</width></cascade>";
    for text in [
        "",
        "no XML",
        "{\"a\": 1}",
        &storage("<a>1</a>"),
        &storage(without_stages),
        "<?xml version=\"1.0\"?><a",
    ] {
        let file = dir.path().join("faces.xml");
        std::fs::write(&file, text).unwrap();
        let element = gst::ElementFactory::make("emotionfacedetect")
            .property_from_str("detector", "cascade")
            .property("cascade-file", file.to_str().unwrap())
            .build()
            .unwrap();

        let error = error_at_start(&element);

        assert!(
            error.contains("faces.xml is not a cascade"),
            "{text:?}: {error}"
        );
    }
}
