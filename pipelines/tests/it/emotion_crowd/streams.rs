//! Streams that start, drop, return and end.

use std::fs;

use emotion_tests::camera::{RtspCamera, clip};

use super::portrait;
use super::running::Running;

const QUICK: &str = "[reconnect]\nfirst-pause-seconds = 0.2\nlongest-pause-seconds = 0.5\n[records]\njsonl = \"-\"\n";

fn source(name: &str, uri: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nuri = \"{uri}\"\n")
}

#[test]
fn a_camera_that_is_switched_off_and_on_comes_back_while_the_other_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clip = clip(folder.path());
    let (mut first, second) = (RtspCamera::start(&clip, &[]), RtspCamera::start(&clip, &[]));
    let settings = [
        QUICK,
        &source("first", &first.uri()),
        &source("second", &second.uri()),
    ]
    .concat();
    let mut running = Running::start(&settings);
    let seen = running.record_of("first", |record| !record.faces.is_empty());
    assert_eq!((seen.width, seen.height), (640, 480));
    assert!(
        seen.faces.iter().all(|face| face.emotion.is_some()),
        "{seen:?}"
    );
    let before = running.record_of("second", |_| true);

    first.switch_off();
    running.until_said("first: ");
    running.until_said("again in");
    running.skip_records();
    for _ in 0..10 {
        running.record_of("second", |_| true);
    }
    first.switch_on();
    let after = running.record_of("first", |_| true);
    // The time of a stream continues across the break.
    assert!(after.running_time > seen.running_time && after.running_time > before.running_time);

    running.signal("-TERM");
    assert!(running.end().success(), "{}", running.log);
    assert_eq!(running.said_of("second"), ["playing"]);
}

#[test]
fn a_wrong_password_is_reported_and_the_right_one_plays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let camera = RtspCamera::start(&clip(folder.path()), &["anna", "s3cret"]);
    let of = |name: &str, password: &str| {
        let login = format!("username = \"anna\"\npassword = \"{password}\"\n");
        [source(name, &camera.uri()), login].concat()
    };
    let settings = [QUICK, &of("wrong", "gu3ss"), &of("right", "s3cret")].concat();
    let mut running = Running::start(&settings);
    let said = running.until_said("wrong: ");
    assert!(said.contains("check username and password"), "{said}");
    running.record_of("right", |_| true);
    running.signal("-INT");
    assert!(running.end().success());
    let log = &running.log;
    assert!(
        !log.contains("s3cret") && !log.contains("gu3ss"),
        "a password is in the log:\n{log}"
    );
    // Some cameras lock an account after a few attempts, so the program waits the longest pause before the second one.
    assert!(said.contains("again in 0.5 s"), "{said}");
}

#[test]
fn a_missing_camera_is_tried_again_and_disturbs_no_other_source() {
    let uri = format!("rtsp://127.0.0.1:{}/live", emotion_tests::free_port());
    let page = "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n";
    let settings = [QUICK, page, &source("gone", &uri), &portrait("here")].concat();
    let mut running = Running::start(&settings);
    let page = running.page();
    while page.metric("emotion_crowd_reconnects_total{source=\"gone\"}") < 3.0 {
        running.record_of("here", |record| record.wall_clock.is_some());
    }
    running.signal("-TERM");
    assert!(running.end().success());
    // A repeated problem is reported once.
    assert_eq!(running.said_of("gone").len(), 1, "{}", running.log);
}

#[test]
fn files_end_by_themselves_and_a_bad_one_fails_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clip = clip(folder.path());
    let broken = folder.path().join("broken.mp4");
    let empty = folder.path().join("empty.mp4");
    fs::write(&broken, "this is no video").expect("it is writable");
    fs::write(&empty, "").expect("it is writable");
    let file = |name: &str, path: &std::path::Path| {
        format!(
            "[[source]]\nname = \"{name}\"\nfile = \"{}\"\n",
            path.display()
        )
    };

    let mut good = Running::start(&[QUICK, &file("good", &clip)].concat());
    good.record_of("good", |record| record.faces.len() == 2);
    good.until_said("good: ended");
    assert!(good.end().success());

    let all = [
        file("good", &clip),
        file("broken", &broken),
        file("empty", &empty),
    ]
    .concat();
    let mut running = Running::start(&[QUICK, &all].concat());
    running.record_of("good", |_| true);
    assert_eq!(running.end().code(), Some(1));
    for said in [
        "good: ended",
        "broken: failed: ",
        "empty: failed: ",
        "2 of 3 sources failed: broken, empty",
    ] {
        assert!(
            running.log.contains(said),
            "{said} is not in:\n{}",
            running.log
        );
    }
}
