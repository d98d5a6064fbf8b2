use super::*;
use crate::tag::event::{Failure, FileProgress, FileStats, RunTotals};
use crate::tag::inputs::{InputFile, InputOrigin};

fn input() -> InputFile {
    InputFile {
        path: "talk.mp4".into(),
        absolute: "/talk.mp4".into(),
        name: "talk.mp4".into(),
        captions: "talk".into(),
        size: 10,
        origin: InputOrigin::Local,
    }
}

#[test]
fn every_event_is_a_line_of_json() {
    let mut out = Vec::new();
    let mut progress = JsonProgress::new(&mut out);
    let position = FileProgress {
        frames: 25,
        time: Some(1.0),
        duration: Some(4.0),
    };
    let stats = FileStats {
        frames: 100,
        persons: 2,
        duration: 4.0,
        elapsed: Duration::from_secs(2),
    };
    let input = input();
    let ignored = BTreeMap::from([("txt".to_owned(), 2)]);
    let tagged = FileOutcome::Tagged(stats);
    let failed = FileOutcome::Failed(Failure::lasting("broken"));
    let totals = RunTotals {
        tagged: 1,
        failed: 1,
        ..RunTotals::default()
    };
    for event in [
        Event::Ignored(&ignored),
        Event::Started(0, &input),
        Event::Progress(0, &input, position),
        Event::Progress(0, &input, position),
        Event::Warning(&input, "odd"),
        Event::Ended(0, &input, &tagged),
        Event::Ended(1, &input, &failed),
        Event::Finished(totals),
    ] {
        progress.report(event);
    }
    let lines: Vec<serde_json::Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<_> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    // The second progress is too soon after the first.
    assert_eq!(
        events,
        [
            "ignored", "started", "progress", "warning", "tagged", "failed", "finished"
        ]
    );
    assert_eq!(
        (&lines[2]["time"], &lines[2]["duration"]),
        (&1.0.into(), &4.0.into())
    );
    assert_eq!(lines[0]["extensions"]["txt"], 2);
    assert_eq!(lines[1]["bytes"], 10);
    assert_eq!(lines[5]["message"], "broken");
    assert_eq!(lines[5]["retry"], false);
}
