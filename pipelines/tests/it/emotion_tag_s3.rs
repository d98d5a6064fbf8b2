//! `emotion-tag` on an object store.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use crate::common::*;
use crate::object_store::{SECRET, Store};
use emotion_tests::free_port;
use emotion_tests::picture::portrait;
use serde_json::Value;

fn outcomes(output: &Output) -> BTreeMap<String, Value> {
    let ended = events(output).into_iter();
    let ended = ended.filter(|event| event["event"] != "started" && event["file"].is_string());
    ended
        .map(|event| (event["file"].as_str().expect("a text").to_owned(), event))
        .collect()
}

/// The files of an archive: pictures in folders, and a clip of several ranges.
fn fill(archive: &Archive, store: &Store) -> std::path::PathBuf {
    let folder = archive.path("in");
    fs::create_dir_all(folder.join("a b")).expect("it is writable");
    let picture = fs::read(portrait()).expect("it is there");
    fs::write(folder.join("a b/1.jpg"), &picture).expect("it is writable");
    fs::write(folder.join("2.jpg"), &picture).expect("it is writable");
    // Larger than what is read at once.
    let raw = "video/x-raw,format=I420,width=1280,height=720 ! avimux";
    archive.clip("in/clip.avi", 0..40, &format!("videoscale ! {raw}"));
    for (name, content) in files(&folder) {
        store.put(&format!("talks/{}", name.replace(' ', "%20")), &content);
    }
    store.put("talks/notes.txt", b"no picture");
    store.put("talks/.hidden/3.jpg", &picture);
    folder
}

#[test]
fn files_of_a_store_are_tagged_into_a_store_as_files_of_a_folder_into_a_folder() {
    let Some(store) = Store::start() else { return };
    let archive = Archive::new();
    let folder = fill(&archive, &store);
    let size = fs::metadata(folder.join("clip.avi"))
        .expect("it is there")
        .len();
    assert!(size > 40 << 20, "{size}");
    let scratch = archive.path("scratch");
    fs::create_dir(&scratch).expect("it is writable");
    let tag = |more: &[&str]| {
        let words = [
            "--json",
            "--report",
            "s3://archive/talks/",
            "--out",
            "s3://archive/tags",
        ];
        store.emotion_tag(&scratch, &[&words, more].concat())
    };

    let first = tag(&[]);
    assert!(first.status.success(), "{first:?}");
    let ended = outcomes(&first);
    assert_eq!(
        ended.keys().collect::<Vec<_>>(),
        [
            "s3://archive/talks/2.jpg",
            "s3://archive/talks/a b/1.jpg",
            "s3://archive/talks/clip.avi",
        ]
    );
    assert!(
        ended.values().all(|event| event["event"] == "tagged"),
        "{ended:?}"
    );
    // Nothing stays on this machine.
    assert_eq!(fs::read_dir(&scratch).expect("it is there").count(), 0);

    let single = archive.path("single");
    let ran = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
        .args(["--report", "--out"])
        .args([&single, &folder])
        .output();
    assert!(ran.expect("it starts").status.success());
    let (stored, local) = (store.objects("tags/"), files(&single));
    assert_eq!(
        stored.keys().collect::<Vec<_>>(),
        local.keys().collect::<Vec<_>>()
    );
    for (name, content) in &stored {
        match name.strip_suffix("summary.json") {
            None => assert!(local[name] == *content, "{name} differs"),
            Some(_) => {
                let mut summary: Value = serde_json::from_slice(content).expect("JSON");
                let of = name.strip_suffix(".summary.json").expect("it has one");
                assert_eq!(
                    summary["input"]["address"],
                    format!("s3://archive/talks/{of}")
                );
                let input = summary["input"].as_object_mut().expect("an object");
                assert!(input.remove("validator").is_some() && input.remove("address").is_some());
                let same: Value = serde_json::from_slice(&local[name]).expect("JSON");
                assert_eq!(summary, same, "{name}");
            }
        }
    }

    // What did not change is not even read.
    let again = tag(&[]);
    assert!(again.status.success());
    let ended = outcomes(&again);
    assert!(
        ended
            .values()
            .all(|event| event["event"] == "tagged before"),
        "{ended:?}"
    );
    store.put(
        "talks/2.jpg",
        &fs::read(folder.join("a b/1.jpg")).expect("it is there")[..2000],
    );
    let broken = tag(&[]);
    assert_eq!(broken.status.code(), Some(1));
    let ended = outcomes(&broken);
    assert_eq!(
        ended["s3://archive/talks/2.jpg"]["event"], "failed",
        "{ended:?}"
    );
    assert_eq!(
        ended["s3://archive/talks/clip.avi"]["event"],
        "tagged before"
    );
}

