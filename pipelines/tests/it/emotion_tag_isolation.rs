//! `emotion-tag` on files that make their decoder crash, hang or eat memory: only they are lost.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::*;
use emotion_tests::picture::portrait;
use serde_json::Value;

/// The limits of the tests: a short time, and more memory than a worker needs.
const LIMITS: [&str; 4] = ["--timeout", "3", "--memory", "300M"];

fn tag(out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command.arg("--json").arg("--out").arg(out);
    command.stdin(Stdio::null());
    command
}

/// Tags files of these names with a worker that only pretends to.
fn with_fake_worker(archive: &Archive, arguments: &[&str], names: &[&str]) -> Output {
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fake_worker.py");
    let paths = names.iter().map(|name| archive.text(name, name));
    let mut command = tag(&archive.path("out"));
    command
        .arg("--worker")
        .arg(fake)
        .args(LIMITS)
        .args(arguments);
    command.args(paths).output().expect("it starts")
}

/// The last event of each file by its name, and what the program said about it.
fn outcomes(output: &Output) -> BTreeMap<String, (String, String)> {
    let text = String::from_utf8_lossy(&output.stdout);
    let events = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect(line));
    let mut found = BTreeMap::new();
    for event in events {
        let Some(file) = event["file"].as_str() else {
            continue;
        };
        let name = Path::new(file)
            .file_name()
            .expect("it has one")
            .to_string_lossy();
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        found.insert(name.into_owned(), (text("event"), text("message")));
    }
    found
}

/// A file that costs more than its own results would leave others untagged.
fn assert_only_these_fail(jobs: &str, failing: &[(&str, &str)]) {
    let archive = Archive::new();
    let mut names = vec!["good1"];
    for (name, _) in failing {
        names.extend([name, "good2"]);
    }
    names.dedup();
    names.push("good3");
    let output = with_fake_worker(&archive, &["--jobs", jobs], &names);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let outcomes = outcomes(&output);
    for (name, reason) in failing {
        let (event, message) = &outcomes[*name];
        assert_eq!(event, "failed", "{name}");
        assert!(message.contains(reason), "{name}: {message}");
    }
    for name in ["good1", "good2", "good3"] {
        assert_eq!(outcomes[name].0, "tagged", "{name}: {errors}");
        summary(&archive.path("out"), name);
    }
    assert!(!archive.path("out/.emotion-tag").exists());
}

const FAILING: [(&str, &str); 6] = [
    ("always-crash", "crashed (SIGSEGV): a decoder says why"),
    ("stall", "no progress within 3 s"),
    (
        "always-memory",
        "of memory, the limit is 300.0 MiB; --memory allows more",
    ),
    ("refuse", "there are no pictures in it"),
    ("always-chatter", "sent an unexpected message"),
    ("always-close", "was killed (SIGKILL)"),
];

#[test]
fn a_file_that_crashes_hangs_or_eats_memory_is_reported_and_the_rest_is_tagged() {
    assert_only_these_fail("1", &FAILING);
}

#[test]
fn that_holds_for_several_jobs_too() {
    assert_only_these_fail("3", &FAILING);
}

#[test]
fn after_a_crash_one_more_attempt_is_made_and_the_summary_tells_why() {
    let archive = Archive::new();
    let names = ["crash", "stall with hardware", "good"];
    let output = with_fake_worker(&archive, &["--jobs", "1"], &names);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    for (name, reason) in [("crash", "SIGSEGV"), ("stall with hardware", "no progress")] {
        let retried = summary(&archive.path("out"), name)["retried"].to_string();
        assert!(retried.contains(reason), "{name}: {retried}");
    }
    assert_eq!(
        summary(&archive.path("out"), "good")["retried"],
        Value::Null
    );
    assert!(errors.contains("a decoder says why"), "{errors}");
}

#[test]
fn failures_say_whether_another_attempt_may_succeed() {
    let retries = |names: &[&str]| {
        let archive = Archive::new();
        let output = with_fake_worker(&archive, &["--jobs", "1"], names);
        let events = events(&output);
        let failed = events.iter().filter(|event| event["event"] == "failed");
        let retries: Vec<_> = failed.map(|event| event["retry"].clone()).collect();
        let finished = events.last().expect("there are events");
        (output.status.code(), retries, finished["retry"].clone())
    };
    let temporary = ["good", "always-full", "always-killed", "always-memory"];
    let found = retries(&temporary);
    assert_eq!(found, (Some(75), vec![true.into(); 3], 3.into()));
    let found = retries(&["always-full", "always-refuse"]);
    assert_eq!(found, (Some(1), vec![true.into(), false.into()], 1.into()));
}

