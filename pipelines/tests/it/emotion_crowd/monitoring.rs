//! Health, metrics, and what monitoring systems make of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use emotion_tests::{free_port, repository};
use regex::Regex;
use serde_json::Value;

use super::portrait;
use super::running::{PATIENCE, Page, Running, command};

const PAGE: &str = "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n";

/// Runs promtool with `input`.
fn promtool(arguments: &[&str], input: &str) {
    let mut process = Command::new("promtool")
        .args(arguments)
        .current_dir(repository("pipelines/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed (Debian: prometheus)");
    let mut stdin = process.stdin.take().expect("it is piped");
    // One that reads no input says so by its status.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let ran = process.wait_with_output().expect("it ends");
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ran.status.success(), "{arguments:?}: {said}\n{input}");
}

/// All metrics that there can be: of a source that plays, one that is down, and a broker.
fn all_metrics(running: &mut Running) -> String {
    let page = running.page();
    loop {
        let text = page.text("/metrics");
        let wanted = ["emotion_crowd_down_reason{", "emotion_crowd_emotion_ratio{"];
        if wanted.iter().all(|name| text.contains(name)) {
            return text;
        }
    }
}

fn settings_with_all() -> String {
    let (camera, broker) = (free_port(), free_port());
    format!(
        "{PAGE}[mqtt]\naddress = \"localhost:{broker}\"\n[records]\njsonl = \"/dev/null\"\n{}\
         [[source]]\nname = \"gone\"\nuri = \"rtsp://127.0.0.1:{camera}/live\"\n",
        portrait("hall")
    )
}

#[test]
fn promtool_reads_the_plain_metrics() {
    let mut running = Running::start(&settings_with_all());
    let metrics = all_metrics(&mut running);
    promtool(&["check", "metrics"], &metrics);
    for line in [
        concat!(
            "emotion_crowd_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1"
        ),
        "# TYPE emotion_crowd_frames_total counter",
        "# TYPE process_cpu_seconds_total counter",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {metrics}"));
        line.trim().parse().expect("a number")
    };
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let now = now.expect("a time").as_secs_f64();
    let frame = value("emotion_crowd_last_frame_timestamp_seconds{source=\"hall\"}");
    assert!((now - 120.0..=now).contains(&frame), "{frame} {now}");
    assert_eq!(
        value("emotion_crowd_last_frame_timestamp_seconds{source=\"gone\"}"),
        0.0
    );
    let started = value("process_start_time_seconds ");
    assert!(
        (now - 120.0..=now + 2.0).contains(&started),
        "{started} {now}"
    );
    assert!(value("process_cpu_seconds_total ") > 0.0);
    assert!(value("process_resident_memory_bytes ") > 1e7);
    assert!(value("process_open_fds ") > 5.0);
}

#[test]
fn a_client_gets_openmetrics_only_if_it_accepts_it() {
    let mut running = Running::start(&[PAGE, &portrait("hall")].concat());
    let page = running.page();
    let openmetrics = "application/openmetrics-text; version=1.0.0";
    for (accept, expected) in [
        ("Accept: */*", "text/plain; version=0.0.4"),
        ("Accept: text/plain", "text/plain; version=0.0.4"),
        (
            "Accept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",
            openmetrics,
        ),
    ] {
        let head = page.get("/metrics", &[accept]).head;
        assert!(head.contains(expected), "{accept}: {head}");
    }
}

