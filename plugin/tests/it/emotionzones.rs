//! The element `emotionzones`: from faces to counts, messages, records and the drawn picture.

use std::fs;

use crate::common::*;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstemotion::face::{self, DetectedFace, EmotionResult, add_detected};
use gstemotion::record::Record;
use gstemotion::zones::{frame_zones, shapes};

const SIZE: (u32, u32) = (320, 240);
/// The right half.
const ZONES: &str = "zones=\"hall=0.5,0 1,0 1,1 0.5,1 limit=1\"";
/// Its border.
const LINES: &str = "lines=\"door=0.5,1 0.5,0 in=entering\"";

/// A face of 32×32 pixels with the centre at `x` of the width and the middle of the height.
fn with_face(buffer: &mut gst::Buffer, id: Option<i32>, x: f64, emotion: &str) {
    let buffer = buffer.make_mut();
    let face = DetectedFace {
        x: (x * f64::from(SIZE.0)) as i32 - 16,
        y: 104,
        width: 32,
        height: 32,
        confidence: 0.9,
        landmarks: None,
    };
    let roi = add_detected(buffer, SIZE.0, SIZE.1, &[face])[0].expect("it lies in the frame");
    if let Some(id) = id {
        face::set_object_id(buffer, roi, id);
    }
    let emotion = EmotionResult {
        label: emotion.into(),
        confidence: 0.9,
        ..EmotionResult::default()
    };
    face::set_emotion(buffer, roi, &emotion);
}

fn frame(ms: u64, faces: &[(i32, f64)]) -> gst::Buffer {
    let (_, mut buffer) = blank(VideoFormat::Gray8, SIZE.0, SIZE.1);
    for &(id, x) in faces {
        with_face(&mut buffer, Some(id), x, "happy");
    }
    at(buffer, ms)
}

fn zones_harness(line: &str) -> Harness {
    harness(line, &info(VideoFormat::Gray8, SIZE.0, SIZE.1))
}

/// Somebody walks in, is followed by somebody else, and leaves.
const WALK: [(u64, &[(i32, f64)]); 5] = [
    (0, &[(7, 0.3)]),
    (1000, &[(7, 0.7)]),
    (2000, &[(7, 0.7), (8, 0.8)]),
    (3000, &[(7, 0.3), (8, 0.8)]),
    (5200, &[(7, 0.3), (8, 0.8)]),
];

#[test]
fn people_are_counted_in_the_metadata_and_the_picture_passes_untouched() {
    let mut h = zones_harness(&format!("emotionzones {ZONES} {LINES}"));
    let mut counts = Vec::new();
    for (ms, faces) in WALK {
        let buffer = frame(ms, faces);
        let memory = buffer.peek_memory(0).as_ptr();
        let out = h.push_and_pull(buffer).unwrap();
        assert_eq!(out.peek_memory(0).as_ptr(), memory);
        assert_eq!(face::faces(&out).len(), faces.len());
        let zones = frame_zones(&out).unwrap();
        let (hall, door) = (&zones.zones[0], &zones.lines[0]);
        counts.push((
            hall.people.len(),
            hall.entered,
            hall.left,
            hall.is_exceeded,
            door.crossed_in,
            door.crossed_out,
        ));
        assert!(shapes(&out, SIZE, 4.0 / 3.0).is_some());
    }
    assert_eq!(
        counts,
        [
            (0, 0, 0, false, 0, 0),
            (1, 1, 0, false, 1, 0),
            (2, 2, 0, true, 1, 0),
            (1, 2, 1, true, 1, 1),
            (1, 2, 1, false, 1, 1),
        ]
    );
    assert_eq!(stat(&h.element().unwrap(), "frames"), 5);
    assert_eq!(stat(&h.element().unwrap(), "faces"), 8);
}

#[test]
fn without_zones_and_lines_nothing_is_added() {
    let mut h = zones_harness("emotionzones");
    let out = h.push_and_pull(frame(0, &[(7, 0.7)])).unwrap();
    assert_eq!(frame_zones(&out), None);
    assert_eq!(out.iter_meta::<VideoRegionOfInterestMeta>().count(), 1);
}

