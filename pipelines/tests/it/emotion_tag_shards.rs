//! `emotion-tag` on several machines: shards of an archive, and what `merge` says of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::*;
use emotion_tests::picture::portrait;
use serde_json::{Value, json};

const NAMES: [&str; 6] = ["a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg", "5.jpg", "6.jpg"];

fn run(arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command.args(arguments).args(paths).stdin(Stdio::null());
    let output = command.output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "{errors}");
    output
}

fn tag(archive: &Path, out: &Path, arguments: &[&str]) -> Output {
    let out = out.display().to_string();
    run(&[&["--out", &out], arguments].concat(), &[archive])
}

fn merged(out: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = run(&[&["merge", "--json"], arguments].concat(), &[out]);
    let found = serde_json::from_slice(&output.stdout);
    let errors = || String::from_utf8_lossy(&output.stderr).into_owned();
    (
        output.status.code(),
        found.unwrap_or_else(|_| errors().into()),
    )
}

/// A folder with six pictures in three folders.
fn pictures(archive: &Archive) -> PathBuf {
    let folder = archive.path("pictures");
    for name in NAMES {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
        fs::copy(portrait(), path).expect("it is writable");
    }
    folder
}

#[test]
fn shards_together_leave_what_a_single_run_leaves() {
    let archive = Archive::new();
    let pictures = pictures(&archive);
    let (single, shards) = (archive.path("single"), archive.path("shards"));
    assert!(tag(&pictures, &single, &[]).status.success());
    let plan = archive.path("plan.jsonl");
    let listed = run(&["list", "--json"], &[&pictures]);
    fs::write(&plan, &listed.stdout).expect("it is writable");
    let plan = plan.display().to_string();

    assert!(
        tag(&pictures, &shards, &["--shard", "2/2"])
            .status
            .success()
    );
    let first = files(&shards)
        .keys()
        .filter(|name| name.ends_with("summary.json"))
        .count();
    let (status, found) = merged(&shards, &["--plan", &plan]);
    assert_eq!(status, Some(75), "{found}");
    assert_eq!(found["missing_shards"], json!(["1/2"]));
    assert_eq!(found["tagged"], first);
    let missing = found["missing"].as_array().map(Vec::len);
    assert_eq!(missing, Some(NAMES.len() - first));
    assert!((1..NAMES.len()).contains(&first));

    assert!(
        tag(&pictures, &shards, &["--shard", "1/2"])
            .status
            .success()
    );
    let (status, found) = merged(&shards, &["--plan", &plan]);
    assert_eq!((status, &found["tagged"]), (Some(0), &NAMES.len().into()));
    assert_eq!(merged(&single, &["--plan", &plan]).0, Some(0));
    let mut found = files(&shards);
    found.retain(|name, _| !name.starts_with("archive.shard-"));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        files(&single).keys().collect::<Vec<_>>()
    );
    for (name, content) in files(&single) {
        assert!(found[&name] == content, "{name} differs");
    }
}

#[test]
fn the_results_of_the_same_files_elsewhere_are_the_same_bytes() {
    let archive = Archive::new();
    let here = pictures(&archive);
    let clip = archive.short_clip("pictures/b/clip.mp4");
    let there = archive.path("another/place");
    fs::create_dir_all(&there).expect("it is writable");
    let copied = Command::new("cp").arg("-r").arg(&here).arg(&there).status();
    assert!(copied.expect("it starts").success() && clip.exists());
    let [out, other] = ["out", "other"].map(|name| archive.path(name));
    let more = ["--decoders", "software", "--precision", "f32", "--report"];
    assert!(tag(&here, &out, &more).status.success());
    assert!(tag(&there.join("pictures"), &other, &more).status.success());
    let (found, others) = (files(&out), files(&other));
    assert!(
        found.contains_key("b/clip.mp4.summary.json"),
        "{:?}",
        found.keys()
    );
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        others.keys().collect::<Vec<_>>()
    );
    for (name, content) in &found {
        assert!(others[name] == *content, "{name} differs");
        let text = String::from_utf8_lossy(content);
        let folder = archive.folder.path().display().to_string();
        assert!(!text.contains(&folder), "{name} says where the file lies");
    }
    let summary: Value = serde_json::from_slice(&found["5.jpg.summary.json"]).expect("JSON");
    assert_eq!(summary["settings"]["decoders"], "software");
    assert!(
        summary["arithmetic"]
            .as_str()
            .expect("a text")
            .ends_with(" f32")
    );
}

