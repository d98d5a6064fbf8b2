use super::*;

const MS: gst::ClockTime = gst::ClockTime::MSECOND;

#[test]
fn no_frame_is_late_before_the_sink_says_so() {
    assert!(!Deadline::default().is_missed(Some(MS)));
}

#[test]
fn frames_within_twice_the_lateness_are_late() {
    let mut deadline = Deadline::default();
    deadline.update(10_000_000, Some(100 * MS));
    assert!(deadline.is_missed(Some(120 * MS)));
    assert!(!deadline.is_missed(Some(121 * MS)));
}

#[test]
fn a_frame_in_time_ends_the_lateness() {
    let mut deadline = Deadline::default();
    deadline.update(10_000_000, Some(100 * MS));
    deadline.update(-1, Some(110 * MS));
    assert!(!deadline.is_missed(Some(111 * MS)));
}

#[test]
fn frames_without_a_time_are_never_late() {
    let mut deadline = Deadline::default();
    deadline.update(i64::MAX, Some(100 * MS));
    assert!(!deadline.is_missed(None));
    deadline.update(5, None);
    assert!(!deadline.is_missed(Some(MS)));
}
