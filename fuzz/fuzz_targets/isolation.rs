//! A worker process of `emotion-tag` whose decoder is broken: it sends and prints anything and ends in any way. The file is lost,
//! and nothing else.

#![no_main]

use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use emotion_pipelines::runner::StopFlag;
use emotion_pipelines::tag::inputs::{self, InputArguments};
use emotion_pipelines::tag::limits::Limits;
use emotion_pipelines::tag::progress::TagProgress;
use emotion_pipelines::tag::settings::Settings;
use emotion_pipelines::tag::{self, Destination, Options};
use libfuzzer_sys::fuzz_target;

/// Leaves a summary where results grow, sends, prints, and ends by itself or by a signal.
const WORKER: &str = r#"#!/bin/bash
cd "$(dirname "$0")"
read -r _
cat setup >&0
read -r -t 1 _
for hidden in out/.emotion-tag/*; do [ ! -d "$hidden" ] || echo '{}' >"$hidden/result.summary.json"; done
cat printed
cat sent >&0
[ ! -s signal ] || kill -"$(cat signal)" $$
"#;

static START: Once = Once::new();

// What the worker prints, how it ends (the number of a signal), and what it sends before and after it gets the file, with `|` between
// them.
fuzz_target!(|bytes: &[u8]| {
    START.call_once(|| emotion_pipelines::init().expect("GStreamer starts"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let write =
        |name: &str, content: &[u8]| fs::write(path(name), content).expect("it is writable");
    let mut parts = bytes.splitn(4, |byte| *byte == b'|');
    let mut part = || parts.next().unwrap_or_default();
    write("printed", part());
    let signal = part()
        .first()
        .filter(|byte| matches!(byte, b'3' | b'6' | b'9'));
    write("signal", signal.map_or(&[], std::slice::from_ref));
    write("setup", part());
    write("sent", part());
    write("worker", WORKER.as_bytes());
    fs::set_permissions(path("worker"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    write("clip.mp4", b"no video");
    run(folder.path());
});

fn run(folder: &Path) {
    let out = folder.join("out");
    let paths = [folder.join("clip.mp4")];
    let inputs = inputs::scan(InputArguments {
        paths: &paths,
        ..InputArguments::default()
    })
    .expect("the file is there");
    let options = Options {
        settings: Settings {
            emotionclassify: "model=mini_xception".into(),
            ..Settings::default()
        },
        out: Destination::Folder(out.clone()),
        shard: None,
        work: None,
        jobs: NonZeroUsize::MIN,
        resume: true,
        limits: Limits {
            timeout: Duration::from_secs(2),
            memory: None,
        },
        worker: folder.join("worker"),
    };
    let mut events = Vec::new();
    let result = tag::run(
        &options,
        &inputs,
        &StopFlag::default(),
        &TagProgress::json(&mut events),
    );
    let tagged = result.as_ref().map_or(0, |totals| totals.tagged);
    if let Ok(totals) = result {
        assert_eq!(totals.tagged + totals.failed, 1, "{totals:?}");
    }
    let has_summary = out.join("clip.mp4.summary.json").exists();
    assert_eq!(
        tagged == 1,
        has_summary,
        "{}",
        String::from_utf8_lossy(&events)
    );
    assert!(
        !out.join(".emotion-tag").exists(),
        "the hidden folder is removed"
    );
}
