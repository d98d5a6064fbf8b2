//! The element `emotionpublish` and files: records, locations and failures.

use std::fs;
use std::path::Path;

use crate::common::*;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;
use gstemotion::face::{DetectedFace, EmotionResult, add_detected, set_emotion, set_object_id};
use gstemotion::record::{PixelBox, Record, VERSION};

fn frame(ms: u64, faces: usize) -> gst::Buffer {
    let (info, mut buffer) = blank(VideoFormat::Gray8, 64, 32);
    let detected: Vec<_> = (0..faces)
        .map(|i| DetectedFace {
            x: 8 * i as i32,
            y: 4,
            width: 8,
            height: 8,
            confidence: 0.75,
            landmarks: None,
        })
        .collect();
    let buffer_mut = buffer.make_mut();
    let ids = add_detected(buffer_mut, info.width(), info.height(), &detected);
    for id in ids.into_iter().flatten() {
        let emotion = EmotionResult {
            label: "happy".into(),
            label_id: 0,
            confidence: 0.6,
            model_name: "test".into(),
            labels: vec!["happy".into(), "angry".into()],
            probabilities: vec![0.6, 0.4],
            ..EmotionResult::default()
        };
        set_emotion(buffer_mut, id, &emotion);
        set_object_id(buffer_mut, id, 100 + id);
    }
    at(buffer, ms)
}

fn publish(location: &Path, properties: &str) -> Harness {
    init();
    let line = format!(
        "emotionpublish location={} {properties}",
        location.display()
    );
    harness(&line, &info(VideoFormat::Gray8, 64, 32))
}

fn records(path: &Path) -> Vec<Record> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn part_of(path: &Path) -> std::path::PathBuf {
    path.with_file_name(format!(
        "{}.part",
        path.file_name().unwrap().to_str().unwrap()
    ))
}

#[test]
fn each_frame_becomes_a_record_and_passes_through_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut harness = publish(&path, "");
    for (ms, faces) in [(0, 2), (40, 0), (80, 1)] {
        let buffer = frame(ms, faces);
        let out = harness.push_and_pull(buffer.clone()).unwrap();
        assert_eq!(out.as_ptr(), buffer.as_ptr());
    }
    assert!(harness.push_event(gst::event::Eos::new()));

    let records = records(&path);
    let times: Vec<_> = records
        .iter()
        .map(|r| (r.stream_time, r.running_time))
        .collect();
    assert_eq!(times, [0.0, 0.04, 0.08].map(|t| (Some(t), Some(t))));
    assert_eq!(
        records.iter().map(|r| r.faces.len()).collect::<Vec<_>>(),
        [2, 0, 1]
    );
    for record in &records {
        assert_eq!(
            (record.version, record.width, record.height),
            (VERSION, 64, 32)
        );
        assert_eq!(record.wall_clock, None);
    }
    let face = &records[0].faces[1];
    assert_eq!(
        face.pixels,
        PixelBox {
            x: 8,
            y: 4,
            width: 8,
            height: 8
        }
    );
    assert_eq!(
        (face.box_normalized.x, face.box_normalized.y),
        (0.125, 0.125)
    );
    assert_eq!(
        (face.box_normalized.width, face.box_normalized.height),
        (0.125, 0.25)
    );
    assert_eq!(face.id, Some(102));
    assert_eq!(face.detection_confidence, Some(0.75));
    assert_eq!(
        (face.emotion.as_deref(), face.confidence),
        (Some("happy"), Some(0.6))
    );
    let probabilities = &face.probabilities.as_ref().unwrap().0;
    assert_eq!(
        *probabilities,
        [("happy".to_string(), 0.6), ("angry".to_string(), 0.4)]
    );

    let publisher = harness.element().unwrap();
    assert_eq!(
        (stat(&publisher, "frames"), stat(&publisher, "faces")),
        (3, 3)
    );
}

#[test]
fn the_running_time_goes_on_where_the_stream_time_jumps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut harness = publish(&path, "");
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::from_seconds(60));
    segment.set_time(gst::ClockTime::from_seconds(60));
    segment.set_base(gst::ClockTime::from_seconds(2));
    assert!(harness.push_event(gst::event::Segment::new(&segment)));
    harness.push_and_pull(frame(60_500, 0)).unwrap();
    let records = records(&part_of(&path));
    assert_eq!(
        (records[0].stream_time, records[0].running_time),
        (Some(60.5), Some(2.5))
    );
}

