//! Chromium, controlled by its DevTools protocol.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::running::{PATIENCE, Page};

/// A running browser with one tab; dropping it ends the browser.
pub(crate) struct Browser {
    process: Child,
    socket: WebSocket<TcpStream>,
    number: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it with a window of this size in pixels.
    pub(crate) fn start(width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let process = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--window-size={width},{height}"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium is installed");
        let port = port(profile.path());
        let tabs = Page(format!("127.0.0.1:{port}")).text("/json");
        let tabs: Value = serde_json::from_str(&tabs).expect("JSON");
        let tab = tabs
            .as_array()
            .and_then(|tabs| tabs.iter().find(|tab| tab["type"] == "page"))
            .expect("a tab");
        let address = tab["webSocketDebuggerUrl"].as_str().expect("an address");
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time is set");
        let (socket, _) = tungstenite::client(address, stream).expect("a WebSocket");
        Self {
            process,
            socket,
            number: 0,
            _profile: profile,
        }
    }

    /// Calls a method of the protocol.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let call = json!({ "id": self.number, "method": method, "params": parameters });
        self.socket
            .send(Message::text(call.to_string()))
            .expect("it is sent");
        loop {
            let Message::Text(text) = self.socket.read().expect("an answer") else {
                continue;
            };
            let mut answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == self.number {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }

    pub(crate) fn open(&mut self, address: &str) {
        self.call("Page.navigate", &json!({ "url": address }));
    }

    /// The value of a JavaScript expression, also one to come.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call("Runtime.evaluate", &parameters);
        assert!(
            result.get("exceptionDetails").is_none(),
            "{expression}: {result}"
        );
        result["result"]["value"].take()
    }

    /// Waits until a JavaScript expression is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let began = Instant::now();
        while self.value(expression) != true {
            if began.elapsed() > PATIENCE / 4 {
                let shown = self.value("document.body.innerText");
                self.screenshot("emotion-crowd-failed.png");
                panic!("{expression} did not become true; the page says:\n{shown}");
            }
            // The browser needs the processor more than this question.
            let _ = self.value("new Promise((done) => setTimeout(done, 100))");
        }
    }

    /// Saves what the window shows in the target folder.
    pub(crate) fn screenshot(&mut self, name: &str) {
        let result = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        let picture = result["data"].as_str().expect("a picture");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let bytes = gst::glib::base64_decode(picture);
        fs::write(path, bytes).expect("it is writable");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The port that the browser has chosen.
fn port(profile: &Path) -> u16 {
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some(port) = text.lines().next().and_then(|line| line.parse().ok()) {
            return port;
        }
        assert!(began.elapsed() < PATIENCE, "chromium does not start");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
