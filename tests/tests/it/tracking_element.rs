//! `facedetect` on the synthetic clip of walking people.

use std::sync::Once;
use std::time::Duration;

use emotion_tests::mot;
use emotion_tests::stream::rect;
use emotion_tests::walkers::{SECONDS, Walkers};
use gst::prelude::*;
use gst_check::Harness;
use gstemotion::face::{Face, faces};

const WIDTH: usize = 640;
const HEIGHT: usize = 360;

fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| emotion_pipelines::init().unwrap());
}

fn caps(rate: i32) -> gst::Caps {
    gst_video::VideoCapsBuilder::new()
        .format(gst_video::VideoFormat::Gray8)
        .width(WIDTH as i32)
        .height(HEIGHT as i32)
        .framerate(gst::Fraction::new(rate, 1))
        .build()
}

fn harness(settings: &str) -> Harness {
    init();
    let element = gst::parse::launch(&format!("emotionfacedetect {settings}")).unwrap();
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps(caps(25));
    harness
}

fn clip() -> Walkers {
    init();
    Walkers::new(WIDTH, HEIGHT).unwrap()
}

/// The picture of the clip at a time in seconds, without a timestamp.
fn picture(clip: &Walkers, seconds: f64) -> gst::Buffer {
    gst::Buffer::from_slice(clip.picture(seconds))
}

fn at(mut buffer: gst::Buffer, ms: u64) -> gst::Buffer {
    buffer.make_mut().set_pts(gst::ClockTime::from_mseconds(ms));
    buffer
}

fn push(h: &mut Harness, buffer: gst::Buffer) -> Vec<Face> {
    faces(&h.push_and_pull(buffer).unwrap())
}

fn ids(faces: &[Face]) -> Vec<i32> {
    let mut ids: Vec<i32> = faces.iter().filter_map(|face| face.object_id).collect();
    ids.sort_unstable();
    ids
}

fn stat(h: &Harness, name: &str) -> u64 {
    let stats: gst::Structure = h.element().unwrap().property("stats");
    stats.get(name).unwrap()
}

/// Pushes frames until the detector thread has finished this many detections.
fn push_until_detected(h: &mut Harness, buffer: &gst::Buffer, detections: u64) -> Vec<Face> {
    let started = std::time::Instant::now();
    let mut ms = 0;
    loop {
        ms += 1;
        let found = push(h, at(buffer.clone(), ms));
        if stat(h, "detections") >= detections {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(300), "no detection");
        std::thread::yield_now();
    }
}

/// The tracking metrics of the element on the clip at a frame rate.
fn tracked(clip: &Walkers, rate: u16, interval: &str) -> (mot::TrackingMetrics, String) {
    let mut h = harness(&format!("detection-interval={interval}"));
    h.set_src_caps(caps(rate.into()));
    let rate = f64::from(rate);
    let frames: Vec<mot::EvaluatedFrame> = (0..(SECONDS * rate) as u32)
        .map(|number| {
            let seconds = f64::from(number) / rate;
            let time = gst::ClockTime::from_seconds_f64(seconds);
            let mut buffer = picture(clip, seconds);
            buffer.make_mut().set_pts(time);
            let found = push(&mut h, buffer);
            mot::EvaluatedFrame {
                truth: clip.truth(seconds),
                found: found
                    .iter()
                    .filter_map(|face| Some((face.object_id?, rect(face))))
                    .collect(),
            }
        })
        .collect();
    let score = mot::score(&frames);
    let about = format!(
        "{rate} frames/s, {interval}: {score:.3?}, {} detections, {} tracks",
        stat(&h, "detections"),
        stat(&h, "tracks")
    );
    (score, about)
}

#[test]
fn everybody_keeps_an_id_over_the_whole_clip() {
    let clip = clip();
    for rate in [10, 25, 60] {
        for interval in ["1", "5", "auto"] {
            let (score, about) = tracked(&clip, rate, interval);
            eprintln!("{about}");
            assert!(score.idf1 >= 0.95, "{about}");
            assert_eq!(score.switches, 0, "{about}");
            assert!(score.mean_iou >= 0.75, "{about}");
        }
    }
}

#[test]
fn a_picture_that_does_not_change_is_searched_once() {
    let buffer = picture(&clip(), 0.5);
    let mut h = harness("");
    let first = push(&mut h, at(buffer.clone(), 0));
    for number in 1..100 {
        assert_eq!(
            ids(&push(&mut h, at(buffer.clone(), 40 * number))),
            ids(&first)
        );
    }
    assert!(!first.is_empty());
    assert_eq!(stat(&h, "detections"), 1);
    assert_eq!(stat(&h, "tracks"), first.len() as u64);
    assert_eq!(stat(&h, "frames"), 100);
}

