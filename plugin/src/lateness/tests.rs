use super::*;

const MS: gst::ClockTime = gst::ClockTime::MSECOND;
const LONG: Duration = Duration::from_millis(30);
const FRAME: Option<gst::ClockTime> = Some(gst::ClockTime::from_mseconds(40));

/// A stream whose frame at 100 ms was the last that was analysed.
fn lateness() -> Lateness {
    Lateness {
        last: None,
        analysed: Some(100 * MS),
    }
}

fn skips(lateness: &Lateness, now: gst::ClockTime) -> bool {
    lateness.is_skipped(FRAME, Some(now), LONG).is_some()
}

#[test]
fn no_frame_is_late_before_the_sink_says_so() {
    assert!(!skips(&lateness(), MS));
}

#[test]
fn frames_within_twice_the_lateness_are_late() {
    let mut lateness = lateness();
    lateness.update(10_000_000, Some(100 * MS), 1.0);
    assert!(skips(&lateness, 120 * MS));
    assert!(!skips(&lateness, 121 * MS));
}

#[test]
fn a_frame_in_time_ends_the_lateness() {
    let mut lateness = lateness();
    lateness.update(10_000_000, Some(100 * MS), 1.0);
    lateness.update(-1, Some(110 * MS), 1.0);
    assert!(!skips(&lateness, 111 * MS));
}

#[test]
fn frames_without_a_time_are_never_late() {
    let mut lateness = lateness();
    lateness.update(i64::MAX, Some(100 * MS), 1.0);
    assert!(lateness.is_skipped(FRAME, None, LONG).is_none());
    lateness.update(5, None, 1.0);
    assert!(!skips(&lateness, MS));
}

#[test]
fn an_element_that_works_for_a_small_part_of_a_frame_never_skips() {
    let mut lateness = lateness();
    lateness.update(10_000_000, Some(100 * MS), 1.0);
    let short = Duration::from_millis(9);
    assert!(lateness.is_skipped(FRAME, Some(110 * MS), short).is_none());
    assert!(lateness.is_skipped(None, Some(110 * MS), short).is_some());
}

#[test]
fn the_first_frame_and_one_a_second_are_analysed_however_late() {
    let mut lateness = Lateness::default();
    lateness.update(10_000_000_000, Some(100 * MS), 1.0);
    assert!(!skips(&lateness, 110 * MS), "nothing was analysed yet");
    lateness.analysed = Some(110 * MS);
    assert!(skips(&lateness, 1109 * MS));
    assert!(!skips(&lateness, 1110 * MS));
}
