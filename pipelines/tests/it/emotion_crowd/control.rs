//! Changes while the program runs: a reload of the file, and the API.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::portrait;
use super::running::{Answer, Page, Running};

const CONTROL: &str = "Authorization: Bearer control";
const PAGE: &str =
    "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n[records]\njsonl = \"-\"\n";
const MADE: &str =
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=64,height=48,framerate=10/1";

fn api(rest: &str) -> String {
    format!("{PAGE}[api]\ntoken = \"control\"\nallow-local-sources = true\n{rest}\n")
}

fn made(name: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nlaunch = \"{MADE}\"\n")
}

/// How often `name` was opened, by the log.
fn openings(log: &str, name: &str) -> usize {
    log.lines()
        .filter(|line| line.ends_with(&format!("{name}: playing")))
        .count()
}

#[test]
fn sources_are_added_changed_and_removed_while_the_others_play_on() {
    let mut running = Running::start(&[api(""), portrait("hall"), made("door")].concat());
    let page = running.page();
    let send = |method: &str, path: &str, body: Value| -> Answer {
        page.ask(method, path, &[CONTROL], &body.to_string())
    };
    running.record_of("hall", |_| true);
    running.record_of("door", |_| true);

    let yard = json!({ "name": "yard", "launch": MADE });
    let added = send("POST", "/api/sources", yard);
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(added.json()["changed_by_api"], true);
    running.record_of("yard", |record| record.width == 64);

    let wide = MADE.replace("width=64", "width=96");
    let changed = send(
        "PATCH",
        "/api/sources/yard",
        json!({ "launch": wide, "frames-per-second": 5 }),
    );
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.json()["settings"]["frames-per-second"], 5);
    running.record_of("yard", |record| record.width == 96);
    let before = running.record_of("hall", |_| true);

    assert_eq!(send("DELETE", "/api/sources/yard", json!({})).status, 204);
    running.until_said("yard: removed");
    assert!(
        !page.text("/metrics").contains("yard"),
        "its metrics are left"
    );
    running.skip_records();
    for name in ["hall", "door"] {
        running.record_of(name, |_| true);
        let reconnects = format!("emotion_crowd_reconnects_total{{source=\"{name}\"}}");
        assert_eq!(page.metric(&reconnects), 0.0);
    }
    // The timeline of a stream that plays on is not begun again.
    let after = running.record_of("hall", |_| true);
    assert!(after.running_time > before.running_time);
    let names = page.get("/api/sources", &[]).json();
    let names: Vec<_> = names
        .as_array()
        .expect("a list")
        .iter()
        .map(|source| source["name"].clone())
        .collect();
    assert_eq!(names, ["hall", "door"]);

    running.signal("-TERM");
    assert!(running.end().success(), "{}", running.log);
    assert_eq!(openings(&running.log, "hall"), 1, "{}", running.log);
    assert_eq!(openings(&running.log, "door"), 1);
    assert_eq!(openings(&running.log, "yard"), 2);
    assert!(
        running.log.contains("127.0.0.1 added the source yard"),
        "{}",
        running.log
    );
    assert!(running.log.contains("127.0.0.1 removed the source yard"));
}

#[test]
fn a_reload_restarts_what_differs_and_names_what_needs_a_restart() {
    let first = [api(""), portrait("hall"), made("door"), made("old")].concat();
    let mut running = Running::start(&first);
    let page = running.page();
    for name in ["hall", "door", "old"] {
        running.record_of(name, |_| true);
    }
    let door = made("door").replace("width=64", "width=96");
    let second = [
        api("").replace("pictures = \"off\"", "pictures = \"full\""),
        "[reconnect]\nstall-seconds = 8\n".into(),
        portrait("hall"),
        door,
        made("new"),
    ]
    .concat();
    running.rewrite(&second);
    running.signal("-HUP");
    running.until_said("settings: applied: reconnect.stall-seconds");
    running.until_said("settings: takes effect only after a restart: page.pictures");
    running.record_of("door", |record| record.width == 96);
    running.record_of("new", |_| true);
    running.until_said("old: removed");

    // The same by the API, and a mistake changes nothing.
    let report = page.ask("POST", "/api/reload", &[CONTROL], "");
    assert_eq!(report.status, 200);
    let report = report.json();
    for name in ["hall", "door", "new"] {
        assert_eq!(report["sources"][name]["action"], "unchanged", "{report}");
    }
    running.rewrite(&format!("{second}[[source]]\nname = \"x\"\n"));
    let refused = page.ask("POST", "/api/reload", &[CONTROL], "");
    assert_eq!(refused.status, 422);
    let error = refused.json()["error"].as_str().expect("a text").to_owned();
    assert!(
        error.contains("crowd.toml:") && error.contains("exactly one of uri"),
        "{error}"
    );
    running.signal("-HUP");
    running.until_said("settings: nothing was changed: ");
    running.skip_records();
    running.record_of("new", |_| true);

    running.signal("-TERM");
    assert!(running.end().success());
    assert_eq!(openings(&running.log, "hall"), 1, "{}", running.log);
    assert_eq!(openings(&running.log, "door"), 2);
}