#[test]
fn a_frame_without_a_time_has_null_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut harness = publish(&path, "");
    let mut buffer = frame(0, 1);
    buffer.make_mut().set_pts(None);
    harness.push_and_pull(buffer).unwrap();
    let text = fs::read_to_string(part_of(&path)).unwrap();
    assert!(
        text.contains(r#""stream_time":null,"running_time":null"#),
        "{text}"
    );
}

#[test]
fn the_wall_clock_is_recorded_when_asked_for_while_playing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut harness = publish(&path, "");
    harness.push_and_pull(frame(0, 0)).unwrap();
    harness.element().unwrap().set_property("wall-clock", true);
    harness.push_and_pull(frame(40, 0)).unwrap();
    let records = records(&part_of(&path));
    assert_eq!(records[0].wall_clock, None);
    let text = records[1].wall_clock.as_deref().unwrap();
    assert!(text.contains('T') && text.ends_with('Z'), "{text}");
    let time = gst::glib::DateTime::from_iso8601(text, None).unwrap();
    let age = gst::glib::DateTime::now_utc().unwrap().difference(&time);
    assert!(age.as_seconds() >= 0, "{text} lies in the future");
}

#[test]
fn lines_can_be_followed_while_the_file_grows_and_it_gets_its_name_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    fs::write(&path, "the results of yesterday").unwrap();
    let mut harness = publish(&path, "");
    for n in 1..=3 {
        harness.push_and_pull(frame(40 * n, 1)).unwrap();
        assert_eq!(records(&part_of(&path)).len(), n as usize);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "the results of yesterday"
        );
    }
    harness.push_event(gst::event::Eos::new());
    assert_eq!(records(&path).len(), 3);
    assert!(!part_of(&path).exists());
}

#[test]
fn a_pipeline_that_is_stopped_without_the_end_of_the_stream_keeps_its_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut harness = publish(&path, "");
    harness.push_and_pull(frame(0, 1)).unwrap();
    harness
        .element()
        .unwrap()
        .set_state(gst::State::Null)
        .unwrap();
    assert_eq!(records(&path).len(), 1);
}

#[test]
fn frames_after_the_end_of_the_stream_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut harness = publish(&path, "");
    harness.push_and_pull(frame(0, 1)).unwrap();
    harness.push_event(gst::event::Eos::new());
    // What a seek back to the beginning sends.
    harness.push_event(gst::event::FlushStart::new());
    harness.push_event(gst::event::FlushStop::new(true));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    harness.push_event(gst::event::Segment::new(&segment));
    harness.push_and_pull(frame(0, 1)).unwrap();
    harness.push_event(gst::event::Eos::new());
    assert_eq!(records(&path).len(), 2);
}

#[test]
fn the_size_of_the_frame_may_change_in_mid_stream() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut harness = publish(&path, "");
    harness.push_and_pull(frame(0, 0)).unwrap();
    let (info, buffer) = blank(VideoFormat::Nv12, 320, 240);
    harness.set_src_caps(info.to_caps().unwrap());
    harness.push_and_pull(at(buffer, 40)).unwrap();
    let sizes: Vec<_> = records(&part_of(&path))
        .iter()
        .map(|r| (r.width, r.height))
        .collect();
    assert_eq!(sizes, [(64, 32), (320, 240)]);
}

#[test]
fn a_pipe_gets_each_line_at_once() {
    use std::io::{BufRead, BufReader};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let reader = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut lines = BufReader::new(fs::File::open(path).unwrap()).lines();
            let first: Record = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            (first, lines.count())
        }
    });
    let mut harness = publish(&path, "");
    harness.push_and_pull(frame(0, 2)).unwrap();
    harness.push_and_pull(frame(40, 2)).unwrap();
    harness
        .element()
        .unwrap()
        .set_state(gst::State::Null)
        .unwrap();
    let (first, more) = reader.join().unwrap();
    assert_eq!((first.faces.len(), more), (2, 1));
}

#[test]
fn no_location_is_an_error_that_says_what_to_set() {
    init();
    for line in ["emotionpublish", "emotionpublish location=\"\""] {
        let error = error_at_start(&gst::parse::launch(line).unwrap());
        assert!(
            error.contains("set location to a path, or to - for standard output"),
            "{error}"
        );
    }
}

