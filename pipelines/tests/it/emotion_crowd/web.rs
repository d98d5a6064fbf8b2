//! The page: access, and what a browser shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use emotion_pipelines::launch_line::LaunchLine;
use emotion_pipelines::runner;
use gstemotion::record::Record;

use super::portrait;
use super::running::{Page, Running};

fn settings(rest: &str) -> String {
    format!(
        "[records]\njsonl = \"-\"\n[page]\nlisten = \"127.0.0.1:0\"\n{rest}\n{}{}",
        portrait("hall"),
        portrait("door")
    )
}

/// The first picture of a source.
fn picture(page: &Page, source: &str) -> Vec<u8> {
    let answer = page.get(&format!("/live/{source}"), &[], 150_000);
    assert!(
        answer.head.contains("multipart/x-mixed-replace"),
        "{}",
        answer.head
    );
    let begin = |what: &[u8]| {
        let mut places = answer.body.windows(what.len());
        places.position(|bytes| bytes == what).expect("a part") + what.len()
    };
    let length = &answer.body[begin(b"Content-Length: ")..][..12];
    let length = String::from_utf8_lossy(length);
    let length = length.lines().next().and_then(|line| line.parse().ok());
    answer.body[begin(b"\r\n\r\n")..][..length.expect("a length")].to_vec()
}

/// How many faces the detector finds in the place of the portrait's face, and the width of the picture.
fn faces_in(picture: &[u8]) -> (usize, u32) {
    emotion_pipelines::init().expect("GStreamer starts");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (folder.path().join("a.jpeg"), folder.path().join("a.jsonl"));
    fs::write(&from, picture).expect("it is writable");
    let pipeline = LaunchLine::default()
        .words("filesrc")
        .path("location", &from)
        .words("! jpegdec ! emotionfacedetect region=0.2,0,0.5,0.5 ! emotionpublish")
        .path("location", &to)
        .words("! fakesink")
        .launch()
        .expect("the elements exist");
    runner::run(&pipeline, &Default::default(), |_| {}).expect("it is a JPEG");
    let record = fs::read_to_string(&to).expect("a record");
    let record: Record = serde_json::from_str(&record).expect("a record");
    (record.faces.len(), record.width)
}

#[test]
fn live_pictures_hide_faces_unless_full_pictures_are_set() {
    let mut running = Running::start(&settings("picture-width = 400"));
    let page = running.page();
    running.record_of("hall", |record| !record.faces.is_empty());
    assert_eq!(faces_in(&picture(&page, "hall")), (0, 400));
    assert_eq!(page.get("/live/cellar", &[], u64::MAX).status, 404);

    let mut running = Running::start(&settings("picture-width = 400\npictures = \"full\""));
    let page = running.page();
    running.record_of("hall", |record| !record.faces.is_empty());
    assert_eq!(faces_in(&picture(&page, "hall")), (1, 400));
}

#[test]
fn without_pictures_none_are_served() {
    let mut running = Running::start(&settings("pictures = \"off\""));
    let page = running.page();
    running.record_of("hall", |record| !record.faces.is_empty());
    let streams: serde_json::Value =
        serde_json::from_str(&page.text("/api/streams")).expect("JSON");
    assert_eq!(streams[0]["has_pictures"], false);
    assert_eq!(page.get("/live/hall", &[], u64::MAX).status, 404);
}

#[test]
fn an_uncertain_face_is_one_on_the_page_and_has_a_share_of_its_own_in_the_metrics() {
    let uncertain = "pictures = \"off\"\n[classify]\nthreshold = 1.0";
    let mut running = Running::start(&settings(uncertain));
    let page = running.page();
    let record = running.record_of("hall", |record| !record.faces.is_empty());
    assert_eq!(record.faces[0].uncertain, Some(true));
    // The record leaves the program before the page knows of it.
    let mut answers = (0..1000).map(|_| -> serde_json::Value {
        serde_json::from_str(&page.text("/api/streams")).expect("JSON")
    });
    let shows_a_face = |streams: &serde_json::Value| !streams[0]["faces"][0].is_null();
    let streams = answers.find(shows_a_face).expect("a face on the page");
    let hall = &streams[0];
    assert_eq!(hall["faces"][0]["emotion"], "uncertain", "{hall}");
    assert_eq!(hall["faces"][0]["uncertain"], true);
    assert_eq!(hall["shares"]["uncertain"], 1.0, "{hall}");
    let line = "emotion_crowd_emotion_ratio{source=\"hall\",emotion=\"uncertain\"} 1.0";
    let metrics = page.text("/metrics");
    assert!(metrics.contains(line), "{metrics}");
}

#[test]
fn without_a_token_foreign_names_of_this_computer_are_refused() {
    let mut running = Running::start(&settings("pictures = \"off\""));
    let page = running.page();
    for path in ["/", "/metrics", "/api/streams", "/live/hall"] {
        let answer = page.get(path, &["Host: evil.example"], u64::MAX);
        assert_eq!(answer.status, 401, "{path}");
    }
    let answer = page.get("/", &[], u64::MAX);
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("content-security-policy: default-src 'self'"),
        "{}",
        answer.head
    );
}

#[test]
fn with_a_token_set_the_page_needs_it() {
    let mut running = Running::start(&settings("pictures = \"off\"\ntoken = \"s3cret\""));
    let page = running.page();
    for path in [
        "/",
        "/page.js",
        "/metrics",
        "/api/streams",
        "/live/hall",
        "/nowhere",
    ] {
        assert_eq!(page.get(path, &[], u64::MAX).status, 401, "{path}");
    }
    let bearer = page.get("/metrics", &["Authorization: Bearer s3cret"], u64::MAX);
    assert_eq!(bearer.status, 200);
    let shown = page.get("/?token=s3cret", &[], u64::MAX);
    assert_eq!(shown.status, 303);
    assert!(shown.head.contains("location: /\r\n"), "{}", shown.head);
    let cookie = page.get("/", &["Cookie: emotion-crowd=s3cret"], u64::MAX);
    assert_eq!(cookie.status, 200);
}

#[test]
fn a_browser_shows_every_source_with_its_picture_its_faces_and_its_charts() {
    let mut running = Running::start(&settings(""));
    let page = running.page();
    for source in ["hall", "door"] {
        running.record_of(source, |record| !record.faces.is_empty());
    }
    let shown = browse(&page);
    for name in ["hall", "door"] {
        assert!(
            shown.contains(&format!("data-source=\"{name}\"")),
            "{name}: {shown}"
        );
        assert!(
            shown.contains(&format!("Live picture of {name}")),
            "{name}: {shown}"
        );
    }
    assert!(
        shown.contains("2 of 2 sources playing, 2 faces now"),
        "{shown}"
    );
    assert!(
        shown.matches("<path").count() >= 4,
        "charts are missing: {shown}"
    );
    assert!(shown.contains("delay "), "{shown}");
}

/// The page in a browser after some seconds; a screenshot is left in the target folder.
fn browse(page: &Page) -> String {
    let run = |arguments: &[&str]| {
        let profile = tempfile::tempdir().expect("a temporary folder");
        Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--window-size=1100,900",
                "--virtual-time-budget=5000",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(arguments)
            .arg(format!("http://{}/", page.0))
            .output()
            .expect("chromium is installed")
    };
    let dumped = run(&["--dump-dom"]);
    let screenshot: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emotion-crowd.png");
    let saved = format!("--screenshot={}", screenshot.display());
    run(&[saved.as_str()]);
    assert!(screenshot.is_file(), "no screenshot");
    String::from_utf8_lossy(&dumped.stdout).into_owned()
}
