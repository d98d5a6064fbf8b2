//! What the README says: its first line is run by `gst-launch-1.0` with the plugin, a test picture in place of the camera.

use std::fs;

use emotion_tests::{gst_launch::Scratch, repository};
use gst::prelude::*;

const FORMATS: [&str; 13] = [
    "GRAY8", "I420", "YV12", "NV12", "NV21", "YUY2", "UYVY", "RGB", "BGR", "RGBx", "BGRx", "RGBA",
    "BGRA",
];
const ELEMENTS: [&str; 5] = [
    "facedetect",
    "emotionfacedetect",
    "emotionclassify",
    "emotionoverlay",
    "emotionpublish",
];

/// The first line of the README that starts `gst-launch-1.0`, without that word.
fn readme_line() -> String {
    let readme = fs::read_to_string(repository("README.md")).expect("it stands in the repository");
    let line = readme
        .lines()
        .find_map(|line| line.trim().strip_prefix("gst-launch-1.0 "));
    line.expect("the README opens with it").to_owned()
}

#[test]
fn it_runs_in_every_format() {
    let scratch = Scratch::new().expect("the plugin was built");
    let line = readme_line();
    assert!(
        line.contains("v4l2src") && line.contains("autovideosink"),
        "{line}"
    );
    for format in FORMATS {
        let source = format!(
            "videotestsrc num-buffers=3 ! video/x-raw,format={format},width=320,height=240"
        );
        let line = line
            .replace("v4l2src", &source)
            .replace("autovideosink", "fakesink");
        let ran = scratch.launch(&line).expect("gst-launch-1.0 starts");
        let complaint = ["WARN", "ERROR", "CRITICAL", "panicked"]
            .iter()
            .any(|word| ran.text.contains(word));
        assert!(ran.succeeded && !complaint, "{format}: {}", ran.text);
    }
}

#[test]
fn the_elements_describe_themselves_with_an_example() {
    let scratch = Scratch::new().expect("the plugin was built");
    for element in ELEMENTS {
        let ran = scratch.inspect(&[element]).expect("gst-inspect-1.0 starts");
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
    let scratch = Scratch::new().expect("the plugin was built");
    let plugin = scratch.path().join("plugins/libgstemotion.so");
    let ran = scratch
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
fn the_readme_lists_every_property_of_every_element() {
    emotion_pipelines::init().expect("GStreamer starts");
    let readme = fs::read_to_string(repository("README.md")).expect("it stands in the repository");
    for element in [
        "facedetect",
        "emotionclassify",
        "emotionoverlay",
        "emotionpublish",
    ] {
        let section = readme
            .split("\n### ")
            .find(|section| section.starts_with(element));
        let section = section.unwrap_or_else(|| panic!("no section {element}"));
        let made = gst::ElementFactory::make(element)
            .build()
            .expect("it is in the plugin");
        for property in made
            .list_properties()
            .iter()
            .filter(|property| property.owner_type() == made.type_())
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
