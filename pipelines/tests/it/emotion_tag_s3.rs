//! `emotion-tag` on an object store: moto's, a server that speaks the protocol of S3.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use crate::common::*;
use emotion_tests::picture::portrait;
use emotion_tests::{PATIENCE, free_port};
use serde_json::Value;

/// What no message and no file may contain.
const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
const BUCKET: &str = "archive";

/// A running store; dropping it ends it.
struct Store {
    port: u16,
    process: Child,
}

impl Store {
    /// The store of the Python that `EMOTION_PYTHON` names, with a bucket; `None` where there is none.
    fn start() -> Option<Self> {
        let python = std::env::var_os("EMOTION_PYTHON").filter(|name| !name.is_empty());
        let Some(python) = python.filter(has_moto) else {
            emotion_tests::skipped(
                "object stores: EMOTION_PYTHON names no Python with moto[server]",
            );
            return None;
        };
        let port = free_port();
        let process = Command::new(python)
            .args([
                "-m",
                "moto.server",
                "-H",
                "127.0.0.1",
                "-p",
                &port.to_string(),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut store = Self { port, process };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = store.process.try_wait().expect("it can be asked");
            assert!(
                ended.is_none() && began.elapsed() < PATIENCE,
                "moto does not listen"
            );
            std::thread::yield_now();
        }
        store.ask("PUT", "", b"");
        Some(store)
    }

    /// The answer to a request about the bucket. Moto wants to see a signature, and does not check it.
    fn ask(&self, method: &str, path: &str, content: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let head = format!(
            "{method} /{BUCKET}{path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\
             Content-Length: {}\r\n\r\n",
            self.port,
            content.len()
        );
        stream.write_all(head.as_bytes()).expect("it is sent");
        stream.write_all(content).expect("it is sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let body = answer.split_off(head.expect("a head") + 4);
        assert!(
            answer.starts_with(b"HTTP/1.1 20"),
            "{method} {path}: {}",
            String::from_utf8_lossy(&answer)
        );
        body
    }

    fn put(&self, key: &str, content: &[u8]) {
        self.ask("PUT", &format!("/{key}"), content);
    }

    /// All objects below this prefix by what follows it.
    fn objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let listed = self.ask("GET", &format!("?list-type=2&prefix={prefix}"), b"");
        let listed = String::from_utf8(listed).expect("text");
        let keys = listed.split("<Key>").skip(1);
        let keys = keys.map(|rest| rest.split("</Key>").next().expect("a key"));
        keys.map(|key| {
            let content = self.ask("GET", &format!("/{}", key.replace(' ', "%20")), b"");
            (
                key.strip_prefix(prefix)
                    .expect("it was asked for")
                    .to_owned(),
                content,
            )
        })
        .collect()
    }

    fn emotion_tag(&self, scratch: &Path, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
            .args(arguments)
            .env(
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{}", self.port),
            )
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "eu-central-1")
            .env("TMPDIR", scratch)
            .stdin(Stdio::null())
            .output()
            .expect("it starts");
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            assert!(
                !text.contains(SECRET) && !text.contains("panicked"),
                "{text}"
            );
        }
        output
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn has_moto(python: &OsString) -> bool {
    let ran = Command::new(python)
        .args(["-c", "import moto.server"])
        .output();
    ran.is_ok_and(|ran| ran.status.success())
}

fn outcomes(output: &Output) -> BTreeMap<String, Value> {
    let ended = events(output).into_iter();
    let ended = ended.filter(|event| event["event"] != "started" && event["file"].is_string());
    ended
        .map(|event| (event["file"].as_str().expect("a text").to_owned(), event))
        .collect()
}

/// The files of an archive: pictures in folders, and a clip of several ranges.
fn fill(archive: &Archive, store: &Store) -> std::path::PathBuf {
    let folder = archive.path("in");
    fs::create_dir_all(folder.join("a b")).expect("it is writable");
    let picture = fs::read(portrait()).expect("it is there");
    fs::write(folder.join("a b/1.jpg"), &picture).expect("it is writable");
    fs::write(folder.join("2.jpg"), &picture).expect("it is writable");
    // Larger than what is read at once.
    let raw = "video/x-raw,format=I420,width=1280,height=720 ! avimux";
    archive.clip("in/clip.avi", 0..40, &format!("videoscale ! {raw}"));
    for (name, content) in files(&folder) {
        store.put(&format!("talks/{}", name.replace(' ', "%20")), &content);
    }
    store.put("talks/notes.txt", b"no picture");
    store.put("talks/.hidden/3.jpg", &picture);
    folder
}

#[test]
fn files_of_a_store_are_tagged_into_a_store_as_files_of_a_folder_into_a_folder() {
    let Some(store) = Store::start() else { return };
    let archive = Archive::new();
    let folder = fill(&archive, &store);
    let size = fs::metadata(folder.join("clip.avi"))
        .expect("it is there")
        .len();
    assert!(size > 40 << 20, "{size}");
    let scratch = archive.path("scratch");
    fs::create_dir(&scratch).expect("it is writable");
    let tag = |more: &[&str]| {
        let words = [
            "--json",
            "--report",
            "s3://archive/talks/",
            "--out",
            "s3://archive/tags",
        ];
        store.emotion_tag(&scratch, &[&words, more].concat())
    };

    let first = tag(&[]);
    assert!(first.status.success(), "{first:?}");
    let ended = outcomes(&first);
    assert_eq!(
        ended.keys().collect::<Vec<_>>(),
        [
            "s3://archive/talks/2.jpg",
            "s3://archive/talks/a b/1.jpg",
            "s3://archive/talks/clip.avi",
        ]
    );
    assert!(
        ended.values().all(|event| event["event"] == "tagged"),
        "{ended:?}"
    );
    // Nothing stays on this machine.
    assert_eq!(fs::read_dir(&scratch).expect("it is there").count(), 0);

    let single = archive.path("single");
    let ran = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
        .args(["--report", "--out"])
        .args([&single, &folder])
        .output();
    assert!(ran.expect("it starts").status.success());
    let (stored, local) = (store.objects("tags/"), files(&single));
    assert_eq!(
        stored.keys().collect::<Vec<_>>(),
        local.keys().collect::<Vec<_>>()
    );
    for (name, content) in &stored {
        match name.strip_suffix("summary.json") {
            None => assert!(local[name] == *content, "{name} differs"),
            Some(_) => {
                let mut summary: Value = serde_json::from_slice(content).expect("JSON");
                let of = name.strip_suffix(".summary.json").expect("it has one");
                assert_eq!(
                    summary["input"]["address"],
                    format!("s3://archive/talks/{of}")
                );
                let input = summary["input"].as_object_mut().expect("an object");
                assert!(input.remove("validator").is_some() && input.remove("address").is_some());
                let same: Value = serde_json::from_slice(&local[name]).expect("JSON");
                assert_eq!(summary, same, "{name}");
            }
        }
    }

    // What did not change is not even read.
    let again = tag(&[]);
    assert!(again.status.success());
    let ended = outcomes(&again);
    assert!(
        ended
            .values()
            .all(|event| event["event"] == "tagged before"),
        "{ended:?}"
    );
    store.put(
        "talks/2.jpg",
        &fs::read(folder.join("a b/1.jpg")).expect("it is there")[..2000],
    );
    let broken = tag(&[]);
    assert_eq!(broken.status.code(), Some(1));
    let ended = outcomes(&broken);
    assert_eq!(
        ended["s3://archive/talks/2.jpg"]["event"], "failed",
        "{ended:?}"
    );
    assert_eq!(
        ended["s3://archive/talks/clip.avi"]["event"],
        "tagged before"
    );
}

#[test]
fn shards_in_a_store_are_merged_there() {
    let Some(store) = Store::start() else { return };
    let archive = Archive::new();
    fill(&archive, &store);
    let scratch = archive.path("scratch");
    fs::create_dir(&scratch).expect("it is writable");
    for shard in ["1/2", "2/2"] {
        let words = [
            "s3://archive/talks",
            "--out",
            "s3://archive/tags",
            "--shard",
            shard,
        ];
        assert!(store.emotion_tag(&scratch, &words).status.success());
        let merged = store.emotion_tag(&scratch, &["merge", "s3://archive/tags"]);
        let expected = if shard == "2/2" { 0 } else { 75 };
        assert_eq!(merged.status.code(), Some(expected), "{merged:?}");
    }
    let merged = store.emotion_tag(&scratch, &["merge", "s3://archive/tags"]);
    let said = String::from_utf8(merged.stdout).expect("text");
    assert!(said.contains("s3://archive/tags/archive.csv\n"), "{said}");
    assert!(said.ends_with("3 tagged\n"), "{said}");
    let objects = store.objects("tags/");
    for name in [
        "archive.parquet",
        "archive.html",
        "archive.shard-1-of-2.json",
    ] {
        assert!(objects.contains_key(name), "{name}");
    }
    let table = String::from_utf8(objects["archive.csv"].clone()).expect("text");
    assert!(table.contains("clip.avi"), "{table}");
}

#[test]
fn what_is_wrong_with_a_store_is_said_with_whether_to_try_again() {
    let Some(store) = Store::start() else { return };
    let archive = Archive::new();
    let scratch = archive.path("scratch");
    fs::create_dir(&scratch).expect("it is writable");
    let out = archive.path("out").display().to_string();
    for (input, status, said) in [
        (
            "s3://archive/nothing",
            1,
            "there is no object at this address",
        ),
        (
            "s3://nowhere/talks",
            1,
            "no such object or bucket (NoSuchBucket)",
        ),
    ] {
        let ran = store.emotion_tag(&scratch, &[input, "--out", &out]);
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(status), "{errors}");
        assert!(errors.contains(said), "{errors}");
    }
    // A store that does not answer may do so later.
    let away = Store {
        port: free_port(),
        process: Command::new("true").spawn().expect("it starts"),
    };
    let ran = away.emotion_tag(&scratch, &["--json", "s3://archive/talks", "--out", &out]);
    assert_eq!(ran.status.code(), Some(75), "{ran:?}");
}