#[test]
fn every_event_is_a_message_with_its_own_time() {
    let h = zones_harness(&format!(
        "emotionzones {ZONES} {LINES} max-absence=500000000 post-messages=change"
    ));
    let element = h.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut h = h;
    for (ms, faces) in WALK {
        h.push_and_pull(frame(ms, faces)).unwrap();
    }
    // Both are lost and leave when they were last seen.
    h.push_and_pull(frame(6000, &[])).unwrap();
    let messages: Vec<String> = bus
        .iter()
        .filter_map(|message| {
            let structure = message.structure()?.to_owned();
            assert_eq!(message.src(), Some(element.upcast_ref()));
            let time: gst::ClockTime = structure.get("stream-time").ok()?;
            assert_eq!(structure.get("running-time"), Ok(time));
            let id = structure.get::<i32>("id").unwrap_or(-1);
            let detail = match structure.name().as_str() {
                "zone-left" => format!(
                    " {}",
                    structure.get::<gst::ClockTime>("dwell").unwrap().mseconds()
                ),
                "line-crossed" => format!(
                    " {} {}",
                    structure.get::<&str>("direction").unwrap(),
                    structure.get::<&str>("name").unwrap()
                ),
                _ => format!(" {}", structure.get::<u32>("people").unwrap()),
            };
            Some(format!(
                "{} {} {id}{detail}",
                time.mseconds(),
                structure.name()
            ))
        })
        .collect();
    // Frames a second apart are longer than the longest absence: everybody is new on each, so nobody crosses the door.
    assert_eq!(
        messages,
        [
            "1000 zone-entered 7 1",
            "1000 zone-left 7 0",
            "2000 zone-entered 7 1",
            "2000 zone-entered 8 2",
            "2000 occupancy-exceeded -1 2",
            "2000 zone-left 7 0",
            "2000 zone-left 8 0",
            "3000 zone-entered 8 1",
            "3000 zone-left 8 0",
            "5200 zone-entered 8 1",
            "5200 occupancy-kept -1 1",
            "5200 zone-left 8 0",
        ]
    );
}

#[test]
fn crossings_have_their_direction_and_every_frame_its_counts_if_asked_for() {
    let h = zones_harness(&format!("emotionzones {ZONES} {LINES} post-messages=frame"));
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    let mut h = h;
    for (ms, faces) in WALK {
        h.push_and_pull(frame(ms, faces)).unwrap();
    }
    let structures: Vec<_> = bus
        .iter()
        .filter_map(|message| message.structure().map(ToOwned::to_owned))
        .collect();
    let crossed: Vec<_> = structures
        .iter()
        .filter(|structure| structure.name() == "line-crossed")
        .map(|structure| {
            (
                structure.get::<String>("direction").unwrap(),
                structure.get::<String>("name").unwrap(),
            )
        })
        .collect();
    let expected = [("in", "entering"), ("out", "out")];
    assert_eq!(
        crossed,
        expected.map(|(direction, name)| (direction.to_owned(), name.to_owned()))
    );
    let frames: Vec<_> = structures
        .iter()
        .filter(|structure| structure.name() == "zones")
        .collect();
    assert_eq!(frames.len(), WALK.len());
    let zones = frames[2].get::<gst::ArrayRef<'_>>("zones").unwrap();
    let hall = zones[0].get::<&gst::StructureRef>().unwrap();
    assert_eq!(hall.get::<u32>("people"), Ok(2));
}

#[test]
fn faces_without_ids_are_told_apart_by_their_places() {
    let mut h = zones_harness(&format!("emotionzones {ZONES} {LINES}"));
    let mut last = None;
    for step in 0..20 {
        let (_, mut buffer) = blank(VideoFormat::Gray8, SIZE.0, SIZE.1);
        with_face(&mut buffer, None, 0.35 + 0.02 * f64::from(step), "happy");
        with_face(&mut buffer, None, 0.1, "sad");
        let out = h.push_and_pull(at(buffer, 40 * step as u64)).unwrap();
        last = frame_zones(&out);
    }
    let last = last.unwrap();
    assert_eq!((last.zones[0].entered, last.lines[0].crossed_in), (1, 1));
    assert_eq!(last.zones[0].emotions, [("happy".to_owned(), 1.0)]);
}

#[test]
fn zones_can_be_changed_while_playing() {
    let mut h = zones_harness(&format!("emotionzones {ZONES} {LINES}"));
    h.push_and_pull(frame(0, &[(7, 0.3)])).unwrap();
    h.push_and_pull(frame(1000, &[(7, 0.7)])).unwrap();
    let element = h.element().unwrap();
    element.set_property(
        "zones",
        "hall=0.5,0 1,0 1,1 0.5,1; left=0,0 0.5,0 0.5,1 0,1",
    );
    let out = h.push_and_pull(frame(2000, &[(7, 0.7)])).unwrap();
    let zones = frame_zones(&out).unwrap();
    let counts: Vec<_> = zones
        .zones
        .iter()
        .map(|zone| (&*zone.name, zone.entered, zone.limit))
        .collect();
    assert_eq!(counts, [("hall", 1, None), ("left", 0, None)]);
    assert_eq!(zones.lines[0].crossed_in, 1);
}