#[test]
fn a_store_that_checks_signatures_is_read_and_written_with_the_right_key() {
    let Some(mut store) = Store::start() else {
        return;
    };
    let archive = Archive::new();
    fill(&archive, &store);
    store.check_signatures();
    let scratch = archive.path("scratch");
    fs::create_dir(&scratch).expect("it is writable");
    let words = ["s3://archive/talks/", "--out", "s3://archive/tags"];
    let tagged = store.emotion_tag(&scratch, &words);
    assert!(tagged.status.success(), "{tagged:?}");
    let again = store.emotion_tag(&scratch, &[&["--json"][..], &words].concat());
    let ended = outcomes(&again);
    assert_eq!(ended.len(), 3, "{again:?}");
    assert!(
        ended
            .values()
            .all(|event| event["event"] == "tagged before"),
        "{ended:?}"
    );
    store.key[1] = SECRET.to_owned();
    let refused = store.emotion_tag(&scratch, &words);
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{errors}");
    let said = "the store refuses access; check AWS_ACCESS_KEY_ID";
    assert!(errors.contains(said), "{errors}");
}

#[test]
fn shards_in_a_store_are_merged_there() {
    let Some(store) = Store::start() else { return };
    let archive = Archive::new();
    fill(&archive, &store);
    let scratch = archive.path("scratch");
    fs::create_dir(&scratch).expect("it is writable");
    for shard in ["1/2", "2/2"] {
        let words = [
            "s3://archive/talks",
            "--out",
            "s3://archive/tags",
            "--shard",
            shard,
        ];
        assert!(store.emotion_tag(&scratch, &words).status.success());
        let merged = store.emotion_tag(&scratch, &["merge", "s3://archive/tags"]);
        let expected = if shard == "2/2" { 0 } else { 75 };
        assert_eq!(merged.status.code(), Some(expected), "{merged:?}");
    }
    let merged = store.emotion_tag(&scratch, &["merge", "s3://archive/tags"]);
    let said = String::from_utf8(merged.stdout).expect("text");
    assert!(said.contains("s3://archive/tags/archive.csv\n"), "{said}");
    assert!(said.ends_with("3 tagged\n"), "{said}");
    let objects = store.objects("tags/");
    for name in [
        "archive.parquet",
        "archive.html",
        "archive.shard-1-of-2.json",
    ] {
        assert!(objects.contains_key(name), "{name}");
    }
    let table = String::from_utf8(objects["archive.csv"].clone()).expect("text");
    assert!(table.contains("clip.avi"), "{table}");
}

#[test]
fn what_is_wrong_with_a_store_is_said_with_whether_to_try_again() {
    let Some(store) = Store::start() else { return };
    let archive = Archive::new();
    let scratch = archive.path("scratch");
    fs::create_dir(&scratch).expect("it is writable");
    let out = archive.path("out").display().to_string();
    for (input, status, said) in [
        (
            "s3://archive/nothing",
            1,
            "there is no object at this address",
        ),
        (
            "s3://nowhere/talks",
            1,
            "no such object or bucket (NoSuchBucket)",
        ),
    ] {
        let ran = store.emotion_tag(&scratch, &[input, "--out", &out]);
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(status), "{errors}");
        assert!(errors.contains(said), "{errors}");
    }
    // A store that does not answer may do so later.
    let process = Command::new("true").spawn().expect("it starts");
    let away = Store::new(free_port(), process);
    let ran = away.emotion_tag(&scratch, &["--json", "s3://archive/talks", "--out", &out]);
    assert_eq!(ran.status.code(), Some(75), "{ran:?}");
}
