use super::*;

fn input() -> InputFile {
    InputFile {
        path: "talk.mp4".into(),
        absolute: "/talk.mp4".into(),
        name: "talk".into(),
        size: 10,
        modified_ns: 0,
    }
}

#[test]
fn a_machine_hears_of_everything_in_lines_of_json() {
    let mut out = Vec::new();
    let progress = TagProgress::for_machines(&mut out);
    let position = FileProgress {
        frames: 25,
        time: Some(gst::ClockTime::SECOND),
        duration: Some(gst::ClockTime::from_seconds(4)),
    };
    let facts = FileStats {
        frames: 100,
        persons: 2,
        duration: 4.0,
        took: Duration::from_secs(2),
    };
    progress.started(0, &input());
    progress.at(0, &input(), &position);
    progress.at(0, &input(), &position);
    progress.warned(&input(), "odd");
    progress.ended(0, &input(), &FileOutcome::Tagged(facts));
    progress.ended(1, &input(), &FileOutcome::Failed("broken".into()));
    progress.finished(&RunTotals {
        tagged: 1,
        failed: 1,
        ..RunTotals::default()
    });
    drop(progress);
    let lines: Vec<serde_json::Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<_> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    // The second progress comes too soon after the first.
    assert_eq!(
        events,
        [
            "started", "progress", "warning", "tagged", "failed", "finished"
        ]
    );
    assert_eq!(
        (&lines[1]["time"], &lines[1]["duration"]),
        (&1.0.into(), &4.0.into())
    );
    assert_eq!(lines[4]["message"], "broken");
}

#[test]
fn totals_and_facts_are_told_in_words() {
    let totals = RunTotals {
        tagged: 3,
        before: 2,
        failed: 1,
        stopped: true,
    };
    assert_eq!(
        totals.to_string(),
        "3 tagged, 2 tagged before, 1 failed; stopped, the same command goes on"
    );
    let facts = FileStats {
        frames: 100,
        persons: 1,
        duration: 4.0,
        took: Duration::from_secs(2),
    };
    assert_eq!(facts.to_string(), "100 frames, 1 face, 2.0 s (2.0×)");
    let still = FileStats {
        frames: 1,
        persons: 0,
        duration: 0.0,
        took: Duration::from_millis(100),
    };
    assert_eq!(still.to_string(), "1 frame, 0 faces, 0.1 s");
}

#[test]
fn times_left_follow_from_the_share_that_is_done() {
    assert_eq!(
        left(0.25, Duration::from_secs(10)),
        Some(Duration::from_secs(30))
    );
    assert_eq!(left(0.0, Duration::from_secs(10)), None);
    assert_eq!(clock(Duration::from_secs(3725)), "1:02:05");
    assert_eq!(clock(Duration::from_secs(65)), "1:05");
}