#[test]
fn a_file_adds_zones_and_lines_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zones.txt");
    fs::write(
        &path,
        "# shop\nzone till=0,0 0.5,0 0.5,1 0,1\nline door=0.5,1 0.5,0\n",
    )
    .unwrap();
    let location = path.to_str().unwrap();
    let mut h = zones_harness(&format!("emotionzones {ZONES} location={location}"));
    let element = h.element().unwrap();
    let names = |buffer: &gst::Buffer| {
        let found = frame_zones(buffer).unwrap();
        let lines = found.lines.iter().map(|line| line.name.clone());
        let zones = found.zones.iter().map(|zone| zone.name.clone());
        zones.chain(lines).collect::<Vec<_>>().join(" ")
    };
    let out = h.push_and_pull(frame(0, &[(7, 0.3)])).unwrap();
    assert_eq!(names(&out), "hall till door");
    assert_eq!(frame_zones(&out).unwrap().zones[1].people.len(), 1);

    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    for (text, reason) in [
        (
            "zone till=0,0 1,1",
            "line 1: till: expected 3 to 100 corners",
        ),
        ("zone hall=0,0 1,1 1,0", "hall is there twice"),
    ] {
        fs::write(&path, text).unwrap();
        element.set_property("location", location);
        let warning = next_warning(&bus);
        assert!(warning.contains(reason), "{warning}");
        let expected = "location stays as it was";
        assert!(warning.contains(expected), "{warning}");
    }
    element.set_property("location", "/nowhere/zones.txt");
    let warning = next_warning(&bus);
    assert!(
        warning.contains("/nowhere/zones.txt: No such file"),
        "{warning}"
    );
    element.set_property("zones", "till=0,0 1,1 1,0");
    assert!(next_warning(&bus).contains("zones: till is there twice"));
    let out = h.push_and_pull(frame(1000, &[(7, 0.3)])).unwrap();
    assert_eq!(names(&out), "hall till door");

    element.set_property("location", None::<&str>);
    let out = h.push_and_pull(frame(2000, &[(7, 0.3)])).unwrap();
    assert_eq!(names(&out), "hall");
}

#[test]
fn a_flush_ends_all_tracks() {
    let mut h = zones_harness(&format!("emotionzones {ZONES}"));
    h.push_and_pull(frame(0, &[(7, 0.7)])).unwrap();
    h.push_event(gst::event::FlushStart::new());
    h.push_event(gst::event::FlushStop::builder(true).build());
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    h.push_event(gst::event::Segment::new(&segment));
    let out = h.push_and_pull(frame(40, &[(1, 0.7)])).unwrap();
    let hall = frame_zones(&out).unwrap().zones[0].clone();
    assert_eq!((hall.entered, hall.left, hall.people.len()), (2, 1, 1));
}

#[test]
fn counts_survive_a_change_of_the_picture_and_shapes_do_not_outlive_it() {
    init();
    let count = "emotionzones zones=\"hall=0.5,0 1,0 1,1 0.5,1\"";
    for (changing, is_shown) in [
        ("identity", true),
        ("videoconvert ! video/x-raw,format=NV12 ! identity", true),
        (
            "videoscale ! video/x-raw,width=160,height=120 ! identity",
            true,
        ),
        ("videoflip video-direction=horiz", false),
        ("videocrop left=64", false),
        ("videobox left=-64", false),
        (
            "videoscale ! video/x-raw,width=320,height=160,pixel-aspect-ratio=1/1 ! identity",
            false,
        ),
    ] {
        // Nobody is there: no face tells that the picture has changed.
        let mut h = zones_harness(&format!("{count} ! {changing}"));
        let out = h.push_and_pull(frame(0, &[])).unwrap();
        let zones = frame_zones(&out).expect(changing);
        assert_eq!(zones.zones[0].name, "hall", "{changing}");
        let caps = h.sinkpad().unwrap().current_caps().unwrap();
        let info = gst_video::VideoInfo::from_caps(&caps).unwrap();
        let size = (info.width(), info.height());
        let aspect = f64::from(size.0) / f64::from(size.1);
        assert_eq!(shapes(&out, size, aspect).is_some(), is_shown, "{changing}");

        // The overlay draws where there are shapes, and only there.
        let overlay = "emotionoverlay zones=true boxes=false labels=false";
        let mut h = zones_harness(&format!("{count} ! {changing} ! {overlay}"));
        let drawn = h.push_and_pull(frame(0, &[])).unwrap();
        assert_eq!(bytes(&drawn) != bytes(&out), is_shown, "{changing}");
    }
}