#[test]
fn a_face_carries_the_age_of_its_track_and_is_not_lost() {
    let buffer = picture(&clip(), 0.5);
    let mut h = harness("detection-interval=1");
    push(&mut h, at(buffer.clone(), 0));
    let later = push(&mut h, at(buffer, 400));
    let detection = later[0].detection.unwrap();
    assert_eq!(detection.age, Some(gst::ClockTime::from_mseconds(400)));
    assert_eq!(detection.lost, Some(gst::ClockTime::ZERO));
}

#[test]
fn ids_stay_where_timestamps_are_missing_stand_still_or_go_back() {
    let clip = clip();
    let mut h = harness("");
    let first = ids(&push(&mut h, at(picture(&clip, 0.4), 9000)));
    assert!(!first.is_empty());
    for number in 1..30_u32 {
        let mut buffer = picture(&clip, 0.4 + 0.01 * f64::from(number));
        match number % 3 {
            0 => {}
            1 => buffer = at(buffer, 1000),
            _ => buffer = at(buffer, 500 - u64::from(number)),
        }
        assert_eq!(ids(&push(&mut h, buffer)), first, "frame {number}");
    }
}

#[test]
fn a_flush_a_cut_and_another_size_end_all_tracks_and_no_id_is_used_twice() {
    let buffer = picture(&clip(), 0.5);
    let mut h = harness("");
    let first = ids(&push(&mut h, at(buffer.clone(), 0)));

    assert!(h.push_event(gst::event::FlushStart::new()));
    assert!(h.push_event(gst::event::FlushStop::new(true)));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    let second = ids(&push(&mut h, at(buffer.clone(), 40)));

    let black = gst::Buffer::from_slice(vec![0; WIDTH * HEIGHT]);
    assert_eq!(push(&mut h, at(black, 80)), []);
    let third = ids(&push(&mut h, at(buffer, 120)));

    h.set_src_caps(
        gst_video::VideoCapsBuilder::new()
            .format(gst_video::VideoFormat::Gray8)
            .width(960)
            .height(540)
            .framerate(gst::Fraction::new(25, 1))
            .build(),
    );
    let larger = Walkers::new(960, 540).unwrap();
    let fourth = ids(&push(&mut h, at(picture(&larger, 0.5), 160)));

    let mut all = [first.clone(), second, third, fourth].concat();
    assert!(all.len() >= 4 * first.len() && !first.is_empty(), "{all:?}");
    all.dedup();
    assert!(all.is_sorted(), "{all:?}");
}

#[test]
fn a_late_stream_skips_detections_while_tracks_follow_the_faces() {
    let clip = clip();
    let mut h = harness("detection-interval=1");
    push(&mut h, at(picture(&clip, 0.5), 500));
    let before = ids(&push(&mut h, at(picture(&clip, 0.54), 540)));
    h.push_upstream_event(gst::event::Qos::new(
        gst::QOSType::Underflow,
        2.0,
        5_000_000_000,
        gst::ClockTime::ZERO,
    ));

    for number in 14..35_u64 {
        let seconds = number as f64 / 25.0;
        let found = push(&mut h, at(picture(&clip, seconds), number * 40));
        assert_eq!(ids(&found), before, "frame {number}");
        for truth in clip.truth(seconds).iter().filter(|truth| truth.counts) {
            let best = found.iter().map(|face| rect(face).iou(&truth.region));
            let best = best.fold(0.0, f32::max);
            assert!(best > 0.5, "frame {number}: {best}");
        }
    }

    assert_eq!(stat(&h, "skipped"), 21);
    assert_eq!(stat(&h, "detections"), 2);
}

#[test]
fn an_asynchronous_detector_never_holds_a_frame_up() {
    let buffer = picture(&clip(), 0.5);
    // This search takes a while; the frames pass meanwhile.
    let mut h =
        harness("asynchronous=true detection-interval=1 detector=cascade scale-factor=1.01");
    for number in 0..10 {
        push(&mut h, at(buffer.clone(), number));
    }
    let before = stat(&h, "detections");
    let found = push_until_detected(&mut h, &buffer, 2);

    assert!(!found.is_empty());
    assert!(stat(&h, "frames") > 4 * stat(&h, "detections"), "{before}");
    assert_eq!(stat(&h, "skipped"), 0);
}

