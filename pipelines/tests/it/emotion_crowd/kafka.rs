//! Records and the status of sources in a Kafka cluster.

use emotion_tests::kafka::MockKafka;
use gstemotion::record::Record;
use serde_json::Value;

use super::portrait;
use super::running::{Running, command};

const PAGE: &str = "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n";
const CONTROL: &str = "Authorization: Bearer control";

#[test]
fn records_and_states_go_to_the_cluster_also_after_it_was_away() {
    let cluster = MockKafka::start(&["faces", "states"]);
    let records = cluster.read("faces");
    let states = cluster.read("states");
    let settings = format!(
        "{PAGE}[api]\ntoken = \"control\"\n[kafka]\naddress = \"{}\"\ntopic = \"faces\"\nstatus-topic = \"states\"\n{}",
        cluster.address(),
        portrait("hall")
    );
    let mut running = Running::start(&settings);
    let page = running.page();
    let next = || -> Record {
        let (key, payload) = records.next_message();
        assert_eq!(key.as_deref(), Some("hall"));
        serde_json::from_slice(&payload.expect("a record")).expect("a record")
    };
    let first = next();
    assert_eq!(first.source.as_deref(), Some("hall"));
    cluster.stop();
    running.until_said("kafka: the broker is away");
    cluster.resume();
    running.until_said("kafka: connected");
    while next().running_time <= first.running_time {}

    let metric = |name: &str| page.metric(&format!("emotion_crowd_kafka_{name}"));
    while metric("sent_total") < 2.0 {
        std::thread::yield_now();
    }
    assert_eq!(metric("reconnects_total"), 1.0);
    assert_eq!(metric("dropped_total"), 0.0);
    assert_eq!(metric("connected"), 1.0);

    let state = || {
        let (key, payload) = states.next_message();
        assert_eq!(key.as_deref(), Some("hall"));
        payload.map(|json| serde_json::from_slice::<Value>(&json).expect("JSON"))
    };
    while state().is_none_or(|state| state["status"] != "playing") {}
    // What a compacted topic keeps of a source ends with it.
    let removed = page.ask("DELETE", "/api/sources/hall", &[CONTROL], "");
    assert_eq!(removed.status, 204);
    while state().is_some() {}

    running.signal("-TERM");
    assert!(running.end().success(), "{}", running.log);
    assert!(!running.log.contains("did not reach"), "{}", running.log);
}

#[test]
fn a_check_refuses_wrong_settings_with_their_place_and_shows_no_password() {
    for (rest, place, said) in [
        ("address = \"mqtt://x\"", "2:11", "expected kafka://HOST"),
        (
            "address = \"x\"\ntopic = \"a/b\"",
            "3:9",
            "is no topic of Kafka",
        ),
        (
            "address = \"x\"\nusername = \"u\"",
            "3:12",
            "username is set without password",
        ),
        (
            "address = \"x\"\nusername = \"u\"\npassword = \"s3cret\"\nsasl-mechanism = \"gssapi\"",
            "5:18",
            "expected one of `plain`, `scram-sha-256`, `scram-sha-512`",
        ),
        (
            "address = \"kafkas://x\"\ntls-ca-file = \"/nowhere.pem\"",
            "3:15",
            "/nowhere.pem: ",
        ),
    ] {
        let (mut command, _folder) = command(&format!("[kafka]\n{rest}\n{PAGE}"));
        let ran = command.arg("--check").output().expect("it starts");
        let errors = String::from_utf8(ran.stderr).expect("text");
        assert_eq!(ran.status.code(), Some(1), "{errors}");
        assert!(
            errors.contains(&format!("crowd.toml:{place}: ")) && errors.contains(said),
            "{rest}\n{errors}"
        );
        assert!(!errors.contains("s3cret"), "{errors}");
    }
}