#[test]
fn the_overlay_draws_zones_only_if_it_is_told_to() {
    let line = format!("emotionzones {ZONES} {LINES} ! emotionoverlay");
    for (properties, is_drawn) in [("", false), (" zones=true", true)] {
        let mut h = zones_harness(&format!("{line}{properties}"));
        let buffer = frame(0, &[]);
        let out = h.push_and_pull(buffer.clone()).unwrap();
        assert_eq!(bytes(&out) != bytes(&buffer), is_drawn, "{properties}");
    }
}

#[test]
fn zones_show_nothing_of_a_hidden_face() {
    init();
    let (info, portrait) = portrait(VideoFormat::Gray8);
    let (width, height) = (info.width() as usize, info.height() as usize);
    let hide = "emotionoverlay boxes=false labels=false bars=none privacy=fill";
    let zones = "emotionzones zones=\"hall=0.1,0.1 0.9,0.1 0.9,0.9 0.1,0.9 limit=0\"";
    let run = |line: String| {
        let mut h = harness(&line, &info);
        let out = h.push_and_pull(at(portrait.clone(), 0)).unwrap();
        (bytes(&out), face::faces(&out))
    };
    let (hidden, faces) = run(format!("emotionfacedetect min-size=80 ! {hide}"));
    let (shown, _) = run(format!(
        "emotionfacedetect min-size=80 ! {zones} ! {hide} zones=true"
    ));
    let original = bytes(&portrait);
    let [face] = &faces[..] else {
        panic!("expected one face");
    };
    // With the margin that is hidden around it.
    let inside = |x: usize, y: usize| {
        let (x, y) = (x as i32, y as i32);
        (face.x..face.x + face.width as i32).contains(&x)
            && (face.y..face.y + face.height as i32).contains(&y)
    };
    let mut drawn = 0;
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            drawn += usize::from(shown[at] != hidden[at]);
            if inside(x, y) {
                assert!(
                    shown[at] == hidden[at] || shown[at] != original[at],
                    "{x},{y}"
                );
            }
        }
    }
    assert!(drawn > 1000, "{drawn}");
}

#[test]
fn records_have_the_counts() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zones.jsonl");
    let line = format!(
        "emotionzones {ZONES} {LINES} ! emotionpublish location={}",
        path.display()
    );
    let mut h = zones_harness(&line);
    for (ms, faces) in WALK {
        h.push_and_pull(frame(ms, faces)).unwrap();
    }
    h.push_event(gst::event::Eos::new());
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let record: serde_json::Value = serde_json::from_str(lines[3]).unwrap();
    assert_eq!(
        record["zones"],
        serde_json::json!([{
            "name": "hall",
            "people": 1,
            "present": [{"id": 8, "dwell": 1.0}],
            "entered": 2,
            "left": 1,
            "limit": 1,
            "exceeded": true,
            "dwell": {"count": 1, "mean": 2.0, "longest": 2.0},
            "emotions": {"happy": 1.0},
        }])
    );
    assert_eq!(
        record["lines"],
        serde_json::json!([
            {"name": "door", "in": 1, "out": 1, "in_name": "entering", "out_name": "out"}
        ])
    );
    // They are read back, and records without zones have none of it.
    let read: Record = serde_json::from_str(lines[3]).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), record);
    let without = serde_json::json!({"version": 2, "stream_time": null, "running_time": null, "width": 1, "height": 1, "faces": []});
    let read: Record = serde_json::from_value(without.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), without);
}

#[test]
fn any_format_and_memory_passes() {
    init();
    let element = gst::ElementFactory::make("emotionzones").build().unwrap();
    let caps = element.static_pad("sink").unwrap().query_caps(None);
    for text in [
        "video/x-raw, format=RGB8P, width=64, height=64",
        "video/x-raw(memory:GLMemory), format=RGBA, width=64, height=64",
    ] {
        let wanted = text.parse::<gst::Caps>().unwrap();
        assert!(caps.can_intersect(&wanted), "{text}");
    }
}
