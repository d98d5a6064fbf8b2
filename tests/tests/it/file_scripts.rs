//! The scripts that tag a file and send records to a broker, unchanged, with the plugin of this build.

use std::fs;
use std::path::Path;
use std::process::Output;

use emotion_tests::{gst_launch::GstEnvironment, repository};

fn ran(environment: &GstEnvironment, script: &str, arguments: &[&Path]) -> (bool, String) {
    let path = repository("pipelines").join(script);
    let mut command = environment
        .command(path.to_str().expect("a plain path"))
        .expect("plain paths");
    let Output {
        status,
        stdout,
        stderr,
    } = command.args(arguments).output().expect("it starts");
    let text = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
    (status.success(), text.into_owned())
}

#[test]
fn a_video_gets_its_records_and_an_annotated_video() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let video = environment.path().join("my clip.avi");
    let made = environment
        .launch(&format!(
            "videotestsrc num-buffers=5 ! video/x-raw,width=320,height=240 ! jpegenc ! avimux ! filesink location={}",
            environment.path().join("clip.avi").display()
        ))
        .expect("gst-launch-1.0 starts");
    assert!(made.succeeded, "{}", made.text);
    fs::rename(environment.path().join("clip.avi"), &video).expect("it was written");

    let (succeeded, text) = ran(&environment, "file.sh", &[&video]);
    assert!(succeeded, "{text}");
    let records = fs::read_to_string(environment.path().join("my clip.avi.jsonl"));
    assert_eq!(records.expect("it was written").lines().count(), 5);
    let annotated = fs::metadata(environment.path().join("my clip.avi.annotated.mp4"));
    assert!(annotated.expect("it was written").len() > 1000);
}

#[test]
fn the_scripts_print_their_usage_and_name_a_missing_file() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let missing = Path::new("/nowhere/talk.mp4");
    for (script, wrong) in [
        ("file.sh", vec![missing]),
        ("mqtt.sh", vec![Path::new("mqtt://localhost"), missing]),
    ] {
        let (succeeded, text) = ran(&environment, script, &[Path::new("--help")]);
        assert!(succeeded && text.starts_with("usage: "), "{script}: {text}");
        let (succeeded, text) = ran(&environment, script, &[]);
        assert!(
            !succeeded && text.starts_with("usage: "),
            "{script}: {text}"
        );
        let (succeeded, text) = ran(&environment, script, &wrong);
        assert!(
            !succeeded && text.contains("/nowhere/talk.mp4: there is no such"),
            "{text}"
        );
    }
}
