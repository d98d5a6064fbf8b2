//! The page: access, and what viewers get.

use std::fs;

use emotion_pipelines::launch_line::LaunchLine;
use emotion_pipelines::runner;
use gstemotion::record::Record;
use serde_json::json;

use super::portrait;
use super::running::{Page, Running};
use super::viewer::{News, Viewer};

fn settings(rest: &str) -> String {
    format!(
        "[records]\njsonl = \"-\"\n[page]\nlisten = \"127.0.0.1:0\"\n{rest}\n{}{}",
        portrait("hall"),
        portrait("door")
    )
}

/// The first picture of a source.
fn picture(page: &Page, source: &str) -> Vec<u8> {
    let mut viewer = Viewer::connect(page, &[]).expect("access");
    viewer.send(&json!({ "watch": [source] }));
    let (of, picture) = viewer.picture();
    assert_eq!(of, source);
    picture
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
    let mut viewer = Viewer::connect(&page, &[]).expect("access");
    viewer.send(&json!({ "watch": ["hall"] }));
    for _ in 0..3 {
        let news = viewer.news().expect("it is connected");
        assert!(matches!(news, News::States(_)), "a picture");
    }
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
    for path in ["/", "/metrics", "/api/streams", "/live"] {
        let answer = page.get(path, &["Host: evil.example"]);
        assert_eq!(answer.status, 401, "{path}");
    }
    let answer = page.get("/", &[]);
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("content-security-policy: default-src 'none'"),
        "{}",
        answer.head
    );
}

#[test]
fn a_page_of_another_site_cannot_connect() {
    let mut running = Running::start(&settings("pictures = \"off\""));
    let page = running.page();
    let foreign = Viewer::connect(&page, &[("Origin", "http://evil.example")]);
    assert_eq!(foreign.err(), Some(403));
    let own = format!("http://{}", page.0);
    assert!(Viewer::connect(&page, &[("Origin", &own)]).is_ok());
    let answer = page.ask(
        "POST",
        "/login",
        &["Origin: http://evil.example"],
        "token=a",
    );
    assert_eq!(answer.status, 403);
}

#[test]
fn with_a_token_set_the_page_needs_it() {
    let mut running = Running::start(&settings("pictures = \"off\"\ntoken = \"s3cret\""));
    let page = running.page();
    assert!(running.log.contains("WARN page: the token is short"));
    let paths = [
        "/",
        "/page.js",
        "/metrics",
        "/api/streams",
        "/api/http_sd",
        "/live",
        "/nowhere",
    ];
    for path in paths {
        assert_eq!(page.get(path, &[]).status, 401, "{path}");
    }
    assert_eq!(Viewer::connect(&page, &[]).err(), Some(401));
    let bearer = page.get("/metrics", &["Authorization: Bearer s3cret"]);
    assert_eq!(bearer.status, 200);
    assert_eq!(
        page.get("/metrics", &["Authorization: Bearer s3cre"])
            .status,
        401
    );
    // An address is written to logs and histories, so it is no place for a token.
    assert_eq!(page.get("/?token=s3cret", &[]).status, 401);
}

