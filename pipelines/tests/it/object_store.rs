//! An object store: moto's, a server that speaks the protocol of S3.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use emotion_tests::{PATIENCE, free_port};

/// What no message and no file may contain.
pub(crate) const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
const BUCKET: &str = "archive";

/// A running store; dropping it ends it.
pub(crate) struct Store {
    port: u16,
    process: Child,
    /// Id and secret that programs get.
    pub(crate) key: [String; 2],
}

impl Store {
    /// The store of the Python that `EMOTION_PYTHON` names, with a bucket; `None` where there is none.
    pub(crate) fn start() -> Option<Self> {
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
        let mut store = Self::new(port, process);
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

    pub(crate) fn new(port: u16, process: Child) -> Self {
        let key = ["AKIAIOSFODNN7EXAMPLE", SECRET].map(str::to_owned);
        Self { port, process, key }
    }

    /// From now on it checks signatures. Programs get the key of a user who may do everything.
    pub(crate) fn check_signatures(&mut self) {
        let ask = |query: &str| {
            let kind = "application/x-www-form-urlencoded";
            let query = format!("{query}&UserName=tagger&Version=2010-05-08");
            let answer = self.send("POST", "/", "iam", kind, query.as_bytes());
            String::from_utf8(answer).expect("text")
        };
        ask("Action=CreateUser");
        let made = ask("Action=CreateAccessKey");
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        ask(&format!(
            "Action=PutUserPolicy&PolicyName=all&PolicyDocument={policy}"
        ));
        let text = |name: &str| {
            let (_, rest) = made.split_once(&format!("<{name}>")).expect("it is there");
            rest.split('<').next().expect("a text").to_owned()
        };
        let key = ["AccessKeyId", "SecretAccessKey"].map(text);
        self.send("POST", "/moto-api/reset-auth", "s3", "text/plain", b"0");
        self.key = key;
    }

    /// The answer to a request about the bucket.
    fn ask(&self, method: &str, path: &str, content: &[u8]) -> Vec<u8> {
        let kind = "application/octet-stream";
        self.send(method, &format!("/{BUCKET}{path}"), "s3", kind, content)
    }

    /// The answer to a request. Moto wants to see a signature, and does not check it unless it is told to.
    fn send(&self, method: &str, path: &str, service: &str, kind: &str, content: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
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

    pub(crate) fn put(&self, key: &str, content: &[u8]) {
        self.ask("PUT", &format!("/{key}"), content);
    }

    /// All objects below this prefix by what follows it.
    pub(crate) fn objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
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

    pub(crate) fn emotion_tag(&self, scratch: &Path, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
            .args(arguments)
            .env(
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{}", self.port),
            )
            .env("AWS_ACCESS_KEY_ID", &self.key[0])
            .env("AWS_SECRET_ACCESS_KEY", &self.key[1])
            .env("AWS_REGION", "eu-central-1")
            .env("TMPDIR", scratch)
            .stdin(Stdio::null())
            .output()
            .expect("it starts");
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            assert!(
                !text.contains(&self.key[1]) && !text.contains("panicked"),
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
