use super::*;
use crate::face::EmotionResult;

fn face(id: i32, label: &str) -> Face {
    Face {
        roi_id: 1,
        x: 0,
        y: 0,
        width: 8,
        height: 8,
        detection: None,
        object_id: Some(id),
        landmarks: None,
        emotion: Some(EmotionResult {
            label: label.into(),
            ..EmotionResult::default()
        }),
    }
}

fn taken(
    include: IncludedFrames,
    interval_ms: u64,
    frames: &[(Option<u64>, Vec<Face>)],
) -> Vec<bool> {
    let mut selection = RecordSelection::default();
    let interval = gst::ClockTime::from_mseconds(interval_ms);
    frames
        .iter()
        .map(|(time, faces)| {
            let time = time.map(gst::ClockTime::from_mseconds);
            selection.takes(include, interval, time, faces, None)
        })
        .collect()
}

#[test]
fn with_changes_only_other_people_or_emotions_are_recorded() {
    let frames = [
        (Some(0), vec![]),
        (Some(1), vec![]),
        (Some(2), vec![face(1, "happy")]),
        (
            Some(3),
            vec![Face {
                x: 5,
                ..face(1, "happy")
            }],
        ),
        (Some(4), vec![face(1, "sad")]),
        (Some(5), vec![face(2, "happy"), face(1, "sad")]),
        (Some(6), vec![face(1, "sad"), face(2, "happy")]),
        (Some(7), vec![]),
    ];
    assert_eq!(
        taken(IncludedFrames::Changes, 0, &frames),
        [true, false, true, false, true, true, false, true]
    );
}

#[test]
fn an_interval_leaves_out_what_comes_sooner() {
    let frames = [0, 40, 80, 100, 120, 199, 200].map(|time| (Some(time), vec![]));
    assert_eq!(
        taken(IncludedFrames::All, 100, &frames),
        [true, false, false, true, false, false, true]
    );
}

#[test]
fn a_change_within_the_interval_is_recorded_after_it() {
    let frames = [
        (Some(0), vec![]),
        (Some(50), vec![face(1, "happy")]),
        (Some(100), vec![face(1, "happy")]),
        (Some(150), vec![]),
        (Some(200), vec![face(1, "happy")]),
    ];
    assert_eq!(
        taken(IncludedFrames::Changes, 100, &frames),
        [true, false, true, false, false]
    );
}

#[test]
fn a_time_that_is_missing_or_goes_back_is_no_reason_to_wait() {
    let frames = [Some(500), None, None, Some(10), Some(20)].map(|time| (time, vec![]));
    assert_eq!(
        taken(IncludedFrames::All, 100, &frames),
        [true, true, true, true, false]
    );
}

#[test]
fn with_changes_another_count_of_a_zone_or_line_is_recorded() {
    use emotion_analysis::zones::{LineCounts, ZoneCounts};
    let frame = |entered, crossed_in, is_exceeded| FrameZones {
        zones: vec![ZoneCounts {
            entered,
            is_exceeded,
            ..ZoneCounts::default()
        }],
        lines: vec![LineCounts {
            crossed_in,
            ..LineCounts::default()
        }],
        events: Vec::new(),
    };
    let mut selection = RecordSelection::default();
    let frames = [
        (frame(0, 0, false), true),
        (frame(0, 0, false), false),
        (frame(1, 0, false), true),
        (frame(1, 1, false), true),
        (frame(1, 1, false), false),
        (frame(1, 1, true), true),
    ];
    for (index, (zones, expected)) in frames.into_iter().enumerate() {
        let include = IncludedFrames::Changes;
        let takes = selection.takes(include, gst::ClockTime::ZERO, None, &[], Some(&zones));
        assert_eq!(takes, expected, "{index}");
    }
}
