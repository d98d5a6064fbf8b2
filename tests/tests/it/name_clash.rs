//! GStreamer's OpenCV plugin also has a `facedetect`. `tools/opencv-plugin.sh` unpacks it for these tests.

use std::{fs, path::PathBuf};

use emotion_tests::{gst_launch::GstEnvironment, repository, skipped};
use gstemotion::record::Record;

/// GStreamer with both plugins; none if theirs could not be downloaded.
fn both_plugins() -> Option<GstEnvironment> {
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    let libraries = fs::read_dir(folder.join("gstreamer-opencv/usr/lib"))
        .into_iter()
        .flatten()
        .flatten();
    let found = libraries
        .map(|entry| entry.path())
        .find(|path| path.join("gstreamer-1.0/libgstopencv.so").exists());
    let Some(libraries) = found else {
        skipped(
            "two elements named facedetect: tools/opencv-plugin.sh could not unpack the other one",
        );
        return None;
    };
    let environment = GstEnvironment::new().expect("the plugin was built");
    Some(environment.with_plugins(&libraries.join("gstreamer-1.0"), &libraries))
}

/// Whose `facedetect` runs: `gst-launch-1.0 -v` prints the GObject type of each element.
fn type_of_facedetect(environment: &GstEnvironment, options: &str) -> String {
    let ran = environment
        .launch(&format!(
            "{options} -v videotestsrc num-buffers=1 ! videoconvert ! facedetect ! fakesink"
        ))
        .expect("gst-launch-1.0 starts");
    assert!(ran.succeeded, "{}", ran.text);
    let ours = ran.text.contains("GstEmotionFaceDetect");
    let theirs = ran.text.contains("GstFaceDetect:");
    assert!(ours != theirs, "{}", ran.text);
    if ours {
        "ours".to_owned()
    } else {
        "theirs".to_owned()
    }
}

#[test]
fn loaded_by_name_our_plugin_has_the_name_facedetect() {
    let Some(environment) = both_plugins() else {
        return;
    };
    let plugin = environment.path().join("plugins/libgstemotion.so");
    let option = format!("--gst-plugin-load={}", plugin.display());
    assert_eq!(type_of_facedetect(&environment, &option), "ours");
    // The second time there is a registry already.
    assert_eq!(type_of_facedetect(&environment, &option), "ours");
}

#[test]
fn ours_is_always_emotionfacedetect() {
    let Some(environment) = both_plugins() else {
        return;
    };
    let ran = environment
        .inspect(&["emotionfacedetect"])
        .expect("gst-inspect-1.0 starts");
    assert!(
        ran.succeeded && ran.text.contains("libgstemotion.so"),
        "{}",
        ran.text
    );
}

#[test]
fn gst_inspect_shows_the_facedetect_that_runs() {
    let Some(environment) = both_plugins() else {
        return;
    };
    let ran = environment
        .inspect(&["facedetect"])
        .expect("gst-inspect-1.0 starts");
    let inspected = if ran.text.contains("libgstemotion.so") {
        "ours"
    } else {
        "theirs"
    };
    assert_eq!(
        type_of_facedetect(&environment, ""),
        inspected,
        "{}",
        ran.text
    );
}

#[test]
fn faces_of_their_facedetect_are_classified_and_published() {
    let Some(environment) = both_plugins() else {
        return;
    };
    let records = environment.path().join("faces.jsonl");
    let portrait = repository("tests/media/astronaut.png");
    let theirs = environment
        .command("gst-launch-1.0")
        .expect("plain paths")
        .args(["filesrc", &format!("location={}", portrait.display())])
        .args("! pngdec ! videoconvert ! video/x-raw,format=RGB ! facedetect display=false ! emotionclassify".split(' '))
        .args(["!", "emotionpublish", &format!("location={}", records.display()), "!", "fakesink", "-v"])
        .output()
        .expect("gst-launch-1.0 starts");
    let text = String::from_utf8_lossy(&theirs.stdout);
    assert!(
        theirs.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&theirs.stderr)
    );
    assert!(
        text.contains("GstFaceDetect:"),
        "theirs must run for this test: {text}"
    );
    let records = fs::read_to_string(&records).expect("emotionpublish wrote it");
    let record = records.lines().next().expect("one line a frame");
    let record: Record = serde_json::from_str(record).expect("it is a record");
    assert!(
        !record.faces.is_empty() && record.faces.iter().all(|face| face.emotion.is_some()),
        "{record:?}"
    );
}

#[test]
fn privacy_behind_their_facedetect_is_an_error_unless_their_faces_are_to_be_trusted() {
    let Some(environment) = both_plugins() else {
        return;
    };
    let portrait = repository("tests/media/astronaut.png");
    // Ours is loaded by its first element, and would then have the name as well.
    let run = |privacy: &str| {
        let ran = environment
            .command("gst-launch-1.0")
            .expect("plain paths")
            .args(["filesrc", &format!("location={}", portrait.display())])
            .args(
                "! pngdec ! videoconvert ! video/x-raw,format=RGB ! facedetect display=false !"
                    .split(' '),
            )
            .args(privacy.split(' '))
            .args(["!", "fakesink", "-v"])
            .output()
            .expect("gst-launch-1.0 starts");
        let text = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (ran.status.success(), text.concat())
    };
    let (succeeded, text) = run("emotionoverlay privacy=fill");
    assert!(
        text.contains("GstFaceDetect:"),
        "theirs must run for this test: {text}"
    );
    assert!(
        !succeeded && text.contains("set privacy-missing to"),
        "{text}"
    );
    let (succeeded, text) = run("emotionoverlay privacy=fill privacy-missing=show");
    assert!(succeeded, "{text}");
}
