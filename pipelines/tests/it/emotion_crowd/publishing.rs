//! Records and metrics, read by other programs.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use emotion_tests::broker::Mosquitto;
use gstemotion::record::Record;

use super::portrait;
use super::running::{PATIENCE, Page, Running};

const PAGE: &str = "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n";

/// The metrics as Prometheus' own parser reads them: lines of name, labels and value.
fn parsed(page: &Page) -> String {
    let mut parser = Command::new("/usr/bin/python3")
        .args([
            "-c",
            "import sys\n\
             from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
             for family in parse(sys.stdin.read()):\n\
             \x20   for sample in family.samples: print(sample.name, sorted(sample.labels.items()), sample.value)",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is a /usr/bin/python3");
    let text = page.get(
        "/metrics",
        &["Accept: application/openmetrics-text; version=1.0.0"],
    );
    let text = String::from_utf8(text.body).expect("text");
    let mut input = parser.stdin.take().expect("it is piped");
    // A parser that ends before it has read everything says why on standard error.
    let _ = input.write_all(text.as_bytes());
    drop(input);
    let ran = parser.wait_with_output().expect("it ends");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success(),
        "{errors}\n(Debian: python3-prometheus-client)\n{text}"
    );
    String::from_utf8(ran.stdout).expect("text")
}

fn value(metrics: &str, name: &str, labels: &str) -> f64 {
    let begin = format!("{name} [{labels}] ");
    let found = metrics.lines().find_map(|line| line.strip_prefix(&begin));
    found
        .and_then(|value| value.parse().ok())
        .unwrap_or_else(|| panic!("no {begin} in\n{metrics}"))
}

#[test]
fn metrics_of_each_source_are_read_by_prometheus() {
    let mut running = Running::start(
        &[
            PAGE,
            "[records]\njsonl = \"-\"\n",
            &portrait("hall"),
            &portrait("door"),
        ]
        .concat(),
    );
    let page = running.page();
    for source in ["hall", "door"] {
        running.record_of(source, |record| !record.faces.is_empty());
        running.record_of(source, |_| true);
    }
    let metrics = parsed(&page);
    for source in ["hall", "door"] {
        let labels = format!("('source', '{source}')");
        let of = |name: &str| value(&metrics, name, &labels);
        assert_eq!(of("emotion_crowd_faces"), 1.0);
        assert_eq!(of("emotion_crowd_connected"), 1.0);
        assert_eq!(of("emotion_crowd_reconnects_total"), 0.0);
        let (frames, analysed, skipped) = (
            of("emotion_crowd_frames_total"),
            of("emotion_crowd_analysed_frames_total"),
            of("emotion_crowd_skipped_frames_total"),
        );
        assert!(
            analysed >= 1.0 && frames >= analysed + skipped,
            "{frames} {analysed} {skipped}"
        );
        assert!(of("emotion_crowd_latency_seconds_count") >= 1.0);
        let shares: f64 = metrics
            .lines()
            .filter(|line| {
                line.starts_with("emotion_crowd_emotion_ratio") && line.contains(&labels)
            })
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    }
    assert!(value(&metrics, "emotion_crowd_file_records_total", "") >= 4.0);
}

#[test]
fn records_go_to_the_topic_of_their_source_also_after_the_broker_was_away() {
    let mut broker = Mosquitto::start("allow_anonymous true");
    let payloads = broker.listen("crowd/hall/faces");
    let mqtt = format!(
        "[mqtt]\naddress = \"localhost:{}\"\ntopic = \"crowd/{{source}}/faces\"\n",
        broker.port
    );
    let mut running = Running::start(&[&mqtt, PAGE, &portrait("hall")].concat());
    let page = running.page();
    let next = || -> Record {
        let payload = payloads.recv_timeout(PATIENCE).expect("a message");
        serde_json::from_slice(&payload).expect("a record")
    };
    let first = next();
    assert_eq!(first.source.as_deref(), Some("hall"));
    broker.stop();
    running.until_said("mqtt: the broker is away");
    broker.resume();
    running.until_said("mqtt: connected");
    payloads.try_iter().for_each(drop);
    let after = next();
    assert!(after.running_time > first.running_time);
    let metrics = parsed(&page);
    assert!(value(&metrics, "emotion_crowd_mqtt_sent_total", "") >= 1.0);
    assert_eq!(
        value(&metrics, "emotion_crowd_mqtt_reconnects_total", ""),
        1.0
    );
    assert_eq!(value(&metrics, "emotion_crowd_mqtt_dropped_total", ""), 0.0);
    assert_eq!(value(&metrics, "emotion_crowd_mqtt_connected", ""), 1.0);
    running.signal("-TERM");
    assert!(running.end().success());
    assert!(!running.log.contains("did not reach"), "{}", running.log);
}

#[test]
fn records_are_appended_to_a_file_and_only_changes_on_request() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("crowd.jsonl");
    fs::write(&path, "{\"before\":1}\n").expect("it is writable");
    let records = format!(
        "[records]\njsonl = \"{}\"\ninclude = \"changes\"\n",
        path.display()
    );
    let settings = [PAGE, &records, &portrait("hall")].concat();
    let mut running = Running::start(&settings);
    let page = running.page();
    // Many frames, all of the same picture.
    while page.metric("emotion_crowd_analysed_frames_total{source=\"hall\"}") < 6.0 {
        std::thread::yield_now();
    }
    running.signal("-TERM");
    assert!(running.end().success());
    let text = fs::read_to_string(&path).expect("it is there");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "{\"before\":1}");
    assert!((2..=4).contains(&lines.len()), "{text}");
    let record: Record = serde_json::from_str(lines[1]).expect("a record");
    assert_eq!(record.faces.len(), 1);
}

#[test]
fn a_full_disk_loses_records_but_does_not_end_the_program() {
    let settings = [
        PAGE,
        "[records]\njsonl = \"/dev/full\"\n",
        &portrait("hall"),
    ]
    .concat();
    let mut running = Running::start(&settings);
    let page = running.page();
    let said = running.until_said("records: ");
    assert!(said.contains("/dev/full: No space left"), "{said}");
    let dropped = |metrics: &str| value(metrics, "emotion_crowd_file_dropped_records_total", "");
    let metrics = parsed(&page);
    assert!(dropped(&metrics) >= 1.0, "{metrics}");
    running.signal("-TERM");
    assert!(running.end().success());
}
