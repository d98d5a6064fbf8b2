//! Privacy fails closed: what the detector's mark says, and what happens where it is missing or the picture was changed.

use crate::common::*;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::{Passage, candidates, faces};

/// Hides the faces and draws nothing else.
const HIDING: &str = "emotionoverlay boxes=false labels=false bars=none privacy=fill";
const DETECT: &str = "emotionfacedetect min-size=80";

/// Elements that make another picture of a frame. Up to GStreamer 1.26 they drop the regions on it, from 1.28 on they say how
/// they change the picture.
const CHANGING: [&str; 6] = [
    "videoflip video-direction=horiz",
    "videoflip video-direction=90r",
    "videocrop left=64",
    "aspectratiocrop aspect-ratio=4/3",
    "videobox left=-64",
    "videoscale ! video/x-raw,width=800,height=400,pixel-aspect-ratio=1/1",
];

/// An element that drops the regions and says nothing.
const SILENT: &str = "alpha method=set ! videoconvert ! video/x-raw,format=I420 ! identity";

fn changes_are_told() -> bool {
    init();
    gst::version() >= (1, 28, 0, 0)
}

/// What comes out of a line of elements, or the error that one of them posts.
fn run(line: &str, info: &VideoInfo, buffer: gst::Buffer) -> Result<gst::Buffer, String> {
    Ok(run_with_caps(line, info, buffer)?.1)
}

/// The same, with what the caps of the result say.
fn run_with_caps(
    line: &str,
    info: &VideoInfo,
    buffer: gst::Buffer,
) -> Result<(VideoInfo, gst::Buffer), String> {
    init();
    let line = format!("bin.( name=line {line} )");
    let mut h = gst_check::Harness::new_parse(&line);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    h.set_src_caps(info.to_caps().unwrap());
    match h.push(at(buffer, 0)) {
        Ok(_) => {
            let out = h.pull().unwrap();
            let caps = h.sinkpad().unwrap().current_caps().unwrap();
            Ok((VideoInfo::from_caps(&caps).unwrap(), out))
        }
        Err(_) => Err(next_error(&bus)),
    }
}

/// Whether nothing is left of the face, and all of what is far from it.
fn assert_hidden_where_the_face_has_moved_to(
    hidden: &gst::Buffer,
    plain: &gst::Buffer,
    info: &VideoInfo,
    name: &str,
) {
    let [face] = &faces(hidden)[..] else {
        panic!("{name}: one face");
    };
    let (hidden, plain) = (bytes(hidden), bytes(plain));
    let stride = info.stride()[0] as usize;
    let near = |at: usize, start: i32, length: u32, room: i32| {
        (start - room..start + length.cast_signed() + room).contains(&(at as i32))
    };
    let mut inside = Vec::new();
    for (y, x) in
        (0..info.height() as usize).flat_map(|y| (0..info.width() as usize).map(move |x| (y, x)))
    {
        let place = y * stride + x;
        if near(x, face.x, face.width, 0) && near(y, face.y, face.height, 0) {
            inside.push(hidden[place]);
        } else if !(near(x, face.x, face.width, 60) && near(y, face.y, face.height, 60)) {
            assert_eq!(hidden[place], plain[place], "{name}: {x}, {y}");
        }
    }
    assert!(inside.iter().all(|luma| *luma == inside[0]), "{name}");
}

#[test]
fn behind_an_element_that_changes_the_picture_silently_privacy_is_an_error_that_names_the_remedy() {
    let (info, buffer) = portrait(VideoFormat::I420);
    let told: &[&str] = if changes_are_told() { &CHANGING } else { &[] };
    for changing in CHANGING.iter().chain(&[SILENT]) {
        let line = format!("{DETECT} ! {changing} ! {HIDING}");
        let hidden = run_with_caps(&line, &info, buffer.clone());
        if told.contains(changing) {
            let (info, hidden) = hidden.expect(changing);
            let line = line.replace("privacy=fill", "");
            let plain = run(&line, &portrait(VideoFormat::I420).0, buffer.clone()).unwrap();
            assert_hidden_where_the_face_has_moved_to(&hidden, &plain, &info, changing);
            continue;
        }
        let error = hidden.expect_err(changing);
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
    let (info, buffer) = portrait(VideoFormat::I420);
    let untold: &[&str] = if changes_are_told() {
        &[]
    } else {
        &["videoflip video-direction=horiz", "videobox left=-64"]
    };
    for changing in untold.iter().chain(&[SILENT]) {
        let plain = run(changing, &info, buffer.clone()).unwrap();
        let with = |missing: &str| {
            let line = format!("{DETECT} ! {changing} ! {HIDING} privacy-missing={missing}");
            bytes(&run(&line, &info, buffer.clone()).unwrap())
        };
        assert_eq!(with("show"), bytes(&plain), "{changing}");
        let hidden = with("hide-all");
        let width = info.width() as usize;
        assert!(
            hidden[..width].iter().all(|luma| *luma == hidden[0]),
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
        let plain = run(SILENT, &info, buffer.clone()).unwrap();
        let line = format!("bin.( {DETECT} ! {SILENT} ! {reader} )");
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
        "bin.( emotionfacedetect min-hits=3 detection-interval=1 ! videoconvert ! {SILENT} ! {HIDING} )"
    );
    let mut h = gst_check::Harness::new_parse(&line);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    h.set_src_caps(info.to_caps().unwrap());
    assert!(h.push(at(empty, 0)).is_ok());
    assert!(h.push(at(entered, 40)).is_err());
    assert!(next_error(&bus).contains("lost their regions"));
}
