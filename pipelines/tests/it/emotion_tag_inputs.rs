//! `emotion-tag` on what is no plain file: addresses, standard input, names that are no valid text, other extensions.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use crate::common::*;
use emotion_tests::picture::portrait;
use serde_json::Value;

fn tag(out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command.arg("--out").arg(out).stdin(Stdio::null());
    command
}

fn succeeded(command: &mut Command) -> Output {
    let output = command.output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    output
}

/// The last event of the only file.
fn outcome(output: &Output) -> Value {
    let events = events(output);
    let of_file = events.iter().rfind(|event| event["file"].is_string());
    of_file.expect("there is one").clone()
}

/// The login and the signature that the server of the tests wants.
const SECRETS: [&str; 3] = ["pilot", "opensesame", "signed-17"];
/// `pilot:opensesame` in Base64.
const AUTHORIZATION: &str = "Basic cGlsb3Q6b3BlbnNlc2FtZQ==";

/// A web server with one file.
struct Server {
    address: String,
    /// The file and its tag.
    file: Arc<Mutex<(Vec<u8>, String)>>,
    /// Number of times that the file was sent to its end.
    sent: Arc<Mutex<usize>>,
}

impl Server {
    /// A server that wants login and signature; it sends the file when `gate` opens, if there is one.
    fn start(file: Vec<u8>, gate: Option<Arc<Barrier>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        let server = Self {
            address,
            file: Arc::new(Mutex::new((file, "\"one\"".into()))),
            sent: Arc::default(),
        };
        let (file, sent) = (server.file.clone(), server.sent.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (file, tag) = file.lock().expect("no test panics in it").clone();
                let answered = answer(&client, &file, &tag, gate.as_deref());
                // A client may go away.
                if answered.unwrap_or(false) {
                    *sent.lock().expect("no test panics in it") += 1;
                }
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        let [user, password, signature] = SECRETS;
        format!(
            "http://{user}:{password}@{}{path}?sig={signature}",
            self.address
        )
    }

    fn sent(&self) -> usize {
        *self.sent.lock().expect("no test panics in it")
    }
}

/// Answers one request; whether it was the whole file.
fn answer(
    mut client: &TcpStream,
    file: &[u8],
    tag: &str,
    gate: Option<&Barrier>,
) -> std::io::Result<bool> {
    let head: Vec<String> = BufReader::new(client)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let request = head.first().map_or("", String::as_str);
    let has_login = head.iter().any(|line| line.ends_with(AUTHORIZATION));
    let status = match has_login {
        false => "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"archive\"",
        true if !request.contains("/talk.mp4?sig=signed-17 ") => "404 Not Found",
        true => "200 OK",
    };
    let is_file = status == "200 OK";
    let body = if is_file { file } else { b"no" };
    if is_file && let Some(gate) = gate {
        gate.wait();
        gate.wait();
    }
    write!(
        client,
        "HTTP/1.1 {status}\r\nETag: {tag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    client.write_all(body)?;
    Ok(is_file)
}

fn assert_no_secrets(text: &[u8], place: &str) {
    let text = String::from_utf8_lossy(text);
    for secret in SECRETS {
        assert!(!text.contains(secret), "{place}: {text}");
    }
}

#[test]
fn a_file_on_a_web_server_is_tagged_and_again_only_when_it_has_changed() {
    let archive = Archive::new();
    let clip = fs::read(archive.clip("clip.mp4", 50..60, H264)).expect("it was written");
    let server = Server::start(clip, None);
    let out = archive.path("out");
    let url = server.url("/talks/talk.mp4");
    let ran = || {
        let arguments = ["--json", "--report", "--elan", &url];
        let output = succeeded(tag(&out).args(arguments));
        assert_no_secrets(&output.stdout, "standard output");
        assert_no_secrets(&output.stderr, "standard error");
        outcome(&output)
    };
    let first = ran();
    assert_eq!(first["event"], "tagged", "{first}");
    let shown = format!("http://{}/talks/talk.mp4", server.address);
    assert_eq!(first["file"], shown);
    for (name, content) in files(&out) {
        assert_no_secrets(&content, &name);
    }
    let found = summary(&out, "talk.mp4");
    assert_eq!(
        (&found["frames"], &found["input"]["address"]),
        (&10.into(), &shown.into())
    );
    let record = &records(&out.join("talk.mp4.jsonl"))[0];
    assert_eq!(record.source.as_deref(), Some("talk.mp4"));
    assert_eq!(server.sent(), 1);

    assert_eq!(ran()["event"], "tagged before");
    // A new tag need not mean a new content.
    server.file.lock().expect("no test panics in it").1 = "\"two\"".into();
    assert_eq!(ran()["event"], "tagged before");
    let changed = fs::read(archive.clip("changed.mp4", 50..55, H264)).expect("it was written");
    *server.file.lock().expect("no test panics in it") = (changed, "\"three\"".into());
    assert_eq!(ran()["event"], "tagged");
    assert_eq!(summary(&out, "talk.mp4")["frames"], 5);
}

#[test]
fn a_server_that_does_not_give_the_file_is_reported_without_secrets() {
    let archive = Archive::new();
    let server = Server::start(Vec::new(), None);
    let [missing, refused] = [
        server.url("/other.mp4"),
        server.url("/talk.mp4").replace("pilot", "thief"),
    ];
    let address = |listener: &TcpListener, name| {
        let address = listener.local_addr().expect("it listens");
        format!("http://pilot:opensesame@{address}/{name}?sig=signed-17")
    };
    let listen = || TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let silent_server = listen();
    let silent = address(&silent_server, "silent.mp4");
    // Nothing listens there any more.
    let gone = address(&listen(), "gone.mp4");
    let addresses = [missing, refused, silent, gone];
    let list = archive.text("list.txt", &addresses.join("\n"));
    let output = tag(&archive.path("out"))
        .args(["--timeout", "2", "--list"])
        .arg(list)
        .output()
        .expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert_no_secrets(&output.stderr, "standard error");
    for (name, reason) in [
        ("other.mp4", "Not Found"),
        ("talk.mp4", "Unauthorized"),
        ("silent.mp4", "its server sends nothing"),
        ("gone.mp4", "cannot be copied"),
    ] {
        let line = errors.lines().find(|line| line.contains(name));
        assert!(line.is_some_and(|line| line.contains(reason)), "{errors}");
    }
    assert!(errors.contains("4 failed"), "{errors}");
}

#[test]
fn the_list_of_processes_shows_no_secrets_of_addresses() {
    let archive = Archive::new();
    let clip = fs::read(archive.clip("clip.mp4", 50..55, H264)).expect("it was written");
    let gate = Arc::new(Barrier::new(2));
    let server = Server::start(clip, Some(gate.clone()));
    let mut running = tag(&archive.path("out"))
        .arg(server.url("/talk.mp4"))
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    // The worker has asked for the file.
    gate.wait();
    let mut processes = children(running.id());
    assert_eq!(processes.len(), 1);
    processes.push(running.id());
    for process in processes {
        let line = fs::read(format!("/proc/{process}/cmdline")).expect("it runs");
        assert!(line.windows(11).any(|found| found == b"emotion-tag"));
        assert_no_secrets(&line, "command line");
    }
    gate.wait();
    assert!(running.wait().expect("it ends").success());
}

#[test]
fn standard_input_is_tagged_under_its_name_and_every_time() {
    let archive = Archive::new();
    // Its index is at its end.
    let clip = archive.clip("clip.mp4", 50..60, H264);
    let out = archive.path("out");
    for _ in 0..2 {
        let output = succeeded(
            tag(&out)
                .args(["--json", "-", "--name", "talks/1.mp4"])
                .stdin(File::open(&clip).expect("it was written")),
        );
        let outcome = outcome(&output);
        assert_eq!(
            (&outcome["event"], &outcome["file"]),
            (&"tagged".into(), &"-".into())
        );
    }
    assert_eq!(
        names(&out),
        [
            "talks/1.mp4.jsonl",
            "talks/1.mp4.summary.json",
            "talks/1.vtt"
        ]
    );
    let summary = summary(&out, "talks/1.mp4");
    assert_eq!(summary["frames"], 10);
    let size = fs::metadata(&clip).expect("it was written").len();
    assert_eq!(summary["input"]["size"], size);

    let output = tag(&out).arg("-").output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn names_that_are_no_valid_text_are_tagged_once_and_counted_in_tables() {
    let archive = Archive::new();
    let odd = |name: &[u8]| archive.folder.path().join(OsStr::from_bytes(name));
    let folder = odd(b"caf\xe9");
    fs::create_dir(&folder).expect("it is writable");
    let clip = folder.join(OsStr::from_bytes(b"d\xe9j\xe0.mp4"));
    fs::rename(archive.clip("clip.mp4", 50..60, H264), &clip).expect("it is writable");
    let out = odd(b"r\xe9sultats");
    for expected in ["tagged", "tagged before"] {
        let output = succeeded(tag(&out).args(["--json", "--annotate"]).arg(&folder));
        assert_eq!(outcome(&output)["event"], expected);
    }
    let copy = out.join(OsStr::from_bytes(b"d\xe9j\xe0.mp4.annotated.mp4"));
    assert!(fs::metadata(copy).is_ok_and(|found| found.len() > 0));
    let mut table = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    succeeded(table.arg("table").arg(&out));
    let rows = fs::read_to_string(out.join("archive.csv")).expect("it was written");
    assert!(rows.contains("d\u{fffd}j\u{fffd}.mp4"), "{rows}");

    let pattern: PathBuf = folder.join("*.mp4");
    let output = succeeded(tag(&out).args(["--json", "--annotate"]).arg(pattern));
    assert_eq!(outcome(&output)["event"], "tagged before");
}

#[test]
fn files_with_other_extensions_are_counted() {
    let archive = Archive::new();
    let folder = archive.path("in");
    fs::create_dir(&folder).expect("it is writable");
    fs::copy(portrait(), folder.join("a.png")).expect("it is writable");
    archive.text("in/notes.txt", "notes");
    archive.text("in/talk.xyz", "a video of tomorrow");
    let output = succeeded(tag(&archive.path("out")).arg(&folder));
    let errors = String::from_utf8_lossy(&output.stderr);
    let told = "2 files not taken because of the extension: 1 .txt, 1 .xyz";
    assert_eq!(errors.matches(told).count(), 1, "{errors}");
}

#[test]
fn a_terminal_that_is_closed_ends_no_run_under_nohup() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mp4", 0..60, H264);
    let slowly = "detection-interval=1 detection-size=1024 tiles=2";
    let mut running = Command::new("nohup")
        .arg(env!("CARGO_BIN_EXE_emotion-tag"))
        .args(["--json", "--facedetect", slowly, "--out"])
        .arg(archive.path("out"))
        .arg(&clip)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("nohup starts");
    let mut lines = BufReader::new(running.stdout.take().expect("it is piped")).lines();
    let mut events = lines
        .by_ref()
        .map_while(Result::ok)
        .map(|line| serde_json::from_str::<Value>(&line).expect("each line is JSON"));
    assert!(events.any(|event| event["event"] == "progress"));
    let mut processes = children(running.id());
    processes.push(running.id());
    for process in processes {
        let told = Command::new("kill")
            .args(["-HUP", &process.to_string()])
            .status();
        assert!(told.expect("kill starts").success());
    }
    let last = lines.map_while(Result::ok).last().expect("it goes on");
    assert!(last.contains(r#""tagged":1"#), "{last}");
    assert!(running.wait().expect("it ends").success());
}

#[test]
fn records_tell_the_shape_of_pixels() {
    let archive = Archive::new();
    let shaped = |name: &str, shape: &str| {
        archive.made(
            name,
            &format!(
                "videotestsrc num-buffers=2 ! video/x-raw,width=72,height=58,pixel-aspect-ratio={shape} \
                 ! x264enc ! h264parse ! matroskamux"
            ),
        )
    };
    let clips = [shaped("square.mkv", "1/1"), shaped("wide.mkv", "64/45")];
    let out = archive.path("out");
    succeeded(tag(&out).args(&clips));
    let shape = |name: &str| records(&out.join(name))[0].pixel_aspect_ratio;
    assert_eq!(shape("square.mkv.jsonl"), None);
    let wide = shape("wide.mkv.jsonl").expect("it is told");
    assert!((wide - 64.0 / 45.0).abs() < 0.01, "{wide}");
}

#[test]
fn the_version_names_the_program() {
    for (program, name) in [
        (env!("CARGO_BIN_EXE_emotion-tag"), "emotion-tag "),
        (env!("CARGO_BIN_EXE_emotion-crowd"), "emotion-crowd "),
        (env!("CARGO_BIN_EXE_emotion-demo"), "emotion-demo "),
    ] {
        let output = succeeded(Command::new(program).arg("--version"));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(name));
    }
}
