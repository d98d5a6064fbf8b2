use super::*;

#[test]
fn totals_and_stats_are_printed_in_words() {
    let totals = RunTotals {
        tagged: 3,
        already_tagged: 2,
        failed: 1,
        stopped: true,
    };
    assert_eq!(
        totals.to_string(),
        "3 tagged, 2 tagged before, 1 failed; stopped, the same command goes on"
    );
    let stats = FileStats {
        frames: 100,
        persons: 1,
        duration: 4.0,
        elapsed: Duration::from_secs(2),
    };
    assert_eq!(stats.to_string(), "100 frames, 1 face, 2.0 s (2.0×)");
    let image = FileStats {
        frames: 1,
        persons: 0,
        duration: 0.0,
        elapsed: Duration::from_millis(100),
    };
    assert_eq!(image.to_string(), "1 frame, 0 faces, 0.1 s");
}

#[test]
fn the_time_left_follows_from_the_share_that_is_done() {
    let at = |seconds| FileProgress {
        frames: 1,
        time: Some(seconds),
        duration: Some(40.0),
    };
    let elapsed = Duration::from_secs(10);
    assert_eq!(at(10.0).remaining(elapsed), Some(Duration::from_secs(30)));
    assert_eq!(at(0.0).remaining(elapsed), None);
}
