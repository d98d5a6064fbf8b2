use super::super::settings::RecordFileFormat;
use super::super::summary::tests::{CONTENT, input, summary};
use super::*;
use crate::tag::inputs::InputOrigin;
use crate::tag::inputs::remote_url::RemoteUrl;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

fn existing_of(
    path: &Path,
    input: &InputFile,
    content: &str,
    settings: &Settings,
) -> ExistingResults {
    let earlier = EarlierRun::read(path, settings);
    earlier.map_or(ExistingResults::Outdated, |earlier| {
        earlier.results_for(input, content, &[])
    })
}

fn existing(path: &Path, input: &InputFile, content: &str) -> ExistingResults {
    existing_of(path, input, content, &Settings::default())
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
        existing_of(&path, &input(), CONTENT, &csv),
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
}

#[test]
fn results_of_another_file_that_is_still_there_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    let root = folder.path().join("root");
    let other = root.join(input().name);
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(&other, "its content").unwrap();
    let mut summary = summary();
    summary["input"]["size"] = 11.into();
    summary["input"]["content"] = fingerprint::of_file(&other).unwrap().into();
    fs::write(&path, summary.to_string()).unwrap();
    let existing = |input: &InputFile, roots: &[PathBuf]| {
        let earlier = EarlierRun::read(&path, &Settings::default()).unwrap();
        earlier.results_for(input, "new content", roots)
    };
    let roots = ["/nowhere".into(), root];
    assert_eq!(
        existing(&input(), &roots),
        ExistingResults::OtherFile(other.clone())
    );
    assert_eq!(existing(&input(), &[]), ExistingResults::Outdated);
    // The file itself was changed.
    let same = InputFile {
        absolute: other.clone(),
        ..input()
    };
    assert_eq!(existing(&same, &roots), ExistingResults::Outdated);
    fs::write(&other, "its conten!").unwrap();
    assert_eq!(existing(&input(), &roots), ExistingResults::Outdated);
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

#[test]
fn results_whose_names_are_no_valid_text_are_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    let mut summary = summary();
    summary["outputs"] = serde_json::json!(["caf\u{fffd}.jsonl"]);
    fs::write(&path, summary.to_string()).unwrap();
    assert_eq!(
        existing(&path, &input(), CONTENT),
        ExistingResults::Outdated
    );
    let name = OsStr::from_bytes(b"caf\xe9.jsonl");
    fs::write(folder.path().join(name), "").unwrap();
    assert_eq!(
        existing(&path, &input(), CONTENT),
        ExistingResults::Complete
    );
}

#[test]
fn what_a_server_said_counts_for_the_same_address_and_settings_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.summary.json");
    fs::write(folder.path().join("talk.jsonl"), "").unwrap();
    let url = RemoteUrl::new("https://me:pass@host/talk.mp4?sig=1").unwrap();
    let remote = InputFile {
        path: url.shown().into(),
        origin: InputOrigin::Remote(url),
        ..input()
    };
    let mut summary = summary();
    summary["input"]["address"] = "https://host/talk.mp4".into();
    summary["input"]["validator"] = "\"17\"".into();
    fs::write(&path, summary.to_string()).unwrap();
    let said = |settings: &Settings, input: &InputFile| {
        let earlier = EarlierRun::read(&path, settings).unwrap();
        earlier.validator(input).map(str::to_owned)
    };
    let settings = Settings::default();
    assert_eq!(said(&settings, &remote).as_deref(), Some("\"17\""));
    assert_eq!(said(&settings, &input()), None);
    let other = Settings {
        elan: true,
        ..settings
    };
    assert_eq!(said(&other, &remote), None);
}
