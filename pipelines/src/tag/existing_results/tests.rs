use super::super::settings::RecordFileFormat;
use super::super::summary::tests::{CONTENT, input, summary};
use super::*;

fn existing(path: &Path, input: &InputFile, content: &str) -> ExistingResults {
    existing_results(path, input, content, &Settings::default())
}

#[test]
fn results_are_complete_only_for_the_same_content_with_the_same_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    assert_eq!(
        existing(&path, &input(), CONTENT),
        ExistingResults::Outdated
    );
    fs::write(&path, summary().to_string()).unwrap();
    assert_eq!(
        existing(&path, &input(), CONTENT),
        ExistingResults::Outdated
    );
    fs::write(folder.path().join("talk.jsonl"), "").unwrap();
    assert_eq!(
        existing(&path, &input(), CONTENT),
        ExistingResults::Complete
    );

    let csv = Settings {
        format: RecordFileFormat::Csv,
        ..Settings::default()
    };
    assert_eq!(
        existing_results(&path, &input(), CONTENT, &csv),
        ExistingResults::Outdated
    );
    let changed = InputFile { size: 5, ..input() };
    assert_eq!(
        existing(&path, &changed, CONTENT),
        ExistingResults::Outdated
    );
    assert_eq!(
        existing(&path, &input(), "other"),
        ExistingResults::Outdated
    );
}

#[test]
fn results_of_a_moved_file_are_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    fs::write(&path, summary().to_string()).unwrap();
    fs::write(folder.path().join("talk.jsonl"), "").unwrap();
    let moved = InputFile {
        absolute: "/new/talk.mp4".into(),
        ..input()
    };
    assert_eq!(existing(&path, &moved, CONTENT), ExistingResults::Complete);
    // Where nothing is left at the old path, it was moved and changed.
    assert_eq!(existing(&path, &moved, "other"), ExistingResults::Outdated);
}

#[test]
fn results_of_another_file_that_is_still_there_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    let old = folder.path().join("talk.mp4");
    fs::write(&old, "x").unwrap();
    let mut summary = summary();
    summary["input"]["path"] = old.to_str().into();
    fs::write(&path, summary.to_string()).unwrap();
    assert_eq!(
        existing(&path, &input(), "other"),
        ExistingResults::OtherFile(old)
    );
}

#[test]
fn a_damaged_summary_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    for text in ["", "{", "[]", "{\"input\":{\"size\":1}}"] {
        fs::write(&path, text).unwrap();
        assert_eq!(
            existing(&path, &input(), CONTENT),
            ExistingResults::Outdated
        );
    }
}

#[test]
fn results_in_which_something_is_missing_say_so_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    fs::write(folder.path().join("talk.jsonl"), "").unwrap();
    let mut summary = summary();
    summary["incomplete"] = "the file is cut short".into();
    fs::write(&path, summary.to_string()).unwrap();
    assert_eq!(
        existing(&path, &input(), CONTENT),
        ExistingResults::Partial("the file is cut short".into())
    );
}
