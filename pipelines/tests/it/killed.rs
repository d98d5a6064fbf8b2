//! Programs that are killed at random instants: nothing is half-written under its name, and everything goes on.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use emotion_tests::gst_launch::GstEnvironment;
use emotion_tests::killed::{Killer, kills};
use gstemotion::record::Record;

use crate::common::{Archive, files};

/// The records of all clips by their names, each of them whole.
fn records(out: &Path) -> Vec<(String, String)> {
    let is_records = |name: &str| name.ends_with(".jsonl") && !name.starts_with('.');
    files(out)
        .into_iter()
        .filter(|(name, _)| is_records(name))
        .map(|(name, bytes)| (name, String::from_utf8(bytes).expect("records are text")))
        .collect()
}

#[test]
fn an_archive_whose_tagging_is_killed_at_any_moment_gets_the_same_results() {
    let archive = Archive::new();
    fs::create_dir(archive.path("clips")).expect("the folder is new");
    for (index, frames) in [0..20, 40..60, 80..100].into_iter().enumerate() {
        archive.clip(&format!("clips/{index}.mp4"), frames, crate::common::H264);
    }
    let tag = |out: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
        command
            .args(["--jobs", "2", "--out"])
            .arg(archive.path(out));
        command
            .arg(archive.path("clips"))
            .stderr(Stdio::null())
            .stdin(Stdio::null());
        command
    };
    let started = Instant::now();
    assert!(
        tag("undisturbed")
            .stdout(Stdio::null())
            .status()
            .expect("it starts")
            .success()
    );
    let expected = records(&archive.path("undisturbed"));
    assert_eq!(expected.len(), 3);

    let mut killer = Killer::new(11, started.elapsed());
    for _ in 0..kills() {
        let has_ended = killer.run(&mut tag("killed"));
        for found in records(&archive.path("killed")) {
            assert!(expected.contains(&found), "{} is not whole", found.0);
        }
        if has_ended {
            fs::remove_dir_all(archive.path("killed")).expect("it is ours");
        }
    }
    assert!(
        tag("killed")
            .stdout(Stdio::null())
            .status()
            .expect("it starts")
            .success()
    );
    assert_eq!(records(&archive.path("killed")), expected);
    let names: Vec<String> = files(&archive.path("killed")).into_keys().collect();
    let expected: Vec<String> = files(&archive.path("undisturbed")).into_keys().collect();
    assert_eq!(names, expected, "and nothing else is left");
}

#[test]
fn records_of_cameras_are_whole_lines_however_often_the_program_is_killed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = "[[source]]\nname = \"made\"\nlaunch = \"videotestsrc is-live=true\"\n[records]\njsonl = \"records.jsonl\"\n";
    fs::write(folder.path().join("crowd.toml"), settings).expect("it is writable");
    let crowd = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-crowd"));
        command
            .arg("crowd.toml")
            .current_dir(folder.path())
            .stderr(Stdio::null());
        command
    };
    let mut killer = Killer::new(17, Duration::from_secs(1));
    for _ in 0..kills() {
        assert!(!killer.run(&mut crowd()), "a camera has no end");
    }
    let path = folder.path().join("records.jsonl");
    let lines = || {
        fs::read_to_string(&path)
            .unwrap_or_default()
            .lines()
            .count()
    };
    let mut running = crowd().stdin(Stdio::null()).spawn().expect("it starts");
    let (before, started) = (lines(), Instant::now());
    while lines() < before + 3 && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    running.kill().expect("it is ours");
    running.wait().expect("it was killed");
    let text = fs::read_to_string(&path).expect("there are records");
    assert!(text.lines().count() >= before + 3, "it goes on");
    // The kernel takes a line as a whole; if it once does not, the rest must not be glued to the next record.
    let torn = text
        .lines()
        .filter(|line| serde_json::from_str::<Record>(line).is_err());
    assert!(torn.count() <= kills() + 1, "{text}");
}

#[test]
fn a_published_file_is_replaced_by_a_whole_one_or_not_at_all() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let out = environment.path().join("faces.jsonl");
    let publish = || {
        let mut command = environment
            .command("gst-launch-1.0")
            .expect("the search paths can be written");
        command.args([
            "-q",
            "-e",
            "videotestsrc",
            "num-buffers=200",
            "!",
            "emotionpublish",
        ]);
        command
            .arg(format!("location={}", out.display()))
            .args(["!", "fakesink"]);
        command.stderr(Stdio::null());
        command
    };
    let started = Instant::now();
    assert!(publish().status().expect("it starts").success());
    let whole = |text: &str| {
        text.lines()
            .filter(|line| serde_json::from_str::<Record>(line).is_ok())
            .count()
    };
    let expected = whole(&fs::read_to_string(&out).expect("it was written"));
    assert_eq!(expected, 200);
    let mut killer = Killer::new(23, started.elapsed());
    for _ in 0..kills() {
        killer.run(&mut publish());
        let text = fs::read_to_string(&out).expect("the file of before, or the new one");
        assert_eq!((whole(&text), text.lines().count()), (expected, expected));
    }
}