#[test]
fn an_unwritable_location_is_an_error_with_path_and_reason() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/faces.jsonl");
    for (path, reason) in [
        (missing.as_path(), "No such file"),
        (folder.path(), "directory"),
    ] {
        let element = gst::ElementFactory::make("emotionpublish")
            .property("location", path.to_str().unwrap())
            .build()
            .unwrap();
        let error = error_at_start(&element);
        assert!(
            error.contains(path.to_str().unwrap()) && error.contains(reason),
            "{error}"
        );
    }
}

#[test]
fn a_full_disk_is_reported_once_and_ends_the_stream() {
    init();
    let mut harness = publish(Path::new("/dev/full"), "");
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    for _ in 0..3 {
        assert_eq!(harness.push(frame(0, 1)), Err(gst::FlowError::Error));
    }
    let message = bus
        .pop_filtered(&[gst::MessageType::Error])
        .expect("an error");
    let gst::MessageView::Error(error) = message.view() else {
        unreachable!()
    };
    assert!(error.error().matches(gst::ResourceError::Write));
    let text = error.error().to_string();
    assert!(
        text.contains("cannot write to /dev/full: No space left"),
        "{text}"
    );
    assert!(
        bus.pop_filtered(&[gst::MessageType::Error]).is_none(),
        "posted twice"
    );
}

#[test]
fn csv_has_a_header_and_a_line_for_each_face() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.csv");
    let mut harness = publish(&path, "format=csv source=hall");
    for (ms, faces) in [(0, 2), (40, 0)] {
        harness.push_and_pull(frame(ms, faces)).unwrap();
    }
    harness.push_event(gst::event::Eos::new());
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let rows: Vec<std::collections::HashMap<String, String>> =
        reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1]["id"], "102");
    assert_eq!(rows[1]["happy"], "0.6");
    assert_eq!(
        (rows[2]["stream_time"].as_str(), rows[2]["faces"].as_str()),
        ("0.04", "0")
    );
    assert!(rows.iter().all(|row| row["source"] == "hall"));
}

#[test]
fn an_interval_and_changes_leave_frames_out_which_count_as_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut harness = publish(&path, "interval=100000000");
    for n in 0..6 {
        harness.push_and_pull(frame(40 * n, 1)).unwrap();
    }
    let element = harness.element().unwrap();
    element.set_property("interval", 0u64);
    element.set_property_from_str("include", "changes");
    for (ms, faces) in [(300, 1), (340, 1), (380, 2), (420, 2)] {
        harness.push_and_pull(frame(ms, faces)).unwrap();
    }
    let times: Vec<_> = records(&part_of(&path))
        .iter()
        .map(|record| record.stream_time.unwrap())
        .collect();
    assert_eq!(times, [0.0, 0.12, 0.3, 0.38]);
    assert_eq!(
        (stat(&element, "frames"), stat(&element, "skipped")),
        (10, 6)
    );
}

/// Stops the element without an end of the stream, and returns its warning, if any.
fn stop(harness: &Harness) -> Option<String> {
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    element.set_state(gst::State::Null).unwrap();
    let warning = bus.pop_filtered(&[gst::MessageType::Warning])?;
    let gst::MessageView::Warning(warning) = warning.view() else {
        unreachable!()
    };
    Some(warning.error().to_string())
}

#[test]
fn a_run_that_did_not_end_leaves_an_earlier_file_and_keeps_its_records_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let mut first = publish(&path, "");
    first.push_and_pull(frame(0, 1)).unwrap();
    assert_eq!(stop(&first), None, "there was no earlier file");
    assert_eq!(records(&path).len(), 1);

    let mut second = publish(&path, "");
    for ms in [0, 40] {
        second.push_and_pull(frame(ms, 2)).unwrap();
    }
    let warning = stop(&second).expect("a warning");
    let part = part_of(&path);
    assert!(
        warning.contains(part.to_str().unwrap()) && warning.contains("gst-launch-1.0 -e"),
        "{warning}"
    );
    assert_eq!(records(&path).len(), 1);
    assert_eq!(records(&part).len(), 2);
}

#[test]
fn a_run_that_failed_before_its_first_record_leaves_nothing() {
    for properties in ["", "format=csv"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faces");
        fs::write(&path, "the results of yesterday").unwrap();
        let harness = publish(&path, properties);
        assert_eq!(stop(&harness), None);
        assert!(!part_of(&path).exists());
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "the results of yesterday"
        );
    }
}
