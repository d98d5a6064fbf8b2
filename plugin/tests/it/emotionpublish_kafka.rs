//! The element `emotionpublish` and librdkafka's own cluster, which the tests stop and start again.

use std::collections::BTreeSet;

use crate::common::*;
use crate::publishing::Publishing;
use emotion_tests::certificates::Authority;
use emotion_tests::free_port;
use emotion_tests::kafka::{MockKafka, SecureEntrance, TopicReader};
use gst::prelude::*;
use gstemotion::record::Record;

fn to_cluster(address: &str, properties: &str) -> Publishing {
    Publishing::new(&format!("method=kafka address={address} {properties}"))
}

fn next_time(reader: &TopicReader) -> u64 {
    let (_, payload) = reader.next_message();
    let record: Record = serde_json::from_slice(&payload.expect("a record")).expect("a record");
    (record.stream_time.unwrap() * 1000.0).round() as u64
}

#[test]
fn each_record_is_a_message_in_order_and_the_source_is_its_key() {
    let cluster = MockKafka::start(&["hall-faces"]);
    let reader = cluster.read("hall-faces");
    let mut publishing = to_cluster(&cluster.address(), "topic=hall-faces source=hall");
    publishing.frames(0..200);
    let (key, payload) = reader.next_message();
    assert_eq!(key.as_deref(), Some("hall"));
    let first: Record = serde_json::from_slice(&payload.unwrap()).unwrap();
    assert_eq!(
        (first.source.as_deref(), first.faces.len()),
        (Some("hall"), 1)
    );
    let times: Vec<_> = (1..200).map(|_| next_time(&reader)).collect();
    assert_eq!(times, (1..200).collect::<Vec<_>>());
    publishing.stop();
    let counts = ["sent", "dropped", "queued", "reconnects"].map(|name| publishing.count(name));
    assert_eq!(counts, [200, 0, 0, 0]);
    assert!(publishing.has_no_more_warnings());
}

#[test]
fn a_stopped_element_has_sent_everything() {
    let cluster = MockKafka::start(&["emotion"]);
    let mut publishing = to_cluster(&cluster.address(), "");
    publishing.frames(0..500);
    publishing.stop();
    assert_eq!(
        (publishing.count("sent"), publishing.count("dropped")),
        (500, 0)
    );
    let reader = cluster.read("emotion");
    assert_eq!((0..500).map(|_| next_time(&reader)).max(), Some(499));
}

#[test]
fn while_the_cluster_is_away_the_picture_goes_on_and_afterwards_nothing_is_missing() {
    let cluster = MockKafka::start(&["emotion"]);
    let reader = cluster.read("emotion");
    let mut publishing = to_cluster(&cluster.address(), "");
    publishing.frames(0..20);
    assert_eq!(next_time(&reader), 0);
    cluster.stop();
    publishing.frames(20..300);
    let warning = publishing.next_warning();
    assert!(warning.contains("broker is away"), "{warning}");
    cluster.resume();
    publishing.frames(300..320);

    let mut missing: BTreeSet<u64> = (1..320).collect();
    while !missing.is_empty() {
        missing.remove(&next_time(&reader));
    }
    publishing.stop();
    assert_eq!(publishing.count("dropped"), 0);
    assert_eq!(publishing.count("reconnects"), 1);
    assert!(publishing.has_no_more_warnings());
}

#[test]
fn without_a_cluster_the_newest_records_wait_and_the_others_are_counted() {
    let address = format!("localhost:{}", free_port());
    let mut publishing = to_cluster(&address, "queue-size=10");
    let warning = publishing.next_warning();
    assert!(warning.contains("refused"), "{warning}");
    publishing.frames(0..200);
    // Those that librdkafka has already are kept too.
    let queued = 10 + gstemotion::kafka::IN_FLIGHT as u64;
    assert_eq!(
        (publishing.count("queued"), publishing.count("dropped")),
        (queued, 200 - queued)
    );
    publishing.stop();
    assert_eq!(publishing.count("dropped"), 200);
    let warning = publishing.next_warning();
    assert!(warning.contains("200 records did not reach"), "{warning}");
}

