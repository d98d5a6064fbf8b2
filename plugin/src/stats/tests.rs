use super::*;

fn field(stats: &Stats, name: &str) -> u64 {
    gst::init().unwrap();
    stats.to_structure().get(name).unwrap()
}

#[test]
fn everything_is_zero_before_the_first_frame() {
    let stats = Stats::default();
    for name in [
        "frames",
        "analysed",
        "skipped",
        "faces",
        "mean-time",
        "p99-time",
    ] {
        assert_eq!(field(&stats, name), 0, "{name}");
    }
}

#[test]
fn frames_are_the_analysed_and_the_skipped_ones() {
    let mut stats = Stats::default();
    stats.add_analysed(2, Duration::from_nanos(10));
    stats.add_analysed(1, Duration::from_nanos(20));
    stats.add_skipped();
    assert_eq!(field(&stats, "frames"), 3);
    assert_eq!(field(&stats, "analysed"), 2);
    assert_eq!(field(&stats, "skipped"), 1);
    assert_eq!(field(&stats, "faces"), 3);
    assert_eq!(field(&stats, "mean-time"), 15);
}

#[test]
fn the_99th_percentile_leaves_one_in_a_hundred_above() {
    let mut stats = Stats::default();
    for nanoseconds in (1..=200).rev() {
        stats.add_analysed(0, Duration::from_nanos(nanoseconds));
    }
    assert_eq!(field(&stats, "p99-time"), 198);
}

#[test]
fn old_times_leave_the_window_while_counts_go_on() {
    let mut stats = Stats::default();
    stats.add_analysed(0, Duration::from_secs(3600));
    for _ in 0..WINDOW {
        stats.add_analysed(0, Duration::from_nanos(7));
    }
    assert_eq!(stats.times.len(), WINDOW);
    assert_eq!(field(&stats, "mean-time"), 7);
    assert_eq!(field(&stats, "analysed"), WINDOW as u64 + 1);
}
