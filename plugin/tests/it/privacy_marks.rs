//! Privacy fails closed: what the detector's mark says, and what happens where it is missing or the picture was changed.

use crate::common::*;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::{Passage, candidates, faces};

/// Hides the faces and draws nothing else.
const HIDING: &str = "emotionoverlay boxes=false labels=false bars=none privacy=fill";
const DETECT: &str = "emotionfacedetect min-size=80";

/// Elements that make another picture of a frame, and drop the regions on it.
const CHANGING: [&str; 6] = [
    "videoflip video-direction=horiz",
    "videocrop left=64",
    "aspectratiocrop aspect-ratio=4/3",
    "videobox left=-64",
    "alpha method=set ! videoconvert ! video/x-raw,format=I420",
    "videoscale ! video/x-raw,width=800,height=400,pixel-aspect-ratio=1/1",
];

/// What comes out of a line of elements, or the error that one of them posts.
fn run(line: &str, info: &VideoInfo, buffer: gst::Buffer) -> Result<gst::Buffer, String> {
    init();
    let line = format!("bin.( name=line {line} )");
    let mut h = gst_check::Harness::new_parse(&line);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    h.set_src_caps(info.to_caps().unwrap());
    match h.push(at(buffer, 0)) {
        Ok(_) => Ok(h.pull().unwrap()),
        Err(_) => Err(next_error(&bus)),
    }
}

#[test]
fn behind_an_element_that_changes_the_picture_privacy_is_an_error_that_names_the_remedy() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    for changing in CHANGING {
        let line = format!("{DETECT} ! {changing} ! {HIDING}");
        let error = run(&line, &info, buffer.clone()).expect_err(changing);
        assert!(
            error.contains("put facedetect behind it"),
            "{changing}: {error}"
        );
    }
    let line = format!("{DETECT} ! queue ! videoconvert ! video/x-raw,format=NV12 ! {HIDING}");
    assert!(run(&line, &info, buffer).is_ok());
}

#[test]
fn a_changed_picture_is_hidden_as_a_whole_or_shown_if_that_is_asked_for() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    for changing in ["videoflip video-direction=horiz", "videobox left=-64"] {
        let plain = run(changing, &info, buffer.clone()).unwrap();
        let with = |missing: &str| {
            let line = format!("{DETECT} ! {changing} ! {HIDING} privacy-missing={missing}");
            bytes(&run(&line, &info, buffer.clone()).unwrap())
        };
        assert_eq!(with("show"), bytes(&plain), "{changing}");
        let hidden = with("hide-all");
        let width = info.width() as usize;
        assert!(
            hidden[..width].iter().all(|grey| *grey == hidden[0]),
            "{changing}"
        );
        assert_eq!(hidden[0], hidden[width * 500], "{changing}");
    }
}

#[test]
fn what_is_lost_is_warned_about_once_and_nothing_is_drawn() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    for reader in [
        "emotionoverlay",
        "emotionclassify",
        "emotionpublish location=/dev/null",
        "emotionzones",
    ] {
        let changing = "videoflip video-direction=horiz";
        let plain = run(changing, &info, buffer.clone()).unwrap();
        let line = format!("bin.( {DETECT} ! {changing} ! {reader} )");
        let mut h = gst_check::Harness::new_parse(&line);
        let bus = gst::Bus::new();
        h.element().unwrap().set_bus(Some(&bus));
        h.set_src_caps(info.to_caps().unwrap());
        for ms in [0, 40, 80] {
            let out = h.push_and_pull(at(buffer.clone(), ms)).unwrap();
            assert_eq!(bytes(&out), bytes(&plain), "{reader}");
        }
        let warning = next_warning(&bus);
        assert!(warning.contains("put facedetect behind it"), "{warning}");
        assert!(bus.pop_filtered(&[gst::MessageType::Warning]).is_none());
    }
}

#[test]
fn a_frame_without_the_mark_is_an_error_and_one_without_a_face_is_not() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let error = run(HIDING, &info, buffer.clone()).unwrap_err();
    assert!(
        error.contains("put facedetect in front of emotionoverlay"),
        "{error}"
    );
    let shown = run(&format!("{HIDING} privacy-missing=show"), &info, buffer).unwrap();
    assert_eq!(Passage::of(&shown, 1.0), Passage::Unmarked);

    let (info, empty) = blank(VideoFormat::Gray8, 320, 240);
    let out = run(&format!("{DETECT} ! {HIDING}"), &info, empty).unwrap();
    assert_eq!(Passage::of(&out, 320.0 / 240.0), Passage::Intact);
    assert_eq!(faces(&out), []);
}

