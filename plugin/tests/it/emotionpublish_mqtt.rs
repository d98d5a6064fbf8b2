//! The element `emotionpublish` and a real broker, which the tests stop and start again.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::mpsc::Receiver;

use crate::common::*;
use emotion_tests::broker::{Mosquitto, PATIENCE};
use emotion_tests::free_port;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;
use gstemotion::face::{DetectedFace, add_detected};
use gstemotion::record::Record;

fn frame(ms: u64) -> gst::Buffer {
    let (info, mut buffer) = blank(VideoFormat::Gray8, 64, 32);
    let face = DetectedFace {
        x: 8,
        y: 4,
        width: 8,
        height: 8,
        confidence: 0.75,
        landmarks: None,
    };
    add_detected(buffer.make_mut(), info.width(), info.height(), &[face]);
    at(buffer, ms)
}

struct Publishing {
    harness: Harness,
    bus: gst::Bus,
}

impl Publishing {
    fn new(scheme: &str, port: u16, properties: &str) -> Self {
        init();
        let line =
            format!("emotionpublish method=mqtt address={scheme}://localhost:{port} {properties}");
        let element = gst::parse::launch(&line).unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
        harness.set_src_caps(info(VideoFormat::Gray8, 64, 32).to_caps().unwrap());
        Self { harness, bus }
    }

    /// Pushes frames; each one passes at once, whatever the broker does.
    fn frames(&mut self, times_ms: impl IntoIterator<Item = u64>) {
        for ms in times_ms {
            let buffer = frame(ms);
            let out = self.harness.push_and_pull(buffer.clone()).unwrap();
            assert_eq!(out.as_ptr(), buffer.as_ptr());
        }
    }

    fn next_warning(&self) -> String {
        let message = self
            .bus
            .timed_pop_filtered(
                gst::ClockTime::from_seconds(PATIENCE.as_secs()),
                &[gst::MessageType::Warning],
            )
            .expect("a warning");
        let gst::MessageView::Warning(warning) = message.view() else {
            unreachable!()
        };
        warning.error().to_string()
    }

    fn has_no_more_warnings(&self) -> bool {
        self.bus
            .pop_filtered(&[gst::MessageType::Warning])
            .is_none()
    }

    fn stop(&self) {
        let element = self.harness.element().unwrap();
        element.set_state(gst::State::Null).unwrap();
    }

    fn count(&self, name: &str) -> u64 {
        stat(&self.harness.element().unwrap(), name)
    }
}

fn next_time(payloads: &Receiver<Vec<u8>>) -> u64 {
    let payload = payloads.recv_timeout(PATIENCE).expect("a message");
    let record: Record = serde_json::from_slice(&payload).expect("a record");
    (record.stream_time.unwrap() * 1000.0).round() as u64
}

#[test]
fn each_record_is_a_message_in_order() {
    let broker = Mosquitto::start("allow_anonymous true");
    let payloads = broker.listen("hall/faces");
    let mut publishing = Publishing::new("mqtt", broker.port, "topic=hall/faces source=hall");
    publishing.frames(0..100);
    let first: Record = serde_json::from_slice(&payloads.recv_timeout(PATIENCE).unwrap()).unwrap();
    assert_eq!(first.source.as_deref(), Some("hall"));
    assert_eq!(first.faces.len(), 1);
    assert_eq!(
        (1..100).map(|_| next_time(&payloads)).collect::<Vec<_>>(),
        (1..100).collect::<Vec<_>>()
    );
    publishing.stop();
    assert_eq!(
        (publishing.count("sent"), publishing.count("dropped")),
        (100, 0)
    );
    assert!(publishing.has_no_more_warnings());
}

#[test]
fn a_stopped_element_has_sent_everything() {
    let broker = Mosquitto::start("allow_anonymous true");
    let payloads = broker.listen("emotion");
    let mut publishing = Publishing::new("mqtt", broker.port, "");
    publishing.frames(0..50);
    publishing.stop();
    assert_eq!(publishing.count("sent"), 50);
    assert_eq!((0..50).map(|_| next_time(&payloads)).max(), Some(49));
}

#[test]
fn while_the_broker_is_stopped_the_picture_goes_on_and_afterwards_nothing_is_missing() {
    let mut broker = Mosquitto::start("allow_anonymous true");
    let payloads = broker.listen("emotion");
    let mut publishing = Publishing::new("mqtt", broker.port, "");
    publishing.frames(0..20);
    assert_eq!(next_time(&payloads), 0);
    broker.stop();
    publishing.frames(20..200);
    let warning = publishing.next_warning();
    assert!(warning.contains("broker is away"), "{warning}");
    broker.resume();
    publishing.frames(200..220);

    // Each arrives at least once: records that the broker had not acknowledged when it stopped come twice.
    let mut missing: BTreeSet<u64> = (1..220).collect();
    while !missing.is_empty() {
        missing.remove(&next_time(&payloads));
    }
    publishing.stop();
    assert_eq!(publishing.count("dropped"), 0);
    assert_eq!(publishing.count("reconnects"), 1);
    assert!(publishing.has_no_more_warnings());
}

