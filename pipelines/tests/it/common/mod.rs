//! Generated files for the tests of the programs, and helpers to read results.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::{fs, io};

use emotion_pipelines::clip::Clip;
use emotion_pipelines::launch_line::LaunchLine;
use emotion_pipelines::runner::{self, StopFlag};
use gst::prelude::*;
use gstemotion::record::Record;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A folder with generated files.
pub(crate) struct Archive {
    pub(crate) folder: tempfile::TempDir,
}

impl Archive {
    pub(crate) fn new() -> Self {
        gst::init().expect("GStreamer starts");
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The made clip, or a part of it, through `encoder` into a file.
    pub(crate) fn clip(&self, name: &str, frames: Range<usize>, encoder: &str) -> PathBuf {
        let file = self.path(name);
        let line = LaunchLine::default()
            .words("appsrc name=drawn ! videoconvert !")
            .words(encoder)
            .words("! filesink")
            .path("location", &file);
        let pipeline = line.launch().expect("the encoder is installed");
        let drawn = pipeline.by_name("drawn").expect("it was named");
        let drawn = drawn.downcast::<gst_app::AppSrc>().expect("it is one");
        Clip::new()
            .expect("the portrait is whole")
            .feed(&drawn, frames);
        runner::run(&pipeline, &StopFlag::default(), |_| {}).expect("it can be encoded");
        file
    }

    /// Three seconds in which one face appears after the first second.
    pub(crate) fn short_clip(&self, name: &str) -> PathBuf {
        self.clip(name, 0..75, H264)
    }

    /// The output of a GStreamer line.
    pub(crate) fn made(&self, name: &str, words: &str) -> PathBuf {
        let file = self.path(name);
        let line = LaunchLine::default()
            .words(words)
            .words("! filesink")
            .path("location", &file);
        let pipeline = line.launch().expect("the elements are installed");
        runner::run(&pipeline, &StopFlag::default(), |_| {}).expect("it can be made");
        file
    }

    pub(crate) fn text(&self, name: &str, text: &str) -> PathBuf {
        let file = self.path(name);
        fs::write(&file, text).expect("it is writable");
        file
    }
}

pub(crate) const H264: &str = "video/x-raw,format=I420 ! x264enc speed-preset=ultrafast tune=zerolatency ! h264parse ! mp4mux";

/// The child processes of a program.
pub(crate) fn children(program: u32) -> Vec<u32> {
    let children = format!("/proc/{program}/task/{program}/children");
    // Each thread has its own children.
    let threads = fs::read_dir(format!("/proc/{program}/task")).expect("it runs");
    let paths = threads
        .flatten()
        .map(|thread| thread.path().join("children"));
    let all = paths.chain([PathBuf::from(children)]);
    let texts = all.filter_map(|path| fs::read_to_string(path).ok());
    let mut found: Vec<u32> = texts
        .flat_map(|text| {
            let ids = text
                .split_whitespace()
                .map(|id| id.parse().expect("a number"));
            ids.collect::<Vec<u32>>()
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Every file below a folder with its content, including hidden files, without the list of the folders that were tagged.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn add(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                add(root, &path, files)?;
            } else {
                let name = path.strip_prefix(root).unwrap_or(&path);
                if name == Path::new(".emotion-tag.roots") {
                    continue;
                }
                files.insert(name.display().to_string(), fs::read(&path)?);
            }
        }
        Ok(())
    }
    let mut files = BTreeMap::new();
    if folder.exists() {
        add(folder, folder, &mut files).expect("it can be read");
    }
    files
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

/// Decodes a file and counts its video frames and audio buffers.
pub(crate) fn pictures_and_sounds(video: &Path) -> (usize, usize) {
    gst::init().expect("GStreamer starts");
    let line = LaunchLine::default()
        .words("filesrc")
        .path("location", video)
        .words("! decodebin name=decode decode. ! video/x-raw ! fakesink name=video sync=false")
        .words("decode. ! audio/x-raw ! fakesink name=audio sync=false");
    let pipeline = line.launch().expect("the elements exist");
    let (counted, counter) = std::sync::mpsc::channel();
    for name in ["video", "audio"] {
        let sink = pipeline.by_name(name).expect("it was named");
        let pad = sink.static_pad("sink").expect("a sink has a pad");
        let counted = counted.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            counted.send(name).expect("the test is still there");
            gst::PadProbeReturn::Ok
        });
    }
    runner::run(&pipeline, &StopFlag::default(), |_| {}).expect("the video is whole");
    let all: Vec<_> = counter.try_iter().collect();
    let count = |name| all.iter().filter(|found| **found == name).count();
    (count("video"), count("audio"))
}

/// The JSON objects in the lines of a text.
fn json_lines<T: DeserializeOwned>(text: &str) -> Vec<T> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

/// What a program reported with `--json`.
pub(crate) fn events(output: &Output) -> Vec<Value> {
    json_lines(std::str::from_utf8(&output.stdout).expect("JSON is text"))
}

/// The records in a file of JSON Lines.
pub(crate) fn records(path: &Path) -> Vec<Record> {
    json_lines(&fs::read_to_string(path).expect("it was written"))
}

/// The summary of the input `name` in the folder of the results.
pub(crate) fn summary(out: &Path, name: &str) -> Value {
    let text = fs::read_to_string(out.join(format!("{name}.summary.json")));
    serde_json::from_str(&text.expect("it was written")).expect("it is JSON")
}
