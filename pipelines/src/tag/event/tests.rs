use super::*;

#[test]
fn totals_and_stats_are_printed_in_words() {
    let totals = RunTotals {
        tagged: 3,
        already_tagged: 2,
        failed: 1,
        temporary: 0,
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
fn files_that_are_left_out_are_counted_by_extension_the_most_frequent_first() {
    let counts = [("doc", 1), ("txt", 3), ("", 2)];
    let counts = counts.map(|(extension, count)| (extension.to_owned(), count));
    assert_eq!(
        ignored_text(&counts.into()),
        "6 files not taken because of the extension: 3 .txt, 2 without one, 1 .doc; name a file itself to have it tagged"
    );
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
