//! Results in a folder, as `emotion-tag table`, `report` and `merge` read them: records, summary, manifest.

#![no_main]

use std::fs;
use std::sync::Once;

use emotion_pipelines::archive::{Archive, Grouping};
use emotion_pipelines::tag::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

static START: Once = Once::new();

// The files follow each other, with a line of `---` between them.
fuzz_target!(|text: &str| {
    let files = text.split("---\n");
    START.call_once(|| emotion_pipelines::init().expect("GStreamer starts"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names = ["a.mp4.jsonl", "a.mp4.summary.json", "manifest-1-of-1.json"];
    for (name, text) in names.iter().zip(files) {
        fs::write(folder.path().join(name), text).expect("it is writable");
    }
    let _ = Manifest::read_all(folder.path());
    if let Ok(archive) = Archive::read(folder.path()) {
        let grouping = Grouping::default();
        archive
            .write_tables(&grouping)
            .expect("what was read can be written");
        archive
            .write_page(&grouping)
            .expect("what was read can be written");
    }
});
