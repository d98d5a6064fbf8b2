//! Frames that come too late: which of them are analysed, and what the others show.

use crate::common::*;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstemotion::face::faces;

/// The portrait at `ms` with its face, shown for `duration_ms`.
fn frame(ms: u64, duration_ms: u64) -> (gst_video::VideoInfo, gst::Buffer) {
    let (info, buffer) = portrait(VideoFormat::Gray8);
    let mut buffer = at(buffer, ms);
    let buffer_mut = buffer.make_mut();
    buffer_mut.set_duration(gst::ClockTime::from_mseconds(duration_ms));
    VideoRegionOfInterestMeta::add(buffer_mut, "face", (175, 70, 120, 120));
    (info, buffer)
}

/// On which of the frames at these times the network answered, and on which the face had an emotion, where each frame is told to
/// be ten seconds late.
fn answered(line: &str, times: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let mut h = harness(line, &frame(0, 0).0);
    let (mut raw, mut any) = (Vec::new(), Vec::new());
    for &ms in times {
        let out = h.push_and_pull(frame(ms, 1).1).unwrap();
        let emotion = faces(&out)[0].emotion.clone();
        any.extend(emotion.is_some().then_some(ms));
        raw.extend(emotion.and_then(|emotion| emotion.raw).map(|_| ms));
        h.push_upstream_event(late_by(10_000));
    }
    (raw, any)
}

#[test]
fn a_stream_that_is_never_in_time_is_classified_once_a_second_and_keeps_its_emotions() {
    init();
    let times: Vec<u64> = (0..2500).step_by(100).collect();
    let (raw, any) = answered("emotionclassify classify-interval=1", &times);
    assert_eq!(raw, [0, 1000, 2000]);
    assert_eq!(any, times);
}

#[test]
fn without_skip_late_every_frame_is_classified() {
    init();
    let times: Vec<u64> = (0..500).step_by(100).collect();
    let (raw, _) = answered(
        "emotionclassify classify-interval=1 skip-late=false",
        &times,
    );
    assert_eq!(raw, times);
}

#[test]
fn without_skip_late_every_frame_is_searched() {
    init();
    let (info, _) = portrait(VideoFormat::Gray8);
    for (line, detections) in [("", 1), ("skip-late=false", 4)] {
        let line = format!("emotionfacedetect min-size=80 detection-interval=1 {line}");
        let mut h = harness(&line, &info);
        for ms in [0, 40, 80, 120] {
            let (_, buffer) = portrait(VideoFormat::Gray8);
            h.push_and_pull(at(buffer, ms)).unwrap();
            h.push_upstream_event(late_by(10_000));
        }
        assert_eq!(
            stat(&h.element().unwrap(), "detections"),
            detections,
            "{line}"
        );
    }
}

#[test]
fn each_late_frame_is_told_by_a_qos_message() {
    init();
    for line in [
        "emotionclassify classify-interval=1",
        "emotionfacedetect min-size=80",
    ] {
        let mut h = harness(line, &frame(0, 0).0);
        let element = h.element().unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        h.push_and_pull(frame(0, 1).1).unwrap();
        h.push_upstream_event(late_by(100));
        h.push_and_pull(frame(40, 1).1).unwrap();
        h.push_and_pull(frame(300, 1).1).unwrap();
        let message = bus.pop_filtered(&[gst::MessageType::Qos]).expect(line);
        let gst::MessageView::Qos(qos) = message.view() else {
            unreachable!()
        };
        let (_, running, stream, timestamp, _) = qos.get();
        let ms = gst::ClockTime::from_mseconds;
        assert_eq!(
            (running, stream, timestamp),
            (Some(ms(40)), Some(ms(40)), Some(ms(40)))
        );
        assert_eq!(qos.values().0, 100_000_000);
        let (processed, dropped) = qos.stats();
        assert_eq!((processed.value(), dropped.value()), (1, 1), "{line}");
        assert!(
            bus.pop_filtered(&[gst::MessageType::Qos]).is_none(),
            "{line}"
        );
    }
}

#[test]
fn the_first_frame_of_a_scene_is_searched_however_late() {
    init();
    let (info, picture) = portrait(VideoFormat::Gray8);
    let (_, empty) = blank(VideoFormat::Gray8, info.width(), info.height());
    let mut h = harness("emotionfacedetect min-size=80", &info);
    h.push_and_pull(at(empty, 0)).unwrap();
    h.push_upstream_event(late_by(10_000));
    let out = h.push_and_pull(at(picture, 40)).unwrap();
    assert_eq!(faces(&out).len(), 1, "behind a cut nothing can be followed");
}

#[test]
fn the_latency_of_a_live_stream_contains_the_work_on_a_frame() {
    init();
    let upstream = gst::ClockTime::from_mseconds(40);
    for line in [
        "emotionclassify classify-interval=1",
        "emotionfacedetect min-size=40 detection-interval=1",
    ] {
        let mut h = harness(line, &frame(0, 0).0);
        h.set_upstream_latency(upstream);
        let element = h.element().unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        assert_eq!(
            h.query_latency(),
            Some(upstream),
            "{line}: before the first frame"
        );
        for index in 0..5 {
            h.push_and_pull(frame(index * 40, 40).1).unwrap();
        }
        let latency = h.query_latency().expect("the harness is live");
        let added = latency.saturating_sub(upstream);
        let step = gst::ClockTime::from_mseconds(5);
        assert!(added >= step, "{line}: {latency}");
        assert_eq!(added.nseconds() % step.nseconds(), 0, "{line}: {latency}");
        assert!(
            bus.pop_filtered(&[gst::MessageType::Latency]).is_some(),
            "{line}"
        );
    }
}