#[test]
fn without_a_broker_the_newest_records_wait_and_the_others_are_counted() {
    let mut publishing = Publishing::new("mqtt", free_port(), "queue-size=10");
    let warning = publishing.next_warning();
    assert!(warning.contains("refused"), "{warning}");
    publishing.frames(0..100);
    assert_eq!(
        (publishing.count("queued"), publishing.count("dropped")),
        (10, 90)
    );
    publishing.stop();
    assert_eq!(publishing.count("dropped"), 100);
    let warning = publishing.next_warning();
    assert!(warning.contains("100 records did not reach"), "{warning}");
}

#[test]
fn a_wrong_password_is_a_warning_that_says_so_and_the_right_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let passwords = folder.path().join("passwords");
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c", passwords.to_str().unwrap(), "anna", "secret"])
        .output()
        .expect("mosquitto_passwd is installed (Debian: mosquitto)");
    assert!(made.status.success());
    let configuration = format!(
        "allow_anonymous false\npassword_file {}",
        passwords.display()
    );
    let broker = Mosquitto::start(&configuration);
    for properties in ["", "username=anna password=wrong"] {
        let mut publishing = Publishing::new("mqtt", broker.port, properties);
        publishing.frames(0..3);
        let warning = publishing.next_warning();
        assert!(
            warning.contains("refuses the login; check username and password"),
            "{warning}"
        );
    }
    let payloads = broker.listen("emotion");
    let mut publishing = Publishing::new("mqtt", broker.port, "username=anna password=secret");
    publishing.frames([7]);
    assert_eq!(next_time(&payloads), 7);
}

#[test]
fn tls_trusts_the_given_authority_and_nobody_else_and_shows_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    for (name, about) in [("ca", "/CN=Test authority"), ("other", "/CN=Somebody else")] {
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            about,
            "-keyout",
            &file(&format!("{name}.key")),
            "-out",
            &file(&format!("{name}.pem")),
        ]);
    }
    fs::write(file("names"), "subjectAltName=DNS:localhost").unwrap();
    for name in ["broker", "client"] {
        openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-keyout",
            &file(&format!("{name}.key")),
            "-out",
            &file(&format!("{name}.csr")),
        ]);
        openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            &file(&format!("{name}.csr")),
            "-CA",
            &file("ca.pem"),
            "-CAkey",
            &file("ca.key"),
            "-CAcreateserial",
            "-extfile",
            &file("names"),
            "-out",
            &file(&format!("{name}.pem")),
        ]);
    }

    let (tls_port, strict_port) = (free_port(), free_port());
    let listener = |port: u16, more: &str| {
        format!(
            "listener {port} 127.0.0.1\ncertfile {}\nkeyfile {}\n{more}",
            file("broker.pem"),
            file("broker.key")
        )
    };
    let strict = format!("require_certificate true\ncafile {}", file("ca.pem"));
    let configuration = format!(
        "allow_anonymous true\n{}\n{}",
        listener(tls_port, ""),
        listener(strict_port, &strict)
    );
    let broker = Mosquitto::start(&configuration);
    let payloads = broker.listen("emotion");
    for distrusting in [format!("tls-ca-file={}", file("other.pem")), String::new()] {
        let mut publishing = Publishing::new("mqtts", tls_port, &distrusting);
        publishing.frames([1]);
        let warning = publishing.next_warning();
        assert!(warning.contains("certificate"), "{warning}");
    }
    let ca = format!("tls-ca-file={}", file("ca.pem"));
    let mut publishing = Publishing::new("mqtts", tls_port, &ca);
    publishing.frames([2]);
    assert_eq!(next_time(&payloads), 2);

    let mut publishing = Publishing::new("mqtts", strict_port, &ca);
    publishing.frames([3]);
    let warning = publishing.next_warning();
    assert!(warning.contains("broker is away"), "{warning}");
    let shown = format!(
        "{ca} tls-certificate-file={} tls-key-file={}",
        file("client.pem"),
        file("client.key")
    );
    let mut publishing = Publishing::new("mqtts", strict_port, &shown);
    publishing.frames([4]);
    assert_eq!(next_time(&payloads), 4);
    assert!(broker.path().exists());
}

fn openssl(arguments: &[&str]) {
    let made = Command::new("openssl").args(arguments).output().unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

#[test]
fn settings_that_cannot_work_are_errors_that_say_what_to_set() {
    init();
    for (properties, expected) in [
        ("", "set address to mqtt://HOST"),
        ("address=http://x", "expected mqtt://HOST"),
        ("address=x format=csv", "set format=jsonl"),
        ("address=x topic=a/#", "expected text without + and #"),
        ("address=x password=y", "password is set without username"),
        ("address=mqtts://x tls-ca-file=/nowhere.pem", "/nowhere.pem"),
        (
            "address=mqtts://x tls-ca-file=/dev/null",
            "no certificate found",
        ),
        (
            "address=mqtts://x tls-key-file=/x",
            "without tls-certificate-file",
        ),
    ] {
        let line = format!("emotionpublish method=mqtt {properties}");
        let error = error_at_start(&gst::parse::launch(&line).unwrap());
        assert!(error.contains(expected), "{properties}: {error}");
    }
}
