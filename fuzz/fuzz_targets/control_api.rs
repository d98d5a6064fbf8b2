//! Requests to the page and the control API of a running emotion-crowd: answered, and never with 500.

#![no_main]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use emotion_pipelines::crowd::{self, config::Config};
use libfuzzer_sys::fuzz_target;

static PORT: OnceLock<u16> = OnceLock::new();

/// Starts the program in a thread that ends with the process.
fn start() -> u16 {
    emotion_pipelines::init().expect("GStreamer starts");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    let text = format!(
        "[page]\nlisten = \"127.0.0.1:{port}\"\npictures = \"off\"\n[api]\ntoken = \"control\"\n"
    );
    let config = Config::parse(&text, Path::new("fuzzed.toml")).expect("the settings are right");
    thread::spawn(move || crowd::run(config, &crowd::Signals::default()).expect("it runs"));
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        thread::sleep(Duration::from_millis(20));
    }
    port
}

// The first line is a method and a path, lines up to an empty one are headers, the rest is the body.
fuzz_target!(|text: &str| {
    let port = *PORT.get_or_init(start);
    // A source that is added would look for its camera: none is, because an address is needed for it.
    if text.contains("://") {
        return;
    }
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let (request, headers) = head.split_once('\n').unwrap_or((head, ""));
    let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("the program listens");
    let patience = Some(Duration::from_secs(5));
    connection
        .set_read_timeout(patience)
        .expect("it is not zero");
    let sent = format!(
        "{request} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{}\r\n\r\n{body}",
        body.len(),
        headers.replace('\n', "\r\n"),
    );
    // A server may close the connection before it has read all of a wrong request.
    let _ = connection.write_all(sent.as_bytes());
    let mut answer = [0; 16];
    let count = connection.read(&mut answer).unwrap_or(0);
    assert!(!answer[..count].starts_with(b"HTTP/1.1 500"), "{sent}");
});