#[test]
fn late_frames_are_marked_too_and_a_background_detector_marks_once_it_has_searched() {
    init();
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let mut h = harness(DETECT, &info);
    h.push_and_pull(at(buffer.clone(), 0)).unwrap();
    h.push_upstream_event(late_by(500));
    let late = h.push_and_pull(at(buffer.clone(), 40)).unwrap();
    assert_eq!(stat(&h.element().unwrap(), "skipped"), 1);
    assert_eq!(Passage::of(&late, 1.0), Passage::Intact);
    assert_eq!(faces(&late).len(), 1);

    let mut h = harness(&format!("{DETECT} asynchronous=true"), &info);
    let first = h.push_and_pull(at(buffer.clone(), 0)).unwrap();
    assert_eq!(Passage::of(&first, 1.0), Passage::Unmarked);
    let mut frames = (1..).map(|frame| {
        let out = h.push_and_pull(at(buffer.clone(), frame * 40)).unwrap();
        std::thread::yield_now();
        out
    });
    let marked = frames
        .find(|out| Passage::of(out, 1.0) == Passage::Intact)
        .unwrap();
    assert_eq!(faces(&marked).len(), 1);

    let line = format!("{DETECT} asynchronous=true ! {HIDING}");
    let error = run(&line, &info, buffer).unwrap_err();
    assert!(error.contains("asynchronous=false"), "{error}");
}

/// A grey slope of 640×480 pixels, with the portrait's face in it or not.
fn room(with_face: bool) -> (VideoInfo, gst::Buffer) {
    let room = info(VideoFormat::Gray8, 640, 480);
    let mut pixels: Vec<u8> = (0..640 * 480)
        .map(|i| (60 + i % 640 / 8 + i / 640 / 8) as u8)
        .collect();
    if with_face {
        let (from, portrait) = portrait(VideoFormat::Gray8);
        let half = info(VideoFormat::Gray8, 256, 256);
        let small = bytes(&convert(portrait, &from, &half));
        for (y, row) in small.chunks_exact(256).enumerate().take(128) {
            let start = (y + 150) * 640 + 300;
            pixels[start..start + 128].copy_from_slice(&row[50..178]);
        }
    }
    (room, gst::Buffer::from_slice(pixels))
}

#[test]
fn a_face_that_enters_is_hidden_from_its_first_finding_before_it_counts() {
    init();
    let (info, empty) = room(false);
    let (_, entered) = room(true);
    let mut detect = harness("emotionfacedetect min-hits=3 detection-interval=1", &info);
    let mut hide = harness(HIDING, &info);
    let mut counts = Vec::new();
    for frame in 0..8 {
        let picture = if frame < 3 { &empty } else { &entered };
        let found = detect
            .push_and_pull(at(picture.clone(), frame * 40))
            .unwrap();
        counts.push((faces(&found).len(), candidates(&found).len()));
        let shown = hide.push_and_pull(found).unwrap();
        assert_eq!(bytes(&shown) != bytes(picture), frame >= 3, "frame {frame}");
    }
    assert_eq!(counts[..3], [(0, 0); 3]);
    assert_eq!(counts[3..5], [(0, 1); 2], "found and not counted yet");
    assert_eq!(counts[5..], [(1, 0); 3]);
}

#[test]
fn a_candidate_whose_region_is_lost_is_missed_as_a_face_is() {
    init();
    let (info, empty) = room(false);
    let (_, entered) = room(true);
    let line = format!(
        "bin.( emotionfacedetect min-hits=3 detection-interval=1 ! videoflip video-direction=horiz ! {HIDING} )"
    );
    let mut h = gst_check::Harness::new_parse(&line);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    h.set_src_caps(info.to_caps().unwrap());
    assert!(h.push(at(empty, 0)).is_ok());
    assert!(h.push(at(entered, 40)).is_err());
    assert!(next_error(&bus).contains("lost their regions"));
}