#[test]
fn changes_of_the_api_outlast_a_reload_and_the_program() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().join("state.json");
    let settings = [
        api(&format!("state = {state:?}")),
        made("hall"),
        made("door"),
    ]
    .concat();
    {
        let mut running = Running::start(&settings);
        let page = running.page();
        running.record_of("hall", |_| true);
        let yard = json!({ "name": "yard", "launch": MADE }).to_string();
        assert_eq!(
            page.ask("POST", "/api/sources", &[CONTROL], &yard).status,
            201
        );
        assert_eq!(
            page.ask("DELETE", "/api/sources/door", &[CONTROL], "")
                .status,
            204
        );
        let report = page.ask("POST", "/api/reload", &[CONTROL], "").json();
        assert_eq!(report["kept"], json!(["door", "yard"]));
        assert_eq!(
            report["sources"],
            json!({
                "hall": { "action": "unchanged" },
                "yard": { "action": "unchanged" },
            })
        );
        running.record_of("yard", |_| true);
    }
    let mut running = Running::start(&settings);
    let page = running.page();
    running.record_of("yard", |_| true);
    assert_eq!(page.get("/api/sources/door", &[]).status, 404);
}

#[test]
fn with_a_page_the_program_starts_without_a_source_and_stays_when_all_have_ended() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clip = emotion_tests::camera::clip(folder.path());
    let mut running = Running::start(&api(""));
    let page = running.page();
    assert_eq!(page.get("/api/sources", &[]).json(), json!([]));
    let clip = json!({ "name": "clip", "file": clip }).to_string();
    assert_eq!(
        page.ask("POST", "/api/sources", &[CONTROL], &clip).status,
        201
    );
    running.until_said("clip: ended");
    let clip = page.get("/api/sources/clip", &[]).json();
    assert_eq!(clip["status"], "ended");
    running.signal("-TERM");
    assert!(running.end().success());
}

/// The answers of a program that may or may not let a client do something.
struct Described {
    document: Value,
    seen: BTreeSet<(String, String, u16)>,
}

impl Described {
    /// Sends a request and checks that the description has the answer.
    fn check(
        &mut self,
        page: &Page,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> u16 {
        let answer = page.ask(method, path, headers, body);
        let known = match path.strip_prefix("/api/sources/") {
            Some(_) => "/api/sources/{name}",
            None => path,
        };
        let operation = &self.document["paths"][known][method.to_lowercase()];
        let mut response = &operation["responses"][answer.status.to_string()];
        assert!(
            !response.is_null(),
            "{method} {path} answers {}",
            answer.status
        );
        if let Some(name) = response["$ref"].as_str() {
            response = self.document.pointer(&name[1..]).expect(name);
        }
        let schema = &response["content"]["application/json"]["schema"];
        if !schema.is_null() {
            // References lead from the root of the schema.
            let mut whole = schema.clone();
            if schema.get("items").is_none() && schema.get("$ref").is_some() {
                whole = json!({ "allOf": [schema] });
            }
            whole["components"] = self.document["components"].clone();
            let validator = jsonschema::validator_for(&whole).expect("it is a schema");
            let found = answer.json();
            let errors: Vec<_> = validator
                .iter_errors(&found)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{method} {path}: {errors:?} in {found}");
        }
        self.seen
            .insert((known.to_owned(), method.to_lowercase(), answer.status));
        answer.status
    }
}

#[test]
fn every_route_and_status_of_the_description_is_answered_as_it_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().join("api");
    fs::create_dir(&state).expect("it is writable");
    let rest = format!("state = {:?}", state.join("state.json"));
    let settings = [api(&rest), made("hall"), made("door")].concat();
    let settings = settings
        .replace("allow-local-sources = true", "allow-local-sources = false")
        .replace("pictures = \"off\"", "pictures = \"off\"\ntoken = \"view\"");
    let mut running = Running::start(&settings);
    let page = running.page();
    let view = "Authorization: Bearer view";
    let document = page.get("/api/openapi.json", &[view]).json();
    let mut described = Described {
        document,
        seen: BTreeSet::new(),
    };

