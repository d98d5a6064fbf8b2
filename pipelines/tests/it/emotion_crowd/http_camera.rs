//! An HTTP camera for one test: Motion JPEG at `/mjpeg`, a single picture at `/jpg`.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emotion_pipelines::launch_line::LaunchLine;
use emotion_pipelines::runner;

/// The time between two pictures.
const PERIOD: Duration = Duration::from_millis(100);

/// A server that runs until the test ends.
pub(crate) struct HttpCamera {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl HttpCamera {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let picture = Arc::new(jpeg());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let picture = picture.clone();
                // A client that leaves ends its thread.
                std::thread::spawn(move || serve(client, &picture));
            }
        });
        Self { port, requests }
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How often somebody has connected.
    pub(crate) fn connections(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

fn serve(mut client: TcpStream, picture: &[u8]) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut line = String::from("header");
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line)?;
        }
        let length = picture.len();
        if request.starts_with("GET /mjpeg") {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n";
            client.write_all(head.as_bytes())?;
            loop {
                let part = format!(
                    "--next\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
                );
                client.write_all(part.as_bytes())?;
                client.write_all(picture)?;
                client.write_all(b"\r\n")?;
                std::thread::sleep(PERIOD);
            }
        }
        let status = match request.starts_with("GET /jpg") {
            true => "200 OK",
            false => "404 Not Found",
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
        );
        client.write_all(head.as_bytes())?;
        client.write_all(picture)?;
    }
}

/// The portrait.
fn jpeg() -> Vec<u8> {
    emotion_pipelines::init().expect("GStreamer starts");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("portrait.jpeg");
    let pipeline = LaunchLine::default()
        .words("filesrc")
        .path("location", &emotion_tests::picture::portrait())
        .words("! pngdec ! videoconvert ! video/x-raw,format=I420 ! jpegenc ! filesink")
        .path("location", &path)
        .launch()
        .expect("the elements exist");
    runner::run(&pipeline, &Default::default(), |_| {}).expect("it can be encoded");
    std::fs::read(path).expect("it was written")
}
