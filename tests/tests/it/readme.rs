//! What README and docs/ say: their pipelines run in `gst-launch-1.0` with a test picture in place of the camera, their tables
//! name every property, and their links lead somewhere.

use std::fs;
use std::path::PathBuf;

use emotion_tests::{gst_launch::GstEnvironment, repository};
use gst::prelude::*;

const FORMATS: [&str; 13] = [
    "GRAY8", "I420", "YV12", "NV12", "NV21", "YUY2", "UYVY", "RGB", "BGR", "RGBx", "BGRx", "RGBA",
    "BGRA",
];
const ELEMENTS: [&str; 6] = [
    "facedetect",
    "emotionfacedetect",
    "emotionclassify",
    "emotionoverlay",
    "emotionpublish",
    "emotionzones",
];

/// README.md and the pages in docs/, each with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(repository("docs")).expect("it stands in the repository");
    let docs = docs.map(|entry| entry.expect("it can be read").path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let paths = [repository("README.md")].into_iter().chain(docs);
    paths
        .map(|path| (path.clone(), fs::read_to_string(path).expect("it is text")))
        .collect()
}

/// Runs a line with pictures of this format in place of its source and without its window; it must not complain.
fn assert_runs(environment: &GstEnvironment, line: &str, format: &str) {
    let source =
        format!("videotestsrc num-buffers=3 ! video/x-raw,format={format},width=320,height=240");
    let line = line
        .replace("v4l2src", &source)
        .replace("filesrc location=talk.mp4 ! decodebin", &source)
        .replace("autovideosink", "fakesink");
    let ran = environment.launch(&line).expect("gst-launch-1.0 starts");
    let complaint = ["WARN", "ERROR", "CRITICAL", "panicked"]
        .iter()
        .any(|word| ran.text.contains(word));
    assert!(ran.succeeded && !complaint, "{line}: {}", ran.text);
}

/// The first line of the README that starts `gst-launch-1.0`, without that word.
fn readme_line() -> String {
    let readme = fs::read_to_string(repository("README.md")).expect("it stands in the repository");
    let line = readme
        .lines()
        .find_map(|line| line.trim().strip_prefix("gst-launch-1.0 "));
    line.expect("the README opens with it").to_owned()
}

#[test]
fn the_first_pipeline_of_the_readme_runs_in_every_format() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let line = readme_line();
    assert!(
        line.contains("v4l2src") && line.contains("autovideosink"),
        "{line}"
    );
    for format in FORMATS {
        assert_runs(&environment, &line, format);
    }
}

/// Elements of GStreamer 1.24 and newer: `make test-debian13` runs the lines that have them.
const NEEDS_NEWER: [&str; 1] = ["objectdetectionoverlay"];

#[test]
fn every_pipeline_and_every_setting_in_the_documentation_runs() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let mut count = 0;
    for (_, text) in pages() {
        for line in text.lines().filter_map(|line| line.strip_prefix("    ")) {
            let line = match line.strip_prefix("gst-launch-1.0 ") {
                // What reads the records comes behind a pipe of the shell.
                Some(line) => line.split(" | ").next().unwrap_or_default().to_owned(),
                None if line.starts_with("facedetect ") => {
                    let element = line.split(" #").next().unwrap_or_default();
                    format!("v4l2src ! {element} ! fakesink")
                }
                None => continue,
            };
            // A line with gaps is the reader's to fill in.
            if line.contains('…') || NEEDS_NEWER.iter().any(|element| line.contains(element)) {
                continue;
            }
            assert_runs(&environment, &line, "I420");
            count += 1;
        }
    }
    assert!(count >= 8, "{count} lines");
}

#[test]
fn every_link_of_the_documentation_leads_to_a_file() {
    for (path, text) in pages() {
        let folder = path.parent().expect("a file stands in a folder");
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("https://")) {
            let file = target.split('#').next().unwrap_or_default();
            assert!(
                file.is_empty() || folder.join(file).exists(),
                "{}: {target}",
                path.display()
            );
        }
    }
}

#[test]
fn the_elements_describe_themselves_with_an_example() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    for element in ELEMENTS {
        let ran = environment
            .inspect(&[element])
            .expect("gst-inspect-1.0 starts");
        assert!(ran.succeeded, "{element}: {}", ran.text);
        assert!(
            ran.text.contains("Filename") && ran.text.contains("libgstemotion.so"),
            "{element}: {}",
            ran.text
        );
    }
}

#[test]
fn the_installed_plugin_loads_without_complaint() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let plugin = environment.path().join("plugins/libgstemotion.so");
    let ran = environment
        .inspect(&[plugin
            .to_str()
            .expect("a temporary folder has a plain name")])
        .expect("gst-inspect-1.0 starts");
    assert!(ran.succeeded, "{}", ran.text);
    for element in ELEMENTS {
        assert!(
            ran.text.contains(element),
            "{element} is not in the plugin: {}",
            ran.text
        );
    }
}

#[test]
fn the_documentation_lists_every_property_of_every_element() {
    emotion_pipelines::init().expect("GStreamer starts");
    let page = fs::read_to_string(repository("docs/elements.md")).expect("it is in the repository");
    for element in [
        "facedetect",
        "emotionclassify",
        "emotionzones",
        "emotionoverlay",
        "emotionpublish",
    ] {
        let section = page
            .split("\n## ")
            .find(|section| section.starts_with(element));
        let section = section.unwrap_or_else(|| panic!("no section {element}"));
        let made = gst::ElementFactory::make(element)
            .build()
            .expect("it is in the plugin");
        for property in made
            .list_properties()
            .iter()
            .filter(|property| property.owner_type().name().starts_with("GstEmotion"))
        {
            assert!(
                section.lines().any(|line| line.starts_with("| `")
                    && line.contains(&format!("`{}`", property.name()))),
                "{element} {}",
                property.name()
            );
        }
    }
}