#[test]
fn one_worker_tags_one_file_after_the_other_and_is_replaced_after_a_failure() {
    let archive = Archive::new();
    let names = ["a", "b", "refuse", "c", "d"];
    with_fake_worker(&archive, &["--jobs", "1"], &names);
    let process = |name| summary(&archive.path("out"), name)["process"].as_u64();
    assert_eq!(process("a"), process("b"));
    assert_ne!(process("b"), process("c"));
    assert_eq!(process("c"), process("d"));
}

#[test]
fn a_worker_that_does_not_start_is_said_once() {
    let archive = Archive::new();
    for (program, reason) in [
        ("/nowhere", "cannot be started: No such file"),
        ("/bin/false", "does not start: it ended with exit status 1"),
        (
            "/bin/echo",
            "does not start: it ended with exit status 0: --as-worker",
        ),
    ] {
        let output = tag(&archive.path("out"))
            .args(["--worker", program, "--jobs", "2"])
            .args([portrait(), archive.text("b.png", "b")])
            .output()
            .expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert_eq!(errors.matches(reason).count(), 1, "{errors}");
    }
}

fn kill(signal: &str, process: u32) {
    let killed = Command::new("kill")
        .args([signal, &process.to_string()])
        .status();
    assert!(killed.expect("kill starts").success());
}

/// Starts the real program on a clip and waits until it is in the middle of it; gives its output and its worker.
fn in_the_middle(command: &mut Command) -> (std::process::Child, Vec<u32>) {
    let mut running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(running.stdout.as_mut().expect("it is piped")).lines();
    let mut events = lines
        .map_while(Result::ok)
        .map(|line| serde_json::from_str::<Value>(&line).expect("each line is JSON"));
    let has_begun =
        |event: Value| event["event"] == "progress" && event["frames"].as_u64() >= Some(2);
    assert!(events.any(has_begun), "it ended before");
    let workers = children(running.id());
    assert_eq!(workers.len(), 1);
    (running, workers)
}

/// Properties with which a clip of two seconds takes longer than the test needs.
const SLOWLY: [&str; 2] = [
    "--facedetect",
    "detection-interval=1 detection-size=2048 tiles=4",
];

#[test]
fn a_decoder_that_crashes_once_costs_no_results() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mp4", 0..60, H264);
    let out = archive.path("out");
    let mut command = tag(&out);
    let (mut running, workers) = in_the_middle(command.args(SLOWLY).arg(&clip));
    // Rust ignores the first SIGSEGV that no instruction causes.
    kill("-ABRT", workers[0]);
    // The pipe must not fill up.
    std::io::copy(
        running.stdout.as_mut().expect("it is piped"),
        &mut std::io::sink(),
    )
    .expect("it is readable");
    assert!(running.wait().expect("it ends").success());
    let retried = summary(&archive.path("out"), "clip.mp4")["retried"].to_string();
    assert!(retried.contains("crashed (SIGABRT)"), "{retried}");
    assert_eq!(summary(&archive.path("out"), "clip.mp4")["frames"], 60);
}

#[test]
fn a_killed_program_takes_its_workers_with_it() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mp4", 0..60, H264);
    let mut command = tag(&archive.path("out"));
    let (mut running, workers) = in_the_middle(command.args(SLOWLY).arg(&clip));
    running.kill().expect("it runs");
    running.wait().expect("it ends");
    // It is no child of this process, so only its absence can be waited for.
    let stat = PathBuf::from(format!("/proc/{}/stat", workers[0]));
    let is_running = || {
        let state = fs::read_to_string(&stat).unwrap_or_default();
        // A process that nobody has waited for yet is a zombie.
        !state.is_empty() && !state.contains(") Z")
    };
    let started = std::time::Instant::now();
    while is_running() {
        assert!(started.elapsed().as_secs() < 60, "the worker goes on");
        std::thread::yield_now();
    }
}

#[test]
fn a_file_that_needs_more_memory_than_allowed_is_refused_with_the_remedy() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mp4", 0..60, H264);
    let output = tag(&archive.path("out"))
        .args(SLOWLY)
        .args(["--memory", "1M"])
        .arg(&clip)
        .output()
        .expect("it starts");
    // Another attempt may have more memory.
    assert_eq!(output.status.code(), Some(75));
    let (_, message) = &outcomes(&output)["clip.mp4"];
    assert!(
        message.contains("the limit is 1.0 MiB; --memory allows more"),
        "{message}"
    );
}
