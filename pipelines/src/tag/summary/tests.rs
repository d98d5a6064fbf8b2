use super::super::settings::RecordFileFormat;
use super::super::timeline::tests::{face, record, timeline};
use super::*;

fn input() -> InputFile {
    InputFile {
        path: "talks/talk.mp4".into(),
        absolute: "/archive/talks/talk.mp4".into(),
        name: "talk".into(),
        size: 1234,
        modified_ns: 1_700_000_000_123_456_789,
    }
}

fn summary() -> Value {
    let timeline = timeline(vec![
        record(0.0, vec![face(1, 0, "happy", 0.5), face(2, 0, "sad", 0.75)]),
        record(1.0, vec![face(1, 0, "happy", 1.0)]),
        record(2.0, vec![face(1, 0, "neutral", 0.5)]),
        record(3.0, vec![]),
    ]);
    let text = json(
        &input(),
        &Settings::default(),
        &["talk.jsonl".into()],
        &timeline,
    )
    .unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_summary_has_the_file_and_each_person() {
    let summary = summary();
    assert_eq!(summary["file"], "talk.mp4");
    assert_eq!(summary["duration"], 4.0);
    assert_eq!(
        (&summary["frames"], &summary["frames_with_faces"]),
        (&4.into(), &3.into())
    );
    assert_eq!(
        summary["emotions"],
        serde_json::json!({"happy": 0.5, "neutral": 0.25, "sad": 0.25})
    );
    let first = &summary["persons"][0];
    assert_eq!(
        (&first["id"], &first["emotion"]),
        (&1.into(), &"happy".into())
    );
    assert_eq!(
        (&first["first_seen"], &first["last_seen"]),
        (&0.0.into(), &3.0.into())
    );
    assert_eq!(first["emotions"]["happy"], 0.666667);
    assert_eq!(first["probabilities"]["happy"], 0.666667);
    assert_eq!(first["peaks"].as_array().unwrap().len(), 1);
    assert_eq!(first["peaks"][0]["time"], 1.0);
    assert_eq!(summary["persons"][1]["peaks"][0]["emotion"], "sad");
}

#[test]
fn results_are_complete_only_for_the_same_file_with_the_same_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    let settings = Settings::default();
    assert_eq!(
        existing_results(&path, &input(), &settings),
        ExistingResults::Outdated
    );
    fs::write(&path, summary().to_string()).unwrap();
    assert_eq!(
        existing_results(&path, &input(), &settings),
        ExistingResults::Outdated
    );
    fs::write(folder.path().join("talk.jsonl"), "").unwrap();
    assert_eq!(
        existing_results(&path, &input(), &settings),
        ExistingResults::Complete
    );

    let csv = Settings {
        format: RecordFileFormat::Csv,
        ..Settings::default()
    };
    assert_eq!(
        existing_results(&path, &input(), &csv),
        ExistingResults::Outdated
    );
    let changed = InputFile { size: 5, ..input() };
    assert_eq!(
        existing_results(&path, &changed, &settings),
        ExistingResults::Outdated
    );
    let touched = InputFile {
        modified_ns: 5,
        ..input()
    };
    assert_eq!(
        existing_results(&path, &touched, &settings),
        ExistingResults::Outdated
    );
}

#[test]
fn results_of_a_moved_archive_are_complete_and_those_of_another_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    fs::write(&path, summary().to_string()).unwrap();
    fs::write(folder.path().join("talk.jsonl"), "").unwrap();
    let moved = InputFile {
        absolute: "/new/talk.mp4".into(),
        ..input()
    };
    assert_eq!(
        existing_results(&path, &moved, &Settings::default()),
        ExistingResults::Complete
    );
    let other = InputFile { size: 5, ..moved };
    assert_eq!(
        existing_results(&path, &other, &Settings::default()),
        ExistingResults::OtherFile("/archive/talks/talk.mp4".into())
    );
}

#[test]
fn a_damaged_summary_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    for text in ["", "{", "[]", "{\"input\":{\"size\":1}}"] {
        fs::write(&path, text).unwrap();
        assert_eq!(
            existing_results(&path, &input(), &Settings::default()),
            ExistingResults::Outdated
        );
    }
}
