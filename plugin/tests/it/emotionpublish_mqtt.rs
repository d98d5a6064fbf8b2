//! The element `emotionpublish` and a real broker, which the tests stop and start again.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::mpsc::Receiver;

use crate::common::*;
use crate::publishing::Publishing;
use emotion_tests::broker::Mosquitto;
use emotion_tests::certificates::Authority;
use emotion_tests::{PATIENCE, free_port};
use gstemotion::record::Record;

fn to_broker(scheme: &str, port: u16, properties: &str) -> Publishing {
    Publishing::new(&format!(
        "method=mqtt address={scheme}://localhost:{port} {properties}"
    ))
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
    let mut publishing = to_broker("mqtt", broker.port, "topic=hall/faces source=hall");
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
    let mut publishing = to_broker("mqtt", broker.port, "");
    publishing.frames(0..50);
    publishing.stop();
    assert_eq!(publishing.count("sent"), 50);
    assert_eq!((0..50).map(|_| next_time(&payloads)).max(), Some(49));
}

#[test]
fn while_the_broker_is_stopped_the_picture_goes_on_and_afterwards_nothing_is_missing() {
    let mut broker = Mosquitto::start("allow_anonymous true");
    let payloads = broker.listen("emotion");
    let mut publishing = to_broker("mqtt", broker.port, "");
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
    let mut publishing = to_broker("mqtt", free_port(), "queue-size=10");
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
        let mut publishing = to_broker("mqtt", broker.port, properties);
        publishing.frames(0..3);
        let warning = publishing.next_warning();
        assert!(
            warning.contains("refuses the login; check username and password"),
            "{warning}"
        );
    }
    let payloads = broker.listen("emotion");
    let mut publishing = to_broker("mqtt", broker.port, "username=anna password=secret");
    publishing.frames([7]);
    assert_eq!(next_time(&payloads), 7);
}

#[test]
fn tls_trusts_the_given_authority_and_nobody_else_and_shows_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let authority = Authority::new(folder.path(), "ca");
    Authority::new(folder.path(), "other");
    for name in ["broker", "client"] {
        authority.sign(name, "DNS:localhost");
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
        let mut publishing = to_broker("mqtts", tls_port, &distrusting);
        publishing.frames([1]);
        let warning = publishing.next_warning();
        assert!(warning.contains("certificate"), "{warning}");
    }
    let ca = format!("tls-ca-file={}", file("ca.pem"));
    let mut publishing = to_broker("mqtts", tls_port, &ca);
    publishing.frames([2]);
    assert_eq!(next_time(&payloads), 2);

    let mut publishing = to_broker("mqtts", strict_port, &ca);
    publishing.frames([3]);
    let warning = publishing.next_warning();
    assert!(warning.contains("broker is away"), "{warning}");
    let shown = format!(
        "{ca} tls-certificate-file={} tls-key-file={}",
        file("client.pem"),
        file("client.key")
    );
    let mut publishing = to_broker("mqtts", strict_port, &shown);
    publishing.frames([4]);
    assert_eq!(next_time(&payloads), 4);
    assert!(broker.path().exists());
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
