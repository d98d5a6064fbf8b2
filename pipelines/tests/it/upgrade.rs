//! An upgrade in the middle of the work: what another version of the programs has left is read, or refused with what to do.
//!
//! `tests/released` holds files as each release writes and reads them. They are never changed: a release that renames a setting
//! keeps the old name, or says in its error what it is called now, and this test says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::*;
use emotion_tests::picture::portrait;

/// The folders of the releases.
fn releases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/released");
    let entries = fs::read_dir(folder).expect("it is in the repository");
    let found: Vec<_> = entries
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    assert!(!found.is_empty(), "there is no release");
    found
}

fn run(program: &str, arguments: &[&str], paths: &[&Path]) -> (Option<i32>, String) {
    let output = Command::new(program).args(arguments).args(paths).output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("it starts");
    let text = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (status.code(), text.concat())
}

fn tag(arguments: &[&str], paths: &[&Path]) -> (Option<i32>, String) {
    run(env!("CARGO_BIN_EXE_emotion-tag"), arguments, paths)
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    for (name, content) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
        fs::write(path, content).expect("it is writable");
    }
}

#[test]
fn the_settings_of_each_release_are_understood() {
    for release in releases() {
        let archive = Archive::new();
        copy(&release, archive.folder.path());
        let talk = archive.text("talk.mp4", "");
        let settings = archive.path("crowd.toml");
        let text = fs::read_to_string(&settings).expect("it is there");
        fs::write(
            &settings,
            text.replace("talk.mp4", &talk.display().to_string()),
        )
        .expect("it is writable");
        let checked = |name: &str| {
            let path = archive.path(name);
            run(env!("CARGO_BIN_EXE_emotion-crowd"), &["--check"], &[&path])
        };
        assert_eq!(
            checked("crowd.toml"),
            (Some(0), String::new()),
            "{release:?}"
        );
        let (status, text) = checked("crowd-kafka.toml");
        match cfg!(feature = "kafka") {
            true => assert_eq!((status, text.as_str()), (Some(0), ""), "{release:?}"),
            false => assert!(text.contains("cargo feature kafka"), "{text}"),
        }
    }
}

#[test]
fn the_results_of_each_release_are_merged_or_what_to_do_is_named() {
    for release in releases() {
        let archive = Archive::new();
        let tags = archive.path("tags");
        copy(&release.join("tags"), &tags);
        let (status, text) = tag(&["merge"], &[&tags]);
        match status {
            Some(0) => assert!(text.contains("archive.parquet"), "{text}"),
            _ => assert!(text.contains("tag the"), "{text}"),
        }
    }
}

#[test]
fn results_of_another_format_are_named_and_made_again() {
    let archive = Archive::new();
    let (pictures, out) = (archive.path("pictures"), archive.path("out"));
    fs::create_dir(&pictures).expect("the folder is new");
    for name in ["a.jpg", "b.jpg"] {
        fs::copy(portrait(), pictures.join(name)).expect("it is writable");
    }
    let shown = out.display().to_string();
    let again = || tag(&["--out", &shown, "--shard", "1/1"], &[&pictures]);
    assert_eq!(again().0, Some(0));
    let written = files(&out);
    assert!(again().1.contains("2 tagged before"));

    let summary = out.join("a.jpg.summary.json");
    let text = fs::read_to_string(&summary).expect("it was written");
    let line = text.lines().find(|line| line.contains("\"version\":"));
    let line = line.expect("a summary has a version");
    fs::write(&summary, text.replacen(line, "  \"version\": 1,", 1)).expect("it is writable");
    let (status, said) = tag(&["table"], &[&out]);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("a.jpg.summary.json") && said.contains("found 1; tag the file again"),
        "{said}"
    );

    let (status, said) = again();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("1 tagged, 1 tagged before"), "{said}");
    assert_eq!(
        files(&out).get("a.jpg.summary.json"),
        written.get("a.jpg.summary.json")
    );

    let manifest = out.join("archive.shard-1-of-1.json");
    let text = fs::read_to_string(&manifest).expect("it was written");
    fs::write(
        &manifest,
        text.replacen("\"version\": 1", "\"version\": 0", 1),
    )
    .expect("it is writable");
    let (status, said) = tag(&["merge"], &[&out]);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("found 0: tag the shard again with this version"),
        "{said}"
    );
}
