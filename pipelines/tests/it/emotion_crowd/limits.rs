//! Clients of the page that take too much.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use emotion_tests::camera::{RtspCamera, clip};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::running::{PATIENCE, Running, command};
use super::{portrait, viewer::Viewer};

const PAGE: &str = "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n";

/// The program that may open so many files.
fn with_files(most: u64, settings: &str) -> Running {
    let (program, folder) = command(settings);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit -n {most} && exec \"$0\" \"$@\""))
        .arg(program.get_program())
        .args(program.get_args());
    Running::spawn(command, folder)
}

/// A connection with a request that has no end.
fn unfinished(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time is set");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-a: ")
        .expect("it is sent");
    stream
}

#[test]
fn eleven_hundred_sockets_stop_neither_the_page_nor_a_camera_from_coming_back() {
    // This test needs more files than many shells allow.
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).expect("the soft limit can be raised");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut camera = RtspCamera::start(&clip(folder.path()), &[]);
    let settings = format!(
        "{PAGE}[reconnect]\nfirst-pause-seconds = 0.2\nlongest-pause-seconds = 0.5\n[records]\njsonl = \"-\"\n\
         [[source]]\nname = \"hall\"\nuri = \"{}\"\n",
        camera.uri()
    );
    let mut running = with_files(1024, &settings);
    let page = running.page();
    running.record_of("hall", |_| true);
    let mut viewer = Viewer::connect(&page, &[]).expect("access");
    let sockets: Vec<_> = (0..1100).map(|_| unfinished(&page.0)).collect();

    assert_eq!(page.get("/readyz", &[]).status, 200);
    assert_eq!(page.metric("process_max_fds"), 1024.0);
    let open = page.metric("process_open_fds");
    assert!(open < 600.0, "{open} files are open");
    camera.switch_off();
    running.until_said("again in");
    running.skip_records();
    camera.switch_on();
    running.record_of("hall", |_| true);
    // A viewer that had access before keeps its connection.
    viewer.states(|states| states["sources"][0]["status"] == "playing");
    drop(sockets);
    running.signal("-TERM");
    assert!(running.end().success());
    let lines = running.log.lines().count();
    assert!(lines < 60, "{lines} lines:\n{}", running.log);
}

#[test]
fn too_few_files_for_the_sources_and_the_page_are_reported() {
    let mut running = with_files(100, &[PAGE, &portrait("hall")].concat());
    assert_eq!(running.end().code(), Some(1));
    assert!(
        running.log.contains("raise it (ulimit -n, or LimitNOFILE="),
        "{}",
        running.log
    );
}

#[test]
fn a_client_that_sends_its_request_slowly_is_cut_off() {
    let mut running = Running::start(&[PAGE, &portrait("hall")].concat());
    let page = running.page();
    let mut slow = unfinished(&page.0);
    let mut idle = TcpStream::connect(&page.0).expect("it listens");
    idle.set_read_timeout(Some(PATIENCE))
        .expect("a time is set");
    // A byte each tenth of a second: the time of a whole head counts, not that of a byte.
    let pause = Some(Duration::from_millis(100));
    slow.set_read_timeout(pause).expect("a time is set");
    let began = Instant::now();
    let mut answer = [0; 64];
    while let Err(error) = slow.read(&mut answer) {
        assert!(began.elapsed() < PATIENCE, "it is still connected");
        let is_open = matches!(
            error.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        );
        if !is_open || slow.write_all(b"b").is_err() {
            break;
        }
    }
    assert_eq!(idle.read(&mut answer).unwrap_or_default(), 0);
    assert_eq!(page.get("/healthz", &[]).status, 200);
}

#[test]
fn requests_that_are_too_large_are_refused() {
    let mut running = Running::start(&[PAGE, &portrait("hall")].concat());
    let page = running.page();
    let header = format!("X-a: {}", "a".repeat(20_000));
    assert_eq!(page.get("/", &[&header]).status, 431);
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let body = format!("token={}", "a".repeat(100_000));
    assert_eq!(page.ask("POST", "/login", &[kind], &body).status, 413);
    assert_eq!(page.get("/healthz", &[]).status, 200);
}
