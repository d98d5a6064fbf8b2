//! Spans of time, which developers read.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::*;
use emotion_tests::picture::portrait;
use serde_json::Value;

fn traced(archive: &Archive, trace: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command
        .arg(portrait())
        .arg("--out")
        .arg(archive.path("out"));
    command
        .env("EMOTION_TRACE", trace)
        .output()
        .expect("it starts")
}

#[test]
fn each_part_of_tagging_says_how_long_it_took() {
    let archive = Archive::new();
    let trace = archive.path("trace.jsonl");
    assert!(traced(&archive, &trace).status.success());
    let text = fs::read_to_string(trace).expect("it was written");
    let mut names = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let busy = &line["fields"]["time.busy"];
        assert!(
            busy.as_str().is_some_and(|time| time.ends_with('s')),
            "{line}"
        );
        names.push(line["span"]["name"].as_str().expect("a name").to_owned());
    }
    // Of this process and of its worker.
    for name in ["list", "file", "fingerprint", "tag", "play", "write"] {
        assert!(
            names.contains(&name.to_owned()),
            "{name} is not in {names:?}"
        );
    }
}

#[test]
fn a_trace_that_cannot_be_written_is_refused() {
    let archive = Archive::new();
    let output = traced(&archive, Path::new("/dev/null/trace"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success()
            && text.contains("EMOTION_TRACE=/dev/null/trace: cannot be written"),
        "{text}"
    );
    assert!(!archive.path("out").exists());
}
