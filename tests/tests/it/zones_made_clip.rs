//! Zones and lines on a synthetic clip whose people are known exactly: two walk into a hall, stay, and walk back, one of them
//! through a door, the other one twice.

use std::fs::File;
use std::io::{BufWriter, Write};

use emotion_tests::gst_launch::GstEnvironment;
use emotion_tests::walkers::{SECONDS, Walkers};
use gst::prelude::*;
use serde_json::Value;

const WIDTH: usize = 640;
const HEIGHT: usize = 360;
const RATE: usize = 20;
/// How far the time of a change may be off, in seconds.
const TOLERANCE: f64 = 0.2;

/// The middle of the picture, and its left border as a line from bottom to top: inwards is to the right.
const HALL: [f64; 2] = [0.35, 0.75];
const DOOR: f64 = 0.25;

fn zones() -> String {
    let [left, right] = HALL;
    format!(
        "emotionzones zones=\"hall={left},0 {right},0 {right},1 {left},1 limit=1\" lines=\"door={DOOR},1 {DOOR},0\""
    )
}

/// Something that happens at a time in seconds.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    seconds: f64,
    /// What, and who: the person's number in the clip.
    what: (&'static str, i32),
}

/// What happens in the clip, from the paths of its people.
fn truth() -> Vec<Event> {
    let clip = Walkers::visitors(WIDTH, HEIGHT).unwrap();
    let mut events = Vec::new();
    let mut before: Vec<(i32, f64)> = Vec::new();
    let is_inside = |x: f64| (HALL[0]..HALL[1]).contains(&x);
    for step in 0..(SECONDS * 1000.0) as u32 {
        let seconds = f64::from(step) / 1000.0;
        let people = clip.truth(seconds).into_iter().map(|person| {
            let centre = person.region.x + person.region.width / 2.0;
            (person.id, f64::from(centre) / WIDTH as f64)
        });
        let people: Vec<_> = people.collect();
        for ((id, was), (_, is)) in before.iter().zip(&people) {
            let what = match (is_inside(*was), is_inside(*is)) {
                (false, true) => Some("zone-entered"),
                (true, false) => Some("zone-left"),
                _ => None,
            };
            let crossed = match (*was > DOOR, *is > DOOR) {
                (false, true) => Some("in"),
                (true, false) => Some("out"),
                _ => None,
            };
            let what = [what, crossed].into_iter().flatten();
            events.extend(what.map(|what| Event {
                seconds,
                what: (what, *id),
            }));
        }
        before = people;
    }
    events
}

fn times_of(events: &[Event], what: &str) -> Vec<f64> {
    let found = events.iter().filter(|event| event.what.0 == what);
    found.map(|event| event.seconds).collect()
}

/// The stays that end in the clip, in seconds.
fn stays(events: &[Event]) -> Vec<f64> {
    let left = events.iter().filter(|event| event.what.0 == "zone-left");
    left.map(|left| {
        let entered = events.iter().rfind(|event| {
            event.what == ("zone-entered", left.what.1) && event.seconds < left.seconds
        });
        left.seconds - entered.expect("who leaves has entered").seconds
    })
    .collect()
}

fn pictures() -> impl Iterator<Item = Vec<u8>> {
    let clip = Walkers::visitors(WIDTH, HEIGHT).unwrap();
    let count = (SECONDS * RATE as f64) as usize;
    (0..count).map(move |number| clip.picture(number as f64 / RATE as f64))
}

fn assert_close(found: &[f64], expected: &[f64], about: &str) {
    assert_eq!(
        found.len(),
        expected.len(),
        "{about}: {found:?} {expected:?}"
    );
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= TOLERANCE,
            "{about}: {found} instead of {expected}"
        );
    }
}

#[test]
fn the_clip_has_what_is_to_be_counted() {
    let truth = truth();
    assert_eq!(times_of(&truth, "zone-entered").len(), 3);
    assert_eq!(times_of(&truth, "zone-left").len(), 2);
    assert_eq!(times_of(&truth, "in").len(), 1);
    assert_eq!(times_of(&truth, "out").len(), 1);
}