#[test]
fn the_login_form_gives_a_cookie_for_the_token() {
    let mut running = Running::start(&settings("pictures = \"off\"\ntoken = \"s3cret\""));
    let page = running.page();
    let form = page.get("/", &[]);
    let text = String::from_utf8(form.body).expect("text");
    assert!(
        text.contains("<form method=\"post\" action=\"login\">"),
        "{text}"
    );
    assert!(form.head.contains("form-action 'self'"), "{}", form.head);
    assert_eq!(page.get("/page.css", &[]).status, 200);

    let kind = ["Content-Type: application/x-www-form-urlencoded"];
    let wrong = page.ask("POST", "/login", &kind, "token=guess");
    assert_eq!(wrong.status, 401);
    assert!(!wrong.head.contains("set-cookie"), "{}", wrong.head);
    let text = String::from_utf8(wrong.body).expect("text");
    assert!(text.contains("This is not the token."), "{text}");
    running.until_said("WARN page: a wrong token from 127.0.0.1");

    let right = page.ask("POST", "/login", &kind, "token=s3cret");
    assert_eq!(right.status, 303);
    let lines = right.head.lines();
    let cookie = lines
        .filter_map(|line| line.strip_prefix("set-cookie: "))
        .next();
    let cookie = cookie.expect("a cookie");
    for attribute in ["httponly", "samesite=strict", "path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    // There is no TLS that it could need.
    assert!(!cookie.contains("secure"), "{cookie}");
    let pair = cookie.split(';').next().expect("a name and a value");
    assert_eq!(page.get("/", &[&format!("Cookie: {pair}")]).status, 200);
    assert!(Viewer::connect(&page, &[("Cookie", pair)]).is_ok());

    let log_out = page.ask("POST", "/logout", &[&format!("Cookie: {pair}")], "");
    assert!(log_out.head.contains("max-age=0"), "{}", log_out.head);
    assert!(!running.log.contains("s3cret") && !running.log.contains("guess"));
}

#[test]
fn a_viewer_gets_pictures_of_what_it_sees_and_the_next_one_when_it_has_shown_the_last() {
    let mut running = Running::start(&settings("picture-rate = 25"));
    let page = running.page();
    let mut viewer = Viewer::connect(&page, &[]).expect("access");
    viewer.send(&json!({ "watch": ["hall"] }));
    assert_eq!(viewer.picture().0, "hall");
    // Two messages with states, a second apart, without a picture between them.
    for _ in 0..2 {
        assert!(
            matches!(viewer.news(), Some(News::States(_))),
            "not yet shown"
        );
    }
    for _ in 0..5 {
        viewer.send(&json!({ "shown": "hall" }));
        assert_eq!(viewer.picture().0, "hall");
    }
    viewer.send(&json!({ "watch": ["door", "nowhere\nERROR page: forged"] }));
    assert_eq!(viewer.picture().0, "door");
    viewer.send(&json!({ "watch": [] }));
    viewer.send(&json!({ "shown": "door" }));
    for _ in 0..2 {
        assert!(
            matches!(viewer.news(), Some(News::States(_))),
            "nothing is visible"
        );
    }
    viewer.send(&json!({ "unknown": 1 }));
    while viewer.news().is_some() {}
    running.until_said("the viewer at 127.0.0.1 has left");
    for said in [
        "page: a viewer at 127.0.0.1\n",
        "page: the viewer at 127.0.0.1 sees hall\n",
        "page: the viewer at 127.0.0.1 sees door\n",
    ] {
        assert!(running.log.contains(said), "{said} in {}", running.log);
    }
    assert!(!running.log.contains("nowhere"), "{}", running.log);
}

#[test]
fn the_states_of_a_viewer_have_each_second_once() {
    let mut running = Running::start(&settings("pictures = \"off\""));
    let page = running.page();
    running.record_of("hall", |_| true);
    let mut viewer = Viewer::connect(&page, &[]).expect("access");
    let mut seconds = Vec::new();
    let mut number = 0;
    while seconds.len() < 3 {
        let states = viewer.states(|_| true);
        assert_eq!(states["is_first"], number == 0, "{states}");
        number += 1;
        let history = states["sources"][0]["history"].as_array().expect("a list");
        seconds.extend(
            history
                .iter()
                .map(|point| point["second"].as_u64().expect("a number")),
        );
    }
    assert!(seconds.is_sorted_by(|a, b| a < b), "{seconds:?}");
}

#[test]
fn a_source_that_is_down_has_a_reason_a_beginning_and_a_next_attempt() {
    let uri = format!("rtsp://127.0.0.1:{}/live", emotion_tests::free_port());
    let down = format!("[[source]]\nname = \"gone\"\nuri = \"{uri}\"\n");
    let mut running = Running::start(&settings(&format!(
        "[reconnect]\nfirst-pause-seconds = 3\n{down}"
    )));
    let page = running.page();
    let mut viewer = Viewer::connect(&page, &[]).expect("access");
    let of = |states: &serde_json::Value| states["sources"][0].clone();
    let waiting = of(&viewer.states(|states| of(states)["status"] == "waiting"));
    assert_eq!(waiting["name"], "gone");
    let reason = waiting["reason"].as_str().expect("a reason");
    assert!(!reason.is_empty());
    let retry = waiting["retry_seconds"].as_f64().expect("a time");
    assert!((0.0..=3.0).contains(&retry), "{retry}");
    let later = of(&viewer.states(|states| of(states)["reconnects"] != 0));
    let down = |state: &serde_json::Value| state["down_seconds"].as_f64().expect("a time");
    assert!(down(&later) > down(&waiting), "{waiting} {later}");
    let metrics = page.text("/metrics");
    let line = format!("emotion_crowd_down_reason{{source=\"gone\",reason=\"{reason}\"}} 1");
    assert!(metrics.contains(&line), "{metrics}");
    assert!(
        !metrics.contains("emotion_crowd_down_reason{source=\"hall\""),
        "{metrics}"
    );
}
