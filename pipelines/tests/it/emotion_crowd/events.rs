//! What other programs are told: the status of sources by the broker, events by a web server; and the file of records.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use emotion_tests::broker::Mosquitto;
use emotion_tests::camera::{RtspCamera, clip};
use serde_json::Value;

use super::portrait;
use super::running::{PATIENCE, Running, command};

const QUICK: &str = "[reconnect]\nfirst-pause-seconds = 0.2\nlongest-pause-seconds = 0.5\n";

/// The messages of a topic, as JSON.
fn next(messages: &Receiver<Vec<u8>>) -> Value {
    let message = messages.recv_timeout(PATIENCE).expect("a message");
    serde_json::from_slice(&message).unwrap_or_else(|_| String::from_utf8_lossy(&message).into())
}

#[test]
fn the_broker_keeps_the_status_of_each_source_and_says_when_the_program_broke_down() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut camera = RtspCamera::start(&clip(folder.path()), &[]);
    let broker = Mosquitto::start("allow_anonymous true");
    let settings = format!(
        "{QUICK}[mqtt]\naddress = \"localhost:{}\"\nhome-assistant = \"homeassistant\"\n\
         [[source]]\nname = \"hall\"\nuri = \"{}\"\n",
        broker.port,
        camera.uri()
    );
    let mut running = Running::start(&settings);
    running.until_said("mqtt: connected");
    running.until_said("hall: playing");
    // Whoever comes later gets what the broker keeps.
    let availability = broker.listen("emotion-crowd/availability");
    assert_eq!(next(&availability), "online");
    drop(availability);
    let status = broker.listen("emotion/hall/status");
    while next(&status)["status"] != "playing" {}
    camera.switch_off();
    let down = loop {
        let message = next(&status);
        if message["status"] == "waiting" {
            break message;
        }
    };
    assert!(
        down["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty()),
        "{down}"
    );
    drop(status);
    let people = broker.listen("homeassistant/sensor/emotion_crowd_hall/people/config");
    let people = next(&people);
    assert_eq!(people["state_topic"], "emotion/hall");
    assert_eq!(people["availability_topic"], "emotion-crowd/availability");

    running.signal("-KILL");
    running.end();
    let availability = broker.listen("emotion-crowd/availability");
    while next(&availability) != "offline" {}
}

/// A web server that answers its first requests with these statuses and all others with 204, and passes on what it gets.
fn web_server(statuses: &'static [u16]) -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().flatten().enumerate() {
            let mut reader = BufReader::new(client);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                let line = line.to_lowercase();
                if let Some(text) = line.strip_prefix("content-length:") {
                    length = text.trim().parse().expect("a number");
                }
                head += &line;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let status = statuses.get(number).copied().unwrap_or(204);
            let answer =
                format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            let _ = reader.get_mut().write_all(answer.as_bytes());
            let body = serde_json::from_slice(&body).expect("JSON");
            if status < 300 && sender.send((head, body)).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}/events"), receiver)
}

#[test]
fn a_web_server_is_told_when_there_are_too_many_people_in_a_zone() {
    let (url, events) = web_server(&[]);
    let settings = format!(
        "[webhook]\nurl = \"{url}\"\n{}[[source.zone]]\nname = \"lift\"\n\
         corners = [[0, 0], [1, 0], [1, 1], [0, 1]]\nlimit = 0\n",
        portrait("hall")
    );
    let mut running = Running::start(&settings);
    let (_, event) = events.recv_timeout(PATIENCE).expect("an event");
    assert_eq!(event["event"], "limit-exceeded");
    assert_eq!(event["reason"], "people in lift: 1, limit 0");
    running.signal("-TERM");
    assert!(running.end().success(), "{}", running.log);
}

#[test]
fn a_web_server_is_told_when_a_camera_goes_down_and_comes_back_also_after_it_was_busy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut camera = RtspCamera::start(&clip(folder.path()), &[]);
    let (url, events) = web_server(&[503]);
    let settings = format!(
        "{QUICK}[page]\nlisten = \"127.0.0.1:0\"\n[webhook]\nurl = \"{url}\"\ntoken = \"t0ken\"\n\
         [[source]]\nname = \"hall\"\nuri = \"{}\"\n",
        camera.uri()
    );
    let mut running = Running::start(&settings);
    let page = running.page();
    running.until_said("hall: playing");
    camera.switch_off();
    let (head, down) = events.recv_timeout(PATIENCE).expect("an event");
    assert!(head.contains("authorization: bearer t0ken"), "{head}");
    assert_eq!(
        (down["event"].as_str(), down["source"].as_str()),
        (Some("camera-down"), Some("hall"))
    );
    assert!(
        down["time"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z')),
        "{down}"
    );
    assert!(down["reason"].is_string(), "{down}");
    camera.switch_on();
    let (_, back) = events.recv_timeout(PATIENCE).expect("an event");
    assert_eq!(back["event"], "camera-back");
    // The counter follows the answer.
    while page.metric("emotion_crowd_webhook_sent_total") < 2.0 {
        std::thread::yield_now();
    }
    assert_eq!(page.metric("emotion_crowd_webhook_dropped_total"), 0.0);
    running.signal("-TERM");
    assert!(running.end().success(), "{}", running.log);
}

#[test]
fn a_reader_that_stalls_does_not_keep_the_program_from_ending() {
    let made = "[[source]]\nname = \"a\"\nlaunch = \"videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=100/1\"\n";
    let page = "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n";
    let (mut command, _folder) = command(&["[records]\njsonl = \"-\"\n", page, made].concat());
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(process.stderr.take().expect("it is piped"));
    let mut address = String::new();
    while !address.contains("page: http://") {
        address.clear();
        assert!(
            said.read_line(&mut address).expect("it is text") > 0,
            "it ended"
        );
    }
    let address = address
        .split("http://")
        .nth(1)
        .expect("an address")
        .trim()
        .trim_end_matches('/');
    let page = super::running::Page(address.to_owned());
    // A pipe has room for 64 KiB, and the queue for 2000 lines; nobody reads.
    while page.metric("emotion_crowd_file_dropped_records_total") < 1.0 {
        std::thread::yield_now();
    }
    let killed = Command::new("kill").arg(process.id().to_string()).status();
    assert!(killed.expect("kill starts").success());
    assert!(process.wait().expect("it ends").success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("it is text");
    assert!(rest.contains("nobody reads it"), "{rest}");
}

#[test]
fn records_go_on_in_a_new_file_when_theirs_is_renamed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, moved) = (
        folder.path().join("r.jsonl"),
        folder.path().join("r.jsonl.1"),
    );
    let settings = [&format!("[records]\njsonl = {path:?}\n"), &portrait("hall")]
        .map(String::as_str)
        .concat();
    let mut running = Running::start(&settings);
    let lines = |path: &std::path::Path| {
        std::fs::read_to_string(path)
            .unwrap_or_default()
            .lines()
            .count()
    };
    while lines(&path) < 2 {
        std::thread::yield_now();
    }
    std::fs::rename(&path, &moved).expect("it is ours");
    running.signal("-HUP");
    while lines(&path) < 2 {
        std::thread::yield_now();
    }
    running.signal("-TERM");
    assert!(running.end().success(), "{}", running.log);
    let first = std::fs::read_to_string(&path).expect("it is there");
    let first: gstemotion::record::Record =
        serde_json::from_str(first.lines().next().expect("a line")).expect("a whole record");
    assert_eq!(first.source.as_deref(), Some("hall"));
}