#[test]
fn a_topic_that_may_not_be_written_is_a_warning_and_its_records_are_dropped() {
    let cluster = MockKafka::start(&["emotion"]);
    cluster.close_topic("emotion");
    let mut publishing = to_cluster(&cluster.address(), "");
    publishing.frames(0..5);
    let warning = publishing.next_warning();
    assert!(
        warning.contains("refuses records, which are lost"),
        "{warning}"
    );
    assert!(warning.contains("authorization"), "{warning}");
    publishing.stop();
    assert_eq!(
        (publishing.count("sent"), publishing.count("dropped")),
        (0, 5)
    );
}

#[test]
fn tls_trusts_the_given_authority_and_nobody_else_and_shows_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let authority = Authority::new(folder.path(), "ca");
    Authority::new(folder.path(), "other");
    for name in ["broker", "client"] {
        authority.sign(name, "IP:127.0.0.1");
    }
    let cluster = MockKafka::start(&["emotion"]);
    let reader = cluster.read("emotion");
    let entrance = |is_strict| {
        let entrance = SecureEntrance::start(&cluster.address(), folder.path(), is_strict, None);
        format!("kafkas://127.0.0.1:{}", entrance.port)
    };
    let open = entrance(false);
    for distrusting in [format!("tls-ca-file={}", file("other.pem")), String::new()] {
        let mut publishing = to_cluster(&open, &distrusting);
        publishing.frames([1]);
        let warning = publishing.next_warning();
        assert!(warning.contains("certificate"), "{warning}");
    }
    let ca = format!("tls-ca-file={}", file("ca.pem"));
    let mut trusting = to_cluster(&open, &ca);
    trusting.frames([2]);
    assert_eq!(next_time(&reader), 2);

    let strict = entrance(true);
    let mut unknown = to_cluster(&strict, &ca);
    unknown.frames([3]);
    let warning = unknown.next_warning();
    assert!(warning.contains("broker is away"), "{warning}");
    let shown = format!(
        "{ca} tls-certificate-file={} tls-key-file={}",
        file("client.pem"),
        file("client.key")
    );
    let mut known = to_cluster(&strict, &shown);
    known.frames([4]);
    assert_eq!(next_time(&reader), 4);
}

#[test]
fn a_wrong_password_is_a_warning_that_says_so_and_the_right_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    authority.sign("broker", "IP:127.0.0.1");
    let cluster = MockKafka::start(&["emotion"]);
    let login = Some(["anna", "s3cret"]);
    let entrance = SecureEntrance::start(&cluster.address(), folder.path(), false, login);
    let ca = folder.path().join("ca.pem");
    let start = |login: &str| {
        let address = format!("kafkas://127.0.0.1:{}", entrance.port);
        to_cluster(&address, &format!("tls-ca-file={} {login}", ca.display()))
    };
    let mut wrong = start("username=anna password=guess");
    wrong.frames(0..3);
    let warning = wrong.next_warning();
    assert!(
        warning.contains("refuses the login; check username and password"),
        "{warning}"
    );
    assert!(!warning.contains("guess"), "{warning}");
    let mut other = start("username=anna password=s3cret sasl-mechanism=scram-sha-256");
    other.frames(0..3);
    let warning = other.next_warning();
    assert!(warning.contains("SCRAM-SHA-256"), "{warning}");

    let reader = cluster.read("emotion");
    let mut right = start("username=anna password=s3cret");
    right.frames([7]);
    assert_eq!(next_time(&reader), 7);
}

#[test]
fn settings_that_cannot_work_are_errors_that_say_what_to_set() {
    init();
    for (properties, expected) in [
        ("", "set address to kafka://HOST"),
        ("address=mqtt://x", "expected kafka://HOST"),
        ("address=x format=csv", "set format=jsonl"),
        ("address=x topic=a/b", "is no topic of Kafka"),
        ("address=x password=y", "password is set without username"),
        ("address=x username=y", "username is set without password"),
        (
            "address=kafkas://x tls-ca-file=/nowhere.pem",
            "/nowhere.pem",
        ),
        (
            "address=kafkas://x tls-ca-file=/dev/null",
            "no certificate found",
        ),
        (
            "address=kafkas://x tls-key-file=/x",
            "without tls-certificate-file",
        ),
    ] {
        let line = format!("emotionpublish method=kafka {properties}");
        let element = gst::parse::launch(&line).unwrap();
        let error = error_at_start(&element);
        assert!(error.contains(expected), "{properties}: {error}");
        element.set_state(gst::State::Null).unwrap();
    }
}