#[test]
fn the_example_alerts_and_the_dashboard_ask_for_metrics_that_exist() {
    promtool(&["check", "rules", "alerts.yml"], "");
    promtool(&["test", "rules", "alerts.test.yml"], "");
    promtool(&["check", "config", "--syntax-only", "prometheus.yml"], "");

    let mut running = Running::start(&settings_with_all());
    let metrics = all_metrics(&mut running);
    let name = Regex::new(r"\b(?:emotion_crowd|process)_\w+").expect("a pattern");
    let names = |text: &str| -> BTreeSet<String> {
        let found = name.find_iter(text);
        found.map(|found| found.as_str().to_owned()).collect()
    };
    let exist = names(&metrics);
    let read = |path: &str| fs::read_to_string(repository(path)).expect("it is there");
    let dashboard: Value =
        serde_json::from_str(&read("pipelines/grafana/emotion-crowd.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("a list");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("a list"));
    let queries: String = targets
        .map(|target| target["expr"].as_str().expect("a query").to_owned() + "\n")
        .collect();
    // Only a build with Kafka has its metrics, which have the names of those of MQTT.
    let alerts = read("pipelines/prometheus/alerts.yml").replace("_kafka_", "_mqtt_");
    for asked in [names(&queries), names(&alerts)] {
        assert!(asked.len() > 5, "{asked:?}");
        let missing: Vec<_> = asked.difference(&exist).collect();
        assert!(missing.is_empty(), "{missing:?} are not in {exist:?}");
    }
}

/// A running Prometheus; dropping it ends it.
struct Prometheus(Child, Page);

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn prometheus_finds_the_program_and_reads_its_metrics() {
    let token = "token = \"long-enough-for-all\"\n";
    let mut running = Running::start(&[PAGE, token, &portrait("hall")].concat());
    let page = running.page();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let example = fs::read_to_string(repository("pipelines/prometheus/prometheus.yml"));
    let token = folder.path().join("token");
    fs::write(&token, "long-enough-for-all").expect("it is writable");
    let config = example
        .expect("it is there")
        .replace("127.0.0.1:8080", &page.0)
        .replace(
            "/etc/prometheus/emotion-crowd.token",
            &token.display().to_string(),
        )
        .replace("scrape_interval: 15s", "scrape_interval: 1s")
        .replace(
            "  - alerts.yml",
            &format!(
                "  - {}",
                repository("pipelines/prometheus/alerts.yml").display()
            ),
        );
    fs::write(folder.path().join("prometheus.yml"), config).expect("it is writable");
    let address = format!("127.0.0.1:{}", free_port());
    let log = fs::File::create(folder.path().join("log")).expect("it is writable");
    let process = Command::new("prometheus")
        .arg(format!(
            "--config.file={}",
            folder.path().join("prometheus.yml").display()
        ))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("prometheus is installed");
    let prometheus = Prometheus(process, Page(address));
    let began = Instant::now();
    loop {
        let is_up = std::net::TcpStream::connect(&prometheus.1.0).is_ok();
        let path = "/api/v1/query?query=emotion_crowd_connected";
        let answer = is_up.then(|| prometheus.1.get(path, &[]));
        let text = answer.map(|answer| String::from_utf8(answer.body).expect("text"));
        let text = text.unwrap_or_default();
        if text.contains("\"source\":\"hall\"") && text.contains(",\"1\"]") {
            break;
        }
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        assert!(began.elapsed() < PATIENCE, "{text}\n{log}");
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

#[test]
fn probes_need_no_token_and_the_program_is_ready_when_each_source_was_tried() {
    // A camera that accepts connections and says nothing.
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = silent.local_addr().expect("it is bound");
    let settings = format!(
        "{PAGE}token = \"long-enough-for-all\"\n[reconnect]\nstall-seconds = 3\n{}\
         [[source]]\nname = \"silent\"\nuri = \"rtsp://{address}/live\"\n",
        portrait("hall")
    );
    let mut running = Running::start(&settings);
    let page = running.page();
    assert_eq!(page.get("/healthz", &[]).status, 200);
    assert_eq!(page.get("/readyz", &["Host: 10.0.0.1"]).status, 503);
    running.until_said("silent: ");
    assert_eq!(page.get("/readyz", &[]).status, 200);
}

#[test]
fn the_service_manager_hears_that_the_program_is_ready_alive_and_ending() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket
        .set_read_timeout(Some(PATIENCE))
        .expect("a time is set");
    let next = || {
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).expect("a message");
        String::from_utf8(bytes[..length].to_vec()).expect("text")
    };
    let (mut command, settings) = command(&portrait("hall"));
    command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000");
    let running = Running::spawn(command, settings);
    let mut said = String::new();
    while !said.contains("READY=1\n") {
        said += &next();
        said += "\n";
    }
    assert!(said.contains("STATUS=0 of 1 sources playing\n"), "{said}");
    while !said.contains("STATUS=1 of 1 sources playing\n") {
        said += &next();
        said += "\n";
    }
    for _ in 0..3 {
        assert!(next().contains("WATCHDOG=1"));
    }
    running.signal("-TERM");
    while !next().contains("STOPPING=1") {}
}

#[test]
fn systemd_accepts_the_unit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let unit = fs::read_to_string(repository("pipelines/systemd/emotion-crowd.service"));
    let unit = unit.expect("it is there").replace(
        "/usr/bin/emotion-crowd",
        env!("CARGO_BIN_EXE_emotion-crowd"),
    );
    let path = folder.path().join("emotion-crowd.service");
    fs::write(&path, unit).expect("it is writable");
    let ran = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&path)
        .output()
        .expect("systemd-analyze is installed (Debian: systemd)");
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ran.status.success() && said.is_empty(), "{said}");
}
