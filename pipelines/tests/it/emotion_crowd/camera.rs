//! An RTSP camera of the test's own, which shows the made clip and can be switched off and on.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use emotion_pipelines::clip::Clip;
use emotion_pipelines::line::Line;
use emotion_pipelines::runner;
use gst::prelude::*;

/// A running server, or one that was switched off.
pub(crate) struct Camera {
    port: u16,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Camera {
    /// Serves `clip`, over and over; None, with a line that says so, where the server's packages are not installed.
    pub(crate) fn start(clip: &Path, login: &[&str]) -> Option<Self> {
        let line = format!(
            "multifilesrc location={} loop=true ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96",
            clip.display()
        );
        Self::serve("play", &line, login)
    }

    /// A server that does `line` in `mode`.
    pub(crate) fn serve(mode: &str, line: &str, login: &[&str]) -> Option<Self> {
        let words = [mode, line].into_iter().chain(login.iter().copied());
        let mut camera = Self {
            port: free_port(),
            arguments: words.map(str::to_owned).collect(),
            process: None,
        };
        camera.switch_on().then_some(camera)
    }

    pub(crate) fn uri(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    pub(crate) fn switch_on(&mut self) -> bool {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/emotion_crowd/rtsp_server.py");
        // The bindings belong to the system's own Python, which need not be the first in the path.
        let started = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(self.port.to_string())
            .args(&self.arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let ready = started.ok().and_then(|mut process| {
            let mut line = String::new();
            BufReader::new(process.stdout.take()?)
                .read_line(&mut line)
                .ok()?;
            self.process = Some(process);
            (line == "ready\n").then_some(())
        });
        if ready.is_none() {
            eprintln!("skipped: no RTSP server (python3-gi and gir1.2-gst-rtsp-server-1.0)");
        }
        ready.is_some()
    }

    /// Ends it at once, like a pulled plug.
    pub(crate) fn switch_off(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.switch_off();
    }
}

/// A part of the made clip with two faces, as H.264 in `folder`.
pub(crate) fn clip(folder: &Path) -> PathBuf {
    emotion_pipelines::init().expect("GStreamer starts");
    let path = folder.join("clip.h264");
    let pipeline = Line::default()
        .words("appsrc name=clip ! videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25")
        .words("! video/x-h264,stream-format=byte-stream ! filesink")
        .path("location", &path)
        .launch()
        .expect("the elements exist");
    let source = pipeline
        .by_name("clip")
        .and_then(|element| element.downcast::<gst_app::AppSrc>().ok())
        .expect("it is an appsrc");
    Clip::new()
        .expect("the portrait is there")
        .feed(&source, 130..180);
    runner::run(&pipeline, &Default::default(), |_| {}).expect("the clip is made");
    path
}

/// A port on which nothing listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