#[test]
fn a_gst_launch_line_counts_the_people_of_the_clip_exactly() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let (video, records) = (
        environment.path().join("clip.gray"),
        environment.path().join("clip.jsonl"),
    );
    let mut file = BufWriter::new(File::create(&video).unwrap());
    for picture in pictures() {
        file.write_all(&picture).unwrap();
    }
    file.into_inner().unwrap();
    let line = format!(
        "filesrc location={} ! rawvideoparse format=gray8 width={WIDTH} height={HEIGHT} framerate={RATE}/1 ! emotionfacedetect ! \
         emotionclassify ! {} ! emotionpublish location={} ! fakesink",
        video.display(),
        zones(),
        records.display()
    );
    let ran = environment.launch(&line).unwrap();
    assert!(ran.succeeded, "{}", ran.text);

    let text = std::fs::read_to_string(&records).unwrap();
    let records: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), (SECONDS * RATE as f64) as usize);
    let truth = truth();
    let last = records.last().unwrap();
    let hall = &last["zones"][0];
    assert_eq!(hall["entered"], 3);
    assert_eq!(hall["left"], 2);
    assert_eq!(hall["people"], 1);
    assert_eq!(last["lines"][0]["in"], 1);
    assert_eq!(last["lines"][0]["out"], 1);

    // How many are in the hall is right on each frame, but for those near a change.
    let changes = |what| times_of(&truth, what);
    let (entered, left) = (changes("zone-entered"), changes("zone-left"));
    let before = |times: &[f64], seconds: f64| times.iter().filter(|t| **t <= seconds).count();
    for record in &records {
        let seconds = record["stream_time"].as_f64().unwrap();
        let is_near = |time: &f64| (time - seconds).abs() <= TOLERANCE;
        if !entered.iter().chain(&left).any(is_near) {
            let expected = before(&entered, seconds) - before(&left, seconds);
            let hall = &record["zones"][0];
            assert_eq!(hall["people"], expected, "{seconds}: {hall}");
        }
    }

    let stays = stays(&truth);
    let mean = stays.iter().sum::<f64>() / stays.len() as f64;
    let longest = stays
        .iter()
        .fold(0.0, |longest, stay| f64::max(longest, *stay));
    let dwell = &hall["dwell"];
    assert_eq!(dwell["count"], 2);
    let found = [&dwell["mean"], &dwell["longest"]].map(|value| value.as_f64().unwrap());
    assert_close(&found, &[mean, longest], "mean and longest dwell");
    // The second visitor is still there.
    let present = hall["present"][0]["dwell"].as_f64().unwrap();
    let since = *entered.last().unwrap();
    let end = last["stream_time"].as_f64().unwrap();
    assert_close(&[present], &[end - since], "dwell so far");

    // Both are in the hall from the second entry to the first exit.
    let exceeded: Vec<f64> = records
        .iter()
        .filter(|record| record["zones"][0]["exceeded"] == true)
        .map(|record| record["stream_time"].as_f64().unwrap())
        .collect();
    let span = [exceeded[0], *exceeded.last().unwrap()];
    assert_close(&span, &[entered[1], left[0] + 2.0], "limit");
    let shares = hall["emotions"].as_object().unwrap();
    let sum: f64 = shares.values().filter_map(Value::as_f64).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{shares:?}");
}

#[test]
fn the_messages_of_the_element_tell_when_each_change_was() {
    emotion_pipelines::init().expect("GStreamer starts");
    let caps = format!("video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT},framerate={RATE}/1");
    let line = format!(
        "emotionfacedetect ! emotionclassify ! {} post-messages=change",
        zones()
    );
    let mut harness = gst_check::Harness::new_parse(&line);
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    harness.set_src_caps_str(&caps);
    for (number, picture) in pictures().enumerate() {
        let mut buffer = gst::Buffer::from_slice(picture);
        let time = gst::ClockTime::SECOND * number as u64 / RATE as u64;
        buffer.make_mut().set_pts(time);
        harness.push_and_pull(buffer).expect("it passes");
    }
    let mut found: Vec<(String, f64, f64)> = bus
        .iter()
        .filter_map(|message| {
            let structure = message.structure()?;
            let name = match structure.name().as_str() {
                "line-crossed" => structure.get::<&str>("direction").ok()?.to_owned(),
                name => name.to_owned(),
            };
            let seconds = |field: &str| {
                let time = structure.get::<gst::ClockTime>(field).ok()?;
                Some(time.nseconds() as f64 / 1e9)
            };
            let dwell = seconds("dwell").unwrap_or_default();
            Some((name, seconds("stream-time")?, dwell))
        })
        .collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    let truth = truth();
    for what in ["zone-entered", "zone-left", "in", "out"] {
        let times: Vec<f64> = found
            .iter()
            .filter(|(name, ..)| name == what)
            .map(|(_, seconds, _)| *seconds)
            .collect();
        assert_close(&times, &times_of(&truth, what), what);
    }
    let dwell: Vec<f64> = found
        .iter()
        .filter(|(name, ..)| name == "zone-left")
        .map(|(.., dwell)| *dwell)
        .collect();
    assert_close(&dwell, &stays(&truth), "dwell");
    let names: Vec<&str> = found
        .iter()
        .map(|(name, ..)| &**name)
        .filter(|name| name.starts_with("occupancy"))
        .collect();
    assert_eq!(names, ["occupancy-exceeded", "occupancy-kept"]);
}