#[test]
fn results_from_before_a_flush_do_not_appear_after_it() {
    let clip = clip();
    let mut h = harness("asynchronous=true");
    let found = push_until_detected(&mut h, &picture(&clip, 0.5), 1);
    assert!(!found.is_empty());
    for _ in 0..20 {
        assert!(h.push_event(gst::event::FlushStart::new()));
        assert!(h.push_event(gst::event::FlushStop::new(true)));
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        assert!(h.push_event(gst::event::Segment::new(&segment)));
        assert_eq!(push(&mut h, at(picture(&clip, 0.5), 0)), []);
    }
}

#[test]
fn messages_report_which_face_appears_or_is_lost_and_when() {
    let buffer = picture(&clip(), 0.5);
    let mut h = harness("post-messages=change");
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    let count = push(&mut h, at(buffer.clone(), 80)).len();
    push(&mut h, at(buffer, 120));
    push(
        &mut h,
        at(gst::Buffer::from_slice(vec![0; WIDTH * HEIGHT]), 160),
    );

    let mut seen = Vec::new();
    while let Some(message) = bus.pop_filtered(&[gst::MessageType::Element]) {
        let structure = message.structure().unwrap().to_owned();
        let time: gst::ClockTime = structure.get("stream-time").unwrap();
        if structure.has_name("faces-changed") {
            let count: u32 = structure.get("count").unwrap();
            seen.push((structure.name().to_string(), time.mseconds(), count));
        } else {
            assert!(structure.get::<i32>("id").unwrap() > 0);
            assert!(structure.get::<i32>("width").unwrap() > 20);
            seen.push((structure.name().to_string(), time.mseconds(), 0));
        }
    }
    let mut expected = Vec::new();
    expected.extend(vec![("face-appeared".to_owned(), 80, 0); count]);
    expected.push(("faces-changed".to_owned(), 80, count as u32));
    expected.extend(vec![("face-lost".to_owned(), 160, 0); count]);
    expected.push(("faces-changed".to_owned(), 160, 0));
    assert!(count > 0);
    assert_eq!(seen, expected);
}

#[test]
fn messages_of_every_frame_list_all_faces() {
    let buffer = picture(&clip(), 0.5);
    let mut h = harness("post-messages=frame");
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    let found = push(&mut h, at(buffer.clone(), 0));
    push(&mut h, at(buffer, 40));

    let mut lists = 0;
    while let Some(message) = bus.pop_filtered(&[gst::MessageType::Element]) {
        let structure = message.structure().unwrap();
        if !structure.has_name("faces") {
            continue;
        }
        lists += 1;
        let all = structure.get::<gst::Array>("faces").unwrap();
        let listed: Vec<i32> = all
            .iter()
            .map(|value| value.get::<gst::Structure>().unwrap().get("id").unwrap())
            .collect();
        assert_eq!(listed, ids(&found));
    }
    assert_eq!(lists, 2);
}

#[test]
fn an_invalid_interval_is_a_warning_and_the_last_one_stays() {
    let h = harness("detection-interval=200ms");
    let element = h.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));

    element.set_property("detection-interval", "often");

    let message = bus.pop_filtered(&[gst::MessageType::Warning]).unwrap();
    let gst::MessageView::Warning(warning) = message.view() else {
        unreachable!()
    };
    assert!(warning.error().to_string().contains("often"));
    assert_eq!(element.property::<String>("detection-interval"), "200ms");
}

#[test]
fn two_hundred_restarts_with_seeks_leave_nothing_behind() {
    init();
    for mode in ["asynchronous=true", "asynchronous=false"] {
        let line = format!(
            "videotestsrc num-buffers=30 ! video/x-raw,format=I420,width=160,height=120 \
             ! emotionfacedetect {mode} name=one ! emotionfacedetect {mode} name=two ! fakesink"
        );
        let pipeline = gst::parse::launch(&line).unwrap();
        let weak = ["one", "two"].map(|name| {
            let bin = pipeline.downcast_ref::<gst::Bin>().unwrap();
            bin.by_name(name).unwrap().downgrade()
        });
        for round in 0..100 {
            let state = if round % 2 == 0 {
                gst::State::Playing
            } else {
                gst::State::Paused
            };
            pipeline.set_state(state).unwrap();
            let (reached, ..) = pipeline.state(gst::ClockTime::from_seconds(60));
            reached.unwrap();
            // Whether there is something left to seek in depends on the moment.
            let _ = pipeline.seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::ZERO);
            pipeline.set_state(gst::State::Null).unwrap();
        }
        drop(pipeline);
        assert!(weak.iter().all(|weak| weak.upgrade().is_none()), "{mode}");
    }
}
