//! The program behind `make run`, without a display.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use emotion_models::preprocess::Region;
use emotion_pipelines::clip;
use gst::prelude::*;
use gstemotion::record::{PixelBox, Record};

fn demo(out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-demo"));
    command
        .arg("--out")
        .arg(out)
        .args(arguments)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null());
    command
}

fn records(out: &Path) -> Vec<Record> {
    let text = fs::read_to_string(out.join("faces.jsonl")).expect("the records are there");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("each line is a record"))
        .collect()
}

/// Decodes a video and counts its frames.
fn pictures(video: &Path) -> usize {
    gst::init().expect("GStreamer starts");
    let line = emotion_pipelines::launch_line::LaunchLine::default()
        .words("filesrc")
        .path("location", video);
    let pipeline = line
        .words("! decodebin ! fakesink name=end sync=false")
        .launch()
        .expect("the elements exist");
    let end = pipeline
        .by_name("end")
        .and_then(|end| end.static_pad("sink"))
        .expect("a sink has a pad");
    let (counted, counter) = std::sync::mpsc::channel();
    end.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        counted.send(()).expect("the test is still there");
        gst::PadProbeReturn::Ok
    });
    emotion_pipelines::runner::run(&pipeline, &Default::default(), |_| {})
        .expect("the video is whole");
    counter.try_iter().count()
}

fn files(out: &Path) -> Vec<String> {
    let entries = fs::read_dir(out).expect("the folder is there").flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn without_a_camera_it_leaves_an_annotated_video_and_a_record_of_every_frame() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("a folder");
    let ran = demo(&out, &["--clip"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert_eq!(files(&out), ["annotated.mp4", "clip.mp4", "faces.jsonl"]);
    for name in files(&out) {
        assert!(said.contains(&name), "{name} is not announced: {said}");
    }
    assert_eq!(pictures(&out.join("annotated.mp4")), clip::FRAMES);

    let records = records(&out);
    assert_eq!(records.len(), clip::FRAMES);
    let (mut there, mut found) = (0, 0);
    for (number, record) in records.iter().enumerate() {
        let boxes: Vec<_> = record.faces.iter().map(|face| rect(face.pixels)).collect();
        let wanted = clip::faces(number);
        there += wanted.len();
        found += wanted
            .iter()
            .filter(|face| boxes.iter().any(|found| found.iou(face) >= 0.5))
            .count();
    }
    assert!(
        found * 10 >= there * 9,
        "{found} of {there} faces are in the records"
    );
}

fn rect(pixels: PixelBox) -> Region {
    let PixelBox {
        x,
        y,
        width,
        height,
    } = pixels;
    Region {
        x: x as f32,
        y: y as f32,
        width: width as f32,
        height: height as f32,
    }
}

/// Frames of a video that is too long to be finished before the test stops it.
const LONG: usize = 6000;

#[test]
fn stopped_in_the_middle_it_finishes_its_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let long = folder.path().join("long.mp4");
    let made = Command::new("gst-launch-1.0")
        .args(["-q", "videotestsrc", "pattern=ball"])
        .arg(format!("num-buffers={LONG}"))
        .args(["!", "video/x-raw,width=320,height=240,framerate=25/1", "!"])
        .args(["x264enc", "speed-preset=ultrafast", "!", "mp4mux", "!"])
        .args([
            "filesink".to_owned(),
            format!("location={}", long.display()),
        ])
        .status()
        .expect("gst-launch-1.0 starts");
    assert!(made.success());
    let out = folder.path().join("out");
    let mut running = demo(&out, &["--input", long.to_str().expect("a plain path")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(running.stdout.take().expect("it is piped"))
        .lines()
        .map_while(Result::ok);
    // The first line that counts frames: it is in the middle of its work.
    lines
        .find(|line| line.contains(" frames  "))
        .expect("it tells its progress");
    let kill = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status()
        .expect("kill starts");
    assert!(kill.success());
    let rest: Vec<_> = lines.collect();
    assert!(running.wait().expect("it ends").success(), "{rest:?}");
    assert!(
        rest.iter().any(|line| line.starts_with("Stopped")),
        "{rest:?}"
    );

    assert_eq!(files(&out), ["annotated.mp4", "faces.jsonl"]);
    let frames = records(&out).len();
    assert!(frames < LONG, "it went through to the end");
    assert_eq!(pictures(&out.join("annotated.mp4")), frames);
}

#[test]
fn an_impossible_input_is_reported_in_one_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broken = folder.path().join("broken.mp4");
    fs::write(&broken, "this is no video").expect("it is writable");
    let out = folder.path().join("out");
    for (arguments, named) in [
        (["--input", "/nowhere/talk.mp4"], "/nowhere/talk.mp4"),
        (["--input", broken.to_str().expect("a plain path")], "type"),
        (["--camera", "/dev/video999"], "/dev/video999"),
        (["--print-camera", "/dev/video999"], "/dev/video999"),
    ] {
        let ran = demo(&out, &arguments).output().expect("it starts");
        let error = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {error}");
        assert!(
            error.contains(named) && !error.contains("panicked"),
            "{arguments:?}: {error}"
        );
        assert!(
            files(&out).is_empty(),
            "{arguments:?} left {:?}",
            files(&out)
        );
    }
}

#[test]
fn a_video_of_an_upright_phone_is_turned_upright() {
    let archive = crate::common::Archive::new();
    let clip = archive.clip(
        "phone.mp4",
        50..60,
        "videoflip method=counterclockwise ! x264enc speed-preset=ultrafast tune=zerolatency ! h264parse \
         ! taginject tags=image-orientation=rotate-90 ! mp4mux",
    );
    let out = archive.path("out");
    let ran = demo(&out, &["--input", clip.to_str().expect("a plain path")]).output();
    assert!(ran.expect("it starts").status.success());
    let records = records(&out);
    assert_eq!(records.len(), 10);
    for record in records {
        assert_eq!((record.width, record.height), (640, 480));
        assert!(!record.faces.is_empty());
    }
}
