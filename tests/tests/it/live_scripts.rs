//! The scripts for cameras and RTSP, unchanged, between real servers.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::process::Stdio;

use emotion_tests::camera::{RtspCamera, clip};
use emotion_tests::gst_launch::{GstEnvironment, KillOnDrop};
use emotion_tests::repository;
use gstemotion::record::Record;

const SCRIPTS: [&str; 3] = ["webcam.sh", "rtsp-in.sh", "rtsp-out.sh"];

fn script(environment: &GstEnvironment, name: &str) -> std::process::Command {
    let mut command = environment.command("bash").expect("a command");
    command.arg(repository("pipelines").join(name));
    command
}

#[test]
fn every_script_prints_its_usage() {
    let environment = GstEnvironment::new().expect("the plugin is there");
    for name in SCRIPTS {
        let ran = script(&environment, name)
            .arg("--help")
            .output()
            .expect("bash starts");
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(
            ran.status.success() && said.starts_with(&format!("usage: {name}")),
            "{said}"
        );
    }
}

#[test]
fn a_missing_camera_is_reported_in_one_line() {
    let environment = GstEnvironment::new().expect("the plugin is there");
    for (name, arguments) in [
        ("webcam.sh", vec!["/dev/video999"]),
        ("rtsp-out.sh", vec!["/dev/video999", "rtsp://127.0.0.1/x"]),
    ] {
        let ran = script(&environment, name)
            .args(arguments)
            .output()
            .expect("bash starts");
        assert_eq!(ran.status.code(), Some(1));
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(
            said.starts_with(&format!("{name}: /dev/video999: ")) && said.lines().count() == 1,
            "{said}"
        );
    }
}

/// Starts rtsp-in.sh with these variables, and the lines of the records that it writes while it runs: they prove that the
/// camera was read.
fn rtsp_in(
    environment: &GstEnvironment,
    camera: &RtspCamera,
    records: &str,
    variables: Vec<(&str, &str)>,
) -> (KillOnDrop, Lines<BufReader<File>>) {
    let records = environment.path().join(records);
    let made = std::process::Command::new("mkfifo").arg(&records).status();
    assert!(made.expect("mkfifo starts").success());
    let input = script(environment, "rtsp-in.sh")
        .args([
            camera.uri().as_str(),
            records.to_str().expect("a plain path"),
        ])
        .env("SINK", "fakesink")
        .envs(variables)
        .stdout(Stdio::null())
        .spawn();
    let input = KillOnDrop(input.expect("bash starts"));
    let lines = BufReader::new(File::open(&records).expect("a pipe")).lines();
    (input, lines)
}

#[test]
fn a_stream_goes_through_rtsp_out_to_a_server_and_through_rtsp_in_from_a_camera() {
    let environment = GstEnvironment::new().expect("the plugin is there");
    let clip = clip(environment.path());
    let received = environment.path().join("received.h264");
    let depay = format!(
        "rtph264depay name=depay0 ! video/x-h264,stream-format=byte-stream ! filesink sync=false location={}",
        received.display()
    );
    let camera = RtspCamera::start(&clip, &[]);
    let server = RtspCamera::serve("record", &depay, &[]);
    let (_input, lines) = rtsp_in(&environment, &camera, "records", vec![]);
    let seen = lines
        .map_while(Result::ok)
        .map(|line| serde_json::from_str::<Record>(&line).expect("a record"))
        .find(|record| !record.faces.is_empty());
    assert!(
        seen.expect("faces come")
            .faces
            .iter()
            .all(|face| face.emotion.is_some())
    );

    let sent = script(&environment, "rtsp-out.sh")
        .args([clip.to_str().expect("a plain path"), server.uri().as_str()])
        .output()
        .expect("bash starts");
    let said = String::from_utf8_lossy(&sent.stderr);
    assert!(sent.status.success(), "{said}");
    let line = format!(
        "filesrc location={} ! h264parse ! avdec_h264 ! videoconvert",
        received.display()
    );
    let frames = emotion_tests::stream::frames(&line).expect("it is H.264");
    assert!(
        !frames.is_empty() && frames[0].size == (640, 480),
        "{} frames",
        frames.len()
    );
}

#[test]
fn rtsp_in_takes_a_login_from_a_file_or_the_environment_and_shows_it_to_nobody() {
    let environment = GstEnvironment::new().expect("the plugin is there");
    let clip = clip(environment.path());
    let camera = RtspCamera::start(&clip, &["anna", "s3cret"]);
    let login = environment.path().join("login");
    std::fs::write(&login, "anna\ns3cret\n").expect("it is writable");
    let login = login.to_str().expect("a plain path");
    let refused = script(&environment, "rtsp-in.sh")
        .arg(camera.uri().replace("://", "://anna:s3cret@"))
        .output()
        .expect("bash starts");
    assert_eq!(refused.status.code(), Some(2));
    for (number, variables) in [
        vec![("RTSP_LOGIN", login)],
        vec![("RTSP_USER", "anna"), ("RTSP_PASSWORD", "s3cret")],
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("records-{number}");
        let (input, mut lines) = rtsp_in(&environment, &camera, &name, variables);
        let line = lines.next().expect("a record").expect("text");
        let _: Record = serde_json::from_str(&line).expect("a record");
        let arguments = std::fs::read(format!("/proc/{}/cmdline", input.0.id()));
        let arguments = String::from_utf8_lossy(&arguments.expect("it runs")).into_owned();
        assert!(arguments.contains("rtspsrc"), "{arguments}");
        assert!(!arguments.contains("s3cret"), "{arguments}");
    }
}