    let yard = r#"{"name":"yard","uri":"rtsp://127.0.0.1:9/x?user=a&pwd=s3cret"}"#;
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    for (method, path, headers, body, status) in [
        ("GET", "/api/openapi.json", vec![view], "", 200),
        ("GET", "/api/openapi.json", vec![], "", 401),
        ("GET", "/api/sources", vec![view], "", 200),
        ("GET", "/api/sources", vec![CONTROL], "", 200),
        ("GET", "/api/sources", vec![], "", 401),
        ("GET", "/api/sources/hall", vec![view], "", 200),
        ("GET", "/api/sources/hall", vec![], "", 401),
        ("GET", "/api/sources/cellar", vec![view], "", 404),
        ("POST", "/api/sources", vec![CONTROL], yard, 201),
        ("POST", "/api/sources", vec![CONTROL], yard, 409),
        ("POST", "/api/sources", vec![CONTROL], "[]", 400),
        ("POST", "/api/sources", vec![view], yard, 401),
        ("POST", "/api/sources", vec![], yard, 401),
        (
            "POST",
            "/api/sources",
            vec![CONTROL, "Origin: http://evil.example"],
            yard,
            403,
        ),
        (
            "POST",
            "/api/sources",
            vec![CONTROL],
            r#"{"name":"x","file":"/etc/passwd"}"#,
            403,
        ),
        (
            "POST",
            "/api/sources",
            vec![CONTROL],
            r#"{"name":"x","uri":"file:///etc/passwd"}"#,
            403,
        ),
        (
            "POST",
            "/api/sources",
            vec![CONTROL],
            r#"{"name":"x","uri":"nonsense://x"}"#,
            403,
        ),
        (
            "POST",
            "/api/sources",
            vec![CONTROL],
            r#"{"name":"x","uri":"rtsp://x:port"}"#,
            422,
        ),
        (
            "POST",
            "/api/sources",
            vec![CONTROL],
            r#"{"name":"x","uri":"rtsp://x","detect":{"min-size":-3}}"#,
            422,
        ),
        ("POST", "/api/sources", vec![CONTROL], long.as_str(), 413),
        (
            "PATCH",
            "/api/sources/yard",
            vec![CONTROL],
            r#"{"latency-ms":300}"#,
            200,
        ),
        ("PATCH", "/api/sources/yard", vec![CONTROL], "3", 400),
        ("PATCH", "/api/sources/yard", vec![view], "{}", 401),
        (
            "PATCH",
            "/api/sources/yard",
            vec![CONTROL],
            r#"{"launch":"fakesrc"}"#,
            403,
        ),
        ("PATCH", "/api/sources/cellar", vec![CONTROL], "{}", 404),
        (
            "PATCH",
            "/api/sources/yard",
            vec![CONTROL],
            r#"{"name":"z"}"#,
            422,
        ),
        (
            "PATCH",
            "/api/sources/yard",
            vec![CONTROL],
            r#"{"uri":null}"#,
            422,
        ),
        (
            "PATCH",
            "/api/sources/yard",
            vec![CONTROL],
            r#"{"colour":1}"#,
            422,
        ),
        (
            "PATCH",
            "/api/sources/yard",
            vec![CONTROL],
            long.as_str(),
            413,
        ),
        ("POST", "/api/reload", vec![CONTROL], "", 200),
        ("POST", "/api/reload", vec![], "", 401),
        (
            "POST",
            "/api/reload",
            vec![CONTROL, "Origin: null"],
            "",
            403,
        ),
        (
            "POST",
            "/api/lease",
            vec![CONTROL],
            r#"{"seconds":3600}"#,
            204,
        ),
        ("POST", "/api/lease", vec![CONTROL], r#"{"seconds":0}"#, 422),
        ("POST", "/api/lease", vec![CONTROL], "{}", 400),
        ("POST", "/api/lease", vec![view], r#"{"seconds":9}"#, 401),
        (
            "POST",
            "/api/lease",
            vec![CONTROL, "Origin: null"],
            r#"{"seconds":9}"#,
            403,
        ),
        ("DELETE", "/api/sources/yard", vec![view], "", 401),
        (
            "DELETE",
            "/api/sources/yard",
            vec![CONTROL, "Origin: http://evil.example"],
            "",
            403,
        ),
        ("DELETE", "/api/sources/cellar", vec![CONTROL], "", 404),
        ("DELETE", "/api/sources/yard", vec![CONTROL], "", 204),
    ] {
        let found = described.check(&page, method, path, &headers, body);
        assert_eq!(found, status, "{method} {path} {headers:?} {body:.80}");
    }
    running.rewrite("[[source]\n");
    assert_eq!(
        described.check(&page, "POST", "/api/reload", &[CONTROL], ""),
        422
    );
    fs::remove_dir_all(&state).expect("it is ours");
    for (method, path, body) in [
        ("POST", "/api/sources", yard),
        ("PATCH", "/api/sources/yard", r#"{"latency-ms":300}"#),
        ("DELETE", "/api/sources/yard", ""),
    ] {
        assert_eq!(described.check(&page, method, path, &[CONTROL], body), 500);
    }

    let paths = described.document["paths"].as_object().expect("an object");
    let all: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, operations)| {
            let operations = operations.as_object().expect("an object").iter();
            operations.map(move |(method, operation)| (path, method, operation))
        })
        .filter_map(|(path, method, operation)| {
            let statuses = operation.get("responses")?.as_object()?.keys();
            let one = |status: &String| {
                (
                    path.clone(),
                    method.clone(),
                    status.parse().expect("a number"),
                )
            };
            Some(statuses.map(one).collect::<Vec<_>>())
        })
        .flatten()
        .collect();
    assert_eq!(all, described.seen);

    running.signal("-TERM");
    running.end();
    assert!(!running.log.contains("s3cret"), "{}", running.log);
}

#[test]
fn sources_whose_lease_is_not_renewed_end_and_may_be_added_again() {
    let mut running = Running::start(&[api(""), made("hall")].concat());
    let page = running.page();
    let renew = |seconds: u32| {
        let body = json!({ "seconds": seconds }).to_string();
        assert_eq!(
            page.ask("POST", "/api/lease", &[CONTROL], &body).status,
            204
        );
    };
    renew(3600);
    running.record_of("hall", |_| true);
    renew(1);
    running.until_said("WARN hall: its lease was not renewed");
    running.until_said("hall: removed");
    assert_eq!(page.get("/api/sources", &[]).json(), json!([]));

    // Nothing is recorded before there is a new lease.
    let yard = json!({ "name": "yard", "launch": MADE }).to_string();
    renew(3600);
    assert_eq!(
        page.ask("POST", "/api/sources", &[CONTROL], &yard).status,
        201
    );
    running.record_of("yard", |_| true);
}

#[test]
fn without_a_token_of_its_own_nothing_can_be_changed_and_no_secret_is_shown() {
    let secret = "[[source]]\nname = \"cam\"\nuri = \"rtsp://me:pa55@127.0.0.1:9/x?pwd=s3cret\"\n\
                  [[source]]\nname = \"made\"\nlaunch = \"souphttpsrc location=http://me:pa55@127.0.0.1:9/x user-pw=s3cret\"\n";
    let mut running = Running::start(&[PAGE, secret].concat());
    let page = running.page();
    let refused = page.ask("POST", "/api/reload", &[CONTROL], "");
    assert_eq!(refused.status, 403);
    for _ in 0..2 {
        running.until_said("again in");
    }
    for path in ["/api/sources", "/api/streams", "/metrics"] {
        let text = page.text(path);
        assert!(
            !text.contains("pa55") && !text.contains("s3cret"),
            "{path}: {text}"
        );
    }
    running.signal("-TERM");
    running.end();
    assert!(
        !running.log.contains("pa55") && !running.log.contains("s3cret"),
        "{}",
        running.log
    );
}

#[test]
fn two_sigterms_end_it_properly_and_the_second_interrupt_at_once() {
    let mut running = Running::start(&[PAGE, &made("hall")].concat());
    running.record_of("hall", |_| true);
    running.signal("-TERM");
    running.signal("-TERM");
    assert_eq!(running.end().code(), Some(0), "{}", running.log);
}
