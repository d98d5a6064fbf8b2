//! The scripts in `pipelines/`: from a picture and from a video to a file, and their commands for a camera.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use emotion_tests::{gst_launch::GstEnvironment, repository};

const SCRIPTS: [&str; 2] = ["one-face.sh", "crowd.sh"];

/// Runs a script as if the plugin was installed.
fn run(environment: &GstEnvironment, script: &str, words: &[&str]) -> (bool, String) {
    let path = repository("pipelines").join(script);
    let output = environment
        .command(path.to_str().expect("the repository has a plain name"))
        .expect("the search paths can be written")
        .args(words)
        .output()
        .expect("the script starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

fn begins_with(path: &Path, offset: usize, magic: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes[offset..].starts_with(magic))
}

#[test]
fn a_picture_becomes_a_picture_with_an_overlay() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let picture = repository("tests/media/astronaut.png");
    for script in SCRIPTS {
        let out = environment.path().join(format!("{script}.png"));
        let words = ["--out", out.to_str().unwrap(), picture.to_str().unwrap()];
        let (succeeded, text) = run(&environment, script, &words);
        assert!(succeeded, "{script}: {text}");
        assert!(begins_with(&out, 1, b"PNG"), "{script}: {text}");
    }
}

#[test]
fn a_video_becomes_a_video_with_an_overlay() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let clip = environment.path().join("clip with a space.mp4");
    let made = Command::new("gst-launch-1.0")
        .args(["-q", "-e", "videotestsrc", "num-buffers=10", "!"])
        .args(["x264enc", "!", "h264parse", "!", "mp4mux", "!", "filesink"])
        .arg(format!("location={}", clip.display()))
        .status()
        .expect("gst-launch-1.0 starts");
    assert!(made.success());
    for script in SCRIPTS {
        let out = environment.path().join(format!("{script}.mp4"));
        let words = [
            "--style",
            "minimal",
            "--out",
            out.to_str().unwrap(),
            clip.to_str().unwrap(),
        ];
        let (succeeded, text) = run(&environment, script, &words);
        assert!(succeeded, "{script}: {text}");
        assert!(begins_with(&out, 4, b"ftyp"), "{script}: {text}");
    }
}

#[test]
fn a_camera_is_opened_by_its_device() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    for script in SCRIPTS {
        let (succeeded, text) = run(&environment, script, &["--print", "/dev/null"]);
        assert!(succeeded, "{script}: {text}");
        assert!(
            text.contains("v4l2src device=/dev/null") && text.contains("style=seed"),
            "{text}"
        );
    }
}

#[test]
fn a_camera_is_opened_in_the_mode_that_the_program_chooses() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let program = environment.path().join("emotion-demo");
    std::fs::write(
        &program,
        "#!/bin/sh\n[ \"$4\" = 25 ] && exit 2\necho \"v4l2src device=$2 ! image/jpeg,asked=$4 ! jpegdec\"\n",
    )
    .expect("it is writable");
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("it is ours");
    let ran = |script: &str, words: &[&str]| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path);
        let folders = std::iter::once(environment.path().to_owned()).chain(folders);
        environment
            .command(
                repository("pipelines")
                    .join(script)
                    .to_str()
                    .expect("a plain name"),
            )
            .expect("the search paths can be written")
            .env("PATH", std::env::join_paths(folders).expect("no colons"))
            .args(words)
            .output()
            .expect("the script starts")
    };
    for script in SCRIPTS {
        let output = ran(script, &["--print", "--size", "640x480", "/dev/null"]);
        // As bash quotes it.
        let text = String::from_utf8_lossy(&output.stdout).replace('\\', "");
        assert!(
            text.contains("v4l2src device=/dev/null ! image/jpeg,asked=640x480 ! jpegdec"),
            "{script}: {text}"
        );
    }
    // The program refuses the value and has said why.
    for (script, rest) in [
        ("crowd.sh", &["--print", "/dev/null"][..]),
        ("webcam.sh", &["/dev/null"]),
        ("mqtt.sh", &["mqtt://x", "/dev/null"]),
        ("rtsp-out.sh", &["/dev/null", "rtsp://x/y"]),
    ] {
        let words: Vec<_> = ["--rate", "25"].iter().chain(rest).copied().collect();
        assert_eq!(ran(script, &words).status.code(), Some(2), "{script}");
    }
}

#[test]
fn a_missing_input_is_named_in_the_error() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    for words in [["no such.mp4"], ["--nonsense"], ["--out"]] {
        let (succeeded, text) = run(&environment, "crowd.sh", &words);
        assert!(!succeeded && text.contains(words[0]), "{text}");
    }
}

#[test]
fn zones_and_lines_are_counted_and_drawn_if_they_are_given() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let picture = repository("tests/media/astronaut.png");
    let drawn = |options: &[&str]| {
        let out = environment.path().join("zones.png");
        let files = ["--out", out.to_str().unwrap(), picture.to_str().unwrap()];
        let words = [options, &files].concat();
        let (succeeded, text) = run(&environment, "crowd.sh", &words);
        (succeeded, text, std::fs::read(out).unwrap_or_default())
    };
    let (zones, lines) = (
        "hall=0,0 0.9,0 0.9,0.9 limit=3; till=0.5,0 1,0 1,1",
        "door=0.5,0.2 0.5,0.9",
    );
    let (succeeded, text, plain) = drawn(&[]);
    assert!(succeeded, "{text}");
    let (succeeded, text, with_zones) = drawn(&["--zones", zones, "--lines", lines]);
    assert!(succeeded && !text.contains("WARN"), "{text}");
    assert_ne!(plain, with_zones);
    let (succeeded, text, only_zones) = drawn(&["--zones", zones]);
    assert!(succeeded && only_zones != with_zones, "{text}");
    let (succeeded, text, _) = drawn(&["--zones", "hall=0,0 1,1"]);
    assert!(
        !succeeded && text.contains("hall: expected 3 to 100 corners, found 2"),
        "{text}"
    );
}
