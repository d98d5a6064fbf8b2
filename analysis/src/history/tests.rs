use super::*;

fn crop() -> Vec<f32> {
    (0..100).map(|i| (i % 2) as f32).collect()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn classified(label: &str, is_sure: bool) -> Classified {
    Classified {
        emotion: EmotionResult {
            label: label.to_owned(),
            ..EmotionResult::default()
        },
        visibility: 1.0,
        is_sure,
    }
}

/// The times of the classifications of a face on a frame each 40 ms, which has the answer `answer(time)`.
fn looks(until: u64, answer: impl Fn(u64) -> (&'static str, bool)) -> Vec<u64> {
    let mut history = FaceHistory::default();
    let mut times = Vec::new();
    for time in (0..until).step_by(40) {
        if history.is_due(ClassifyInterval::Auto, ms(time), &crop()) {
            let (label, is_sure) = answer(time);
            history.set_last(ms(time), &crop(), classified(label, is_sure));
            times.push(time);
        } else {
            history.keep().unwrap();
        }
    }
    times
}

#[test]
fn a_face_is_due_after_its_interval_or_when_it_looks_different() {
    let mut history = FaceHistory::default();
    let interval = "1s".parse().unwrap();
    let other: Vec<f32> = crop().iter().map(|v| 1.0 - v).collect();
    assert!(
        history.is_due(interval, ms(500), &crop()),
        "never classified"
    );
    history.set_last(ms(0), &crop(), classified("sad", true));
    assert!(!history.is_due(interval, ms(500), &crop()));
    assert!(history.is_due(interval, ms(500), &other));
    assert!(history.is_due(interval, ms(1000), &crop()));
}

#[test]
fn a_new_face_is_classified_three_times_in_a_row_and_then_twice_a_second() {
    assert_eq!(looks(1500, |_| ("sad", true)), [0, 40, 80, 600, 1120]);
}

#[test]
fn an_unsure_face_is_classified_again_at_once_and_then_seldom() {
    let times = looks(2000, |time| ("sad", time < 600));
    assert_eq!(times, [0, 40, 80, 600, 640, 680, 760, 880, 1120, 1600]);
}

#[test]
fn a_new_label_makes_an_unsure_face_urgent_again() {
    let times = looks(1000, |time| {
        (if time < 520 { "sad" } else { "happy" }, false)
    });
    assert_eq!(times, [0, 40, 80, 160, 280, 520, 560, 600, 680, 800]);
}

#[test]
fn between_classifications_the_emotion_stays_without_a_raw_one() {
    let mut history = FaceHistory::default();
    assert!(history.keep().is_none());
    history.set_last(ms(0), &crop(), classified("sad", true));
    let last = history.keep().unwrap();
    assert_eq!((last.emotion.label.as_str(), last.frames), ("sad", 1));
    assert!(last.emotion.raw.is_none());
}

#[test]
fn another_picture_is_a_change_and_other_brightness_is_none() {
    let stripes: Vec<f32> = (0..100).map(|i| 0.4 * (i % 2) as f32).collect();
    let brighter: Vec<f32> = stripes.iter().map(|v| v + 0.3).collect();
    let inverted: Vec<f32> = stripes.iter().map(|v| 0.4 - v).collect();
    assert!(!has_changed(&stripes, &stripes));
    assert!(!has_changed(&stripes, &brighter));
    assert!(has_changed(&stripes, &inverted));
    assert!(has_changed(&stripes, &stripes[1..]), "another size");
}

/// When, in milliseconds, a face that is `label` changes between being named and being uncertain if it has this confidence from
/// then on and the threshold is 0.5.
fn changes_after(label: &str, confidence: f64) -> Option<u64> {
    let mut history = FaceHistory::default();
    history.set_last(ms(0), &crop(), classified(label, true));
    (40..9000).step_by(40).find(|&time| {
        let is_named = history.is_named(ms(time), confidence, 0.5);
        let shown = if is_named { "sad" } else { UNCERTAIN };
        history.set_last(ms(time), &crop(), classified(shown, true));
        is_named != (label != UNCERTAIN)
    })
}

#[test]
fn an_uncertain_face_is_named_when_it_was_above_the_threshold_clearly_or_for_long() {
    assert_eq!(changes_after(UNCERTAIN, 0.9), Some(120));
    assert_eq!(changes_after(UNCERTAIN, 0.61), Some(400));
    assert_eq!(changes_after(UNCERTAIN, 0.511), Some(3640));
    assert_eq!(changes_after(UNCERTAIN, 0.49), None);
}

#[test]
fn a_named_face_is_uncertain_when_it_was_below_for_long_and_at_once_below_half_the_threshold() {
    assert_eq!(changes_after("sad", 0.39), Some(760));
    assert_eq!(changes_after("sad", 0.26), Some(360));
    assert_eq!(changes_after("sad", 0.24), Some(40));
    assert_eq!(changes_after("sad", 0.51), None);
}

#[test]
fn a_face_that_hovers_about_the_threshold_stays_what_it_is() {
    for label in ["sad", UNCERTAIN] {
        let mut history = FaceHistory::default();
        history.set_last(ms(0), &crop(), classified(label, true));
        for time in (40..4000).step_by(40) {
            let confidence = if time % 80 == 0 { 0.6 } else { 0.4 };
            assert_eq!(history.is_named(ms(time), confidence, 0.5), label == "sad");
            history.set_last(ms(time), &crop(), classified(label, true));
        }
    }
}