#[test]
fn the_plan_has_root_path_and_size_of_each_file_and_a_shard_has_a_part_of_it() {
    let archive = Archive::new();
    let pictures = pictures(&archive);
    let listed = |arguments: &[&str]| -> Vec<Value> {
        let output = run(&[&["list", "--json"], arguments].concat(), &[&pictures]);
        assert!(output.status.success());
        events(&output)
    };
    let all = listed(&[]);
    let root = pictures
        .canonicalize()
        .expect("it exists")
        .display()
        .to_string();
    let size = fs::metadata(portrait()).expect("it exists").len();
    let mut expected = NAMES;
    expected.sort_unstable();
    let expected = expected.map(|name| json!({"root": root, "path": name, "size": size}));
    let mut sorted = all.clone();
    sorted.sort_by_key(|file| file["path"].to_string());
    assert_eq!(sorted, expected);
    let parts = ["1/3", "2/3", "3/3"].map(|shard| listed(&["--shard", shard]));
    let count: usize = parts.iter().map(Vec::len).sum();
    assert_eq!(count, NAMES.len());
    assert!(parts.concat().iter().all(|file| all.contains(file)));
}

#[test]
fn a_failure_is_in_the_manifest_and_stays_in_the_merged_archive() {
    let archive = Archive::new();
    let pictures = pictures(&archive);
    fs::write(pictures.join("broken.mp4"), "no video").expect("it is writable");
    let out = archive.path("out");
    let statuses =
        ["1/2", "2/2"].map(|shard| tag(&pictures, &out, &["--shard", shard]).status.code());
    assert!(
        statuses.contains(&Some(0)) && statuses.contains(&Some(1)),
        "{statuses:?}"
    );
    let (status, found) = merged(&out, &[]);
    assert_eq!(status, Some(1), "{found}");
    let failed = &found["failed"][0];
    assert_eq!(
        (&failed["file"], &failed["outcome"]),
        (&"broken.mp4".into(), &"failed".into())
    );
    assert!(
        failed["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    let output = run(&["merge"], &[&out]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("broken.mp4: ") && text.contains("6 tagged, 1 failed"),
        "{text}"
    );
}

#[test]
fn shards_of_another_division_or_of_other_settings_are_refused() {
    let archive = Archive::new();
    let pictures = pictures(&archive);
    let out = archive.path("out");
    assert!(tag(&pictures, &out, &["--shard", "1/2"]).status.success());
    assert!(tag(&pictures, &out, &["--shard", "2/3"]).status.success());
    let (status, said) = merged(&out, &[]);
    assert_eq!(status, Some(1));
    assert!(said.to_string().contains("2 and of 3 parts"), "{said}");
    fs::remove_file(out.join("archive.shard-2-of-3.json")).expect("it was written");
    let other = ["--shard", "2/2", "--facedetect", "min-size=20"];
    assert!(tag(&pictures, &out, &other).status.success());
    let (status, said) = merged(&out, &[]);
    assert_eq!(status, Some(1));
    assert!(said.to_string().contains("facedetect is"), "{said}");
}

#[test]
fn a_wrong_shard_or_plan_says_what_is_expected() {
    let archive = Archive::new();
    let pictures = pictures(&archive);
    let output = tag(&pictures, &archive.path("out"), &["--shard", "3/2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("1/4 to 4/4"));
    assert!(tag(&pictures, &archive.path("out"), &[]).status.success());
    let plan = archive.text("plan.txt", "a/1.jpg\n").display().to_string();
    let (status, said) = merged(&archive.path("out"), &["--plan", &plan]);
    assert_eq!(status, Some(1));
    assert!(
        said.to_string().contains("emotion-tag list --json"),
        "{said}"
    );
}
