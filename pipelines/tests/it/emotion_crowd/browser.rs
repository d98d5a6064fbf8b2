//! Chromium, controlled by its DevTools protocol.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::running::PATIENCE;

/// A running browser with one tab; dropping it ends the browser.
pub(crate) struct Browser {
    process: Child,
    socket: WebSocket<TcpStream>,
    number: u64,
    /// The tab.
    session: Value,
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
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium is installed");
        let (port, path) = endpoint(profile.path());
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time is set");
        let address = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _) = tungstenite::client(address, stream).expect("a WebSocket");
        let mut browser = Self {
            process,
            socket,
            number: 0,
            session: Value::Null,
            _profile: profile,
        };
        let tab = json!({ "url": "about:blank" });
        let tab = browser.call("Target.createTarget", &tab)["targetId"].take();
        let tab = json!({ "targetId": tab, "flatten": true });
        browser.session = browser.call("Target.attachToTarget", &tab)["sessionId"].take();
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.call("Emulation.setDeviceMetricsOverride", &size);
        browser
    }

    /// Calls a method of the protocol, in the tab as soon as there is one.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let mut call = json!({ "id": self.number, "method": method, "params": parameters });
        if !self.session.is_null() {
            call["sessionId"] = self.session.clone();
        }
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

    /// The value of a JavaScript expression.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true });
        let mut result = self.call("Runtime.evaluate", &parameters);
        assert!(
            result.get("exceptionDetails").is_none(),
            "{expression}: {result}"
        );
        result["result"]["value"].take()
    }

    /// Waits until a JavaScript expression is true. One that fails is not, because the page may not be there yet.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let began = Instant::now();
        let tried =
            format!("(() => {{ try {{ return {expression}; }} catch {{ return false; }} }})()");
        while self.value(&tried) != true {
            if began.elapsed() > PATIENCE / 4 {
                let shown = self.value("document.body.innerText");
                self.screenshot("emotion-crowd-failed.png");
                panic!("{expression} did not become true; the page says:\n{shown}");
            }
            std::thread::park_timeout(Duration::from_millis(100));
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

/// The port that the browser has chosen, and the path of its protocol.
fn endpoint(profile: &Path) -> (u16, String) {
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = text.split_once('\n')
            && let Ok(port) = port.parse()
            && path.starts_with('/')
        {
            return (port, path.trim_end().to_owned());
        }
        assert!(began.elapsed() < PATIENCE, "chromium does not start");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
