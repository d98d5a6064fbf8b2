//! An RTSP camera for one test: it shows the made clip and can be switched off and on.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use emotion_pipelines::clip::Clip;
use emotion_pipelines::launch_line::LaunchLine;
use emotion_pipelines::runner;
use gst::prelude::*;

use crate::{free_port, repository};

/// A running server, or one that was switched off.
pub struct RtspCamera {
    port: u16,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    process: Option<Child>,
}

impl RtspCamera {
    /// Serves `clip` in a loop.
    ///
    /// # Panics
    ///
    /// When the server's packages are not installed.
    pub fn start(clip: &Path, login: &[&str]) -> Self {
        let line = format!(
            "multifilesrc location={} loop=true ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96",
            clip.display()
        );
        Self::serve("play", &line, login)
    }

    /// A server that does `line` in `mode`, `play` or `record`.
    ///
    /// # Panics
    ///
    /// When the server's packages are not installed.
    pub fn serve(mode: &str, line: &str, login: &[&str]) -> Self {
        Self::serve_with(mode, line, login, &[])
    }

    /// The same with variables in the environment of the server: `RTSP_TRANSPORT` and `RTSP_TLS`.
    ///
    /// # Panics
    ///
    /// When the server's packages are not installed.
    pub fn serve_with(
        mode: &str,
        line: &str,
        login: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let words = [mode, line].into_iter().chain(login.iter().copied());
        let mut camera = Self {
            port: free_port(),
            arguments: words.map(str::to_owned).collect(),
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            process: None,
        };
        camera.switch_on();
        camera
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of its stream.
    pub fn uri(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    /// Starts it, also again after [`switch_off`](Self::switch_off).
    ///
    /// # Panics
    ///
    /// When the server's packages are not installed.
    pub fn switch_on(&mut self) {
        // The bindings belong to the system's Python, which need not be the first in the path.
        let mut process = Command::new("/usr/bin/python3")
            .arg(repository("tests/src/rtsp_server.py"))
            .arg(self.port.to_string())
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a /usr/bin/python3");
        let output = process.stdout.take().expect("it is piped");
        self.process = Some(process);
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        assert!(
            read.is_ok() && line == "ready\n",
            "the RTSP server does not start (Debian: python3-gi, gir1.2-gst-rtsp-server-1.0)"
        );
    }

    /// Kills it, as if the plug was pulled.
    pub fn switch_off(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        self.switch_off();
    }
}

/// A part of the made clip with two faces, as H.264 in `folder`.
///
/// # Panics
///
/// When it cannot be encoded.
pub fn clip(folder: &Path) -> PathBuf {
    emotion_pipelines::init().expect("GStreamer starts");
    let path = folder.join("clip.h264");
    let pipeline = LaunchLine::default()
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
