use super::*;
use gstemotion::record::{NormalizedBox, PixelBox, Probabilities, VERSION};

pub(in crate::tag) fn face(
    id: impl Into<Option<i32>>,
    x: i32,
    label: &str,
    confidence: f64,
) -> FaceRecord {
    FaceRecord {
        id: id.into(),
        pixels: PixelBox {
            x,
            y: 0,
            width: 10,
            height: 10,
        },
        box_normalized: NormalizedBox {
            x: 0.0,
            y: 0.0,
            width: 0.1,
            height: 0.1,
        },
        detection_confidence: None,
        emotion: Some(label.to_owned()),
        uncertain: Some(label == UNCERTAIN),
        confidence: Some(confidence),
        probabilities: Some(Probabilities(vec![(label.to_owned(), confidence)])),
        valence: Some(confidence),
        quality: Some(1.0),
        landmarks: None,
    }
}

pub(in crate::tag) fn record(time: impl Into<Option<f64>>, faces: Vec<FaceRecord>) -> Record {
    let time = time.into();
    Record {
        version: VERSION,
        source: None,
        frame: None,
        stream_time: time,
        running_time: time,
        wall_clock: None,
        sender_time: None,
        width: 100,
        height: 100,
        pixel_aspect_ratio: None,
        model: None,
        weights_id: None,
        threshold: None,
        faces,
        zones: Vec::new(),
        lines: Vec::new(),
    }
}

pub(in crate::tag) fn timeline(records: Vec<Record>) -> EmotionTimeline {
    let mut timeline = EmotionTimeline::default();
    for record in &records {
        timeline.add(record, None);
    }
    timeline.finish();
    timeline
}

fn spans(timeline: &EmotionTimeline, key: PersonKey) -> Vec<(f64, f64, &str)> {
    let spans = timeline.persons[&key].spans.iter();
    spans
        .map(|span| (span.start, span.end, span.label.as_str()))
        .collect()
}

#[test]
fn spans_of_one_emotion_follow_each_other_without_a_gap() {
    let labels = ["happy", "happy", "sad", "sad"];
    let records = labels.iter().enumerate();
    let records = records.map(|(n, label)| record(n as f64, vec![face(7, 0, label, 0.5)]));
    let timeline = timeline(records.collect());
    assert_eq!(
        spans(&timeline, PersonKey::Track(7)),
        [(0.0, 2.0, "happy"), (2.0, 4.0, "sad")]
    );
    assert_eq!(
        timeline.labels(),
        BTreeMap::from([("happy", 2), ("sad", 2)])
    );
    assert_eq!(timeline.end(), 4.0);
}

#[test]
fn a_short_gap_does_not_end_a_span_but_a_longer_one_does() {
    let here = || vec![face(1, 0, "happy", 0.5)];
    let times = [
        (0.0, true),
        (0.25, false),
        (0.5, true),
        (0.75, false),
        (1.25, true),
        (1.5, false),
    ];
    let records = times.map(|(time, there)| record(time, if there { here() } else { vec![] }));
    let timeline = timeline(records.to_vec());
    assert_eq!(
        spans(&timeline, PersonKey::Track(1)),
        [(0.0, 0.75, "happy"), (1.25, 1.5, "happy")]
    );
    assert_eq!((timeline.frames, timeline.frames_with_faces), (6, 3));
}

#[test]
fn with_few_frames_a_span_lasts_from_one_to_the_next() {
    let records = [0.0, 10.0, 20.0].map(|time| record(time, vec![face(1, 0, "sad", 0.5)]));
    assert_eq!(
        spans(&timeline(records.to_vec()), PersonKey::Track(1)),
        [(0.0, 30.0, "sad")]
    );
}

#[test]
fn untracked_faces_are_told_apart_by_their_position() {
    let record = record(
        None,
        vec![face(None, 50, "sad", 0.5), face(None, 3, "happy", 0.5)],
    );
    let timeline = timeline(vec![record]);
    assert_eq!(
        timeline.persons[&PersonKey::Position(0)].spans[0].label,
        "happy"
    );
    assert_eq!(
        timeline.persons[&PersonKey::Position(1)].spans[0].label,
        "sad"
    );
}

#[test]
fn peaks_are_the_most_confident_moments_that_are_not_neutral() {
    let frames = [
        ("neutral", 0.99),
        ("happy", 0.6),
        ("happy", 0.9),
        ("happy", 0.7),
        ("uncertain", 0.95),
        ("sad", 0.5),
        ("angry", 0.8),
    ];
    let records = frames
        .iter()
        .enumerate()
        .map(|(n, (label, confidence))| record(n as f64, vec![face(1, 0, label, *confidence)]));
    let timeline = timeline(records.collect());
    let peaks = timeline.persons[&PersonKey::Track(1)].peaks(2);
    let peaks: Vec<_> = peaks.iter().map(|p| (p.peak, p.label.as_str())).collect();
    assert_eq!(peaks, [(2.0, "happy"), (6.0, "angry")]);
}

#[test]
fn means_are_over_the_frames_of_the_face() {
    let records =
        [0.25, 0.75].map(|confidence| record(confidence, vec![face(1, 0, "happy", confidence)]));
    let timeline = timeline(records.to_vec());
    let person = &timeline.persons[&PersonKey::Track(1)];
    assert_eq!(person.mean_valence(), Some(0.5));
    assert_eq!(
        person.mean_probabilities().collect::<Vec<_>>(),
        [("happy", 0.5)]
    );
}
