//! The program under test, its output, and its page.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use gstemotion::record::Record;

/// How long a test waits before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A running `emotion-crowd`; dropping it ends the program.
pub(crate) struct Running {
    process: Child,
    records: Receiver<String>,
    said: Receiver<String>,
    /// Standard error so far.
    pub(crate) log: String,
    folder: tempfile::TempDir,
}

/// The program with these settings in a file.
pub(crate) fn command(settings: &str) -> (Command, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("crowd.toml");
    fs::write(&path, settings).expect("it is writable");
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-crowd"));
    command.arg(path).stdin(Stdio::null());
    (command, folder)
}

impl Running {
    /// Starts it with these settings.
    pub(crate) fn start(settings: &str) -> Self {
        let (command, folder) = command(settings);
        Self::spawn(command, folder)
    }

    /// Starts `command`, whose settings are in `folder`.
    pub(crate) fn spawn(mut command: Command, folder: tempfile::TempDir) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let records = lines(process.stdout.take().expect("it is piped"));
        let said = lines(process.stderr.take().expect("it is piped"));
        Self {
            process,
            records,
            said,
            log: String::new(),
            folder,
        }
    }

    /// Replaces the settings in its file.
    pub(crate) fn rewrite(&self, settings: &str) {
        fs::write(self.folder.path().join("crowd.toml"), settings).expect("it is writable");
    }

    /// Waits for a line on standard error that contains `text`.
    pub(crate) fn until_said(&mut self, text: &str) -> String {
        loop {
            let line = self.said.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("not said: {text}; but:\n{}", self.log));
            self.log += &format!("{line}\n");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Whether a line of the log so far contains `text`.
    pub(crate) fn has_said(&mut self, text: &str) -> bool {
        for line in self.said.try_iter() {
            self.log += &format!("{line}\n");
        }
        self.log.contains(text)
    }

    /// Waits for the next record.
    pub(crate) fn record(&self) -> Record {
        let line = self.records.recv_timeout(PATIENCE).expect("a record");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Waits for a record of `source` for which `is_it`.
    pub(crate) fn record_of(&self, source: &str, is_it: impl Fn(&Record) -> bool) -> Record {
        loop {
            let record = self.record();
            if record.source.as_deref() == Some(source) && is_it(&record) {
                return record;
            }
        }
    }

    /// Discards the records that have been written so far.
    pub(crate) fn skip_records(&self) {
        self.records.try_iter().for_each(drop);
    }

    /// The page; to be called once.
    pub(crate) fn page(&mut self) -> Page {
        let line = self.until_said("page: http");
        let (_, address) = line.split_once("://").expect("an address");
        Page(address.trim_end_matches('/').to_owned())
    }

    /// What the log so far says of `subject`, without time and level.
    pub(crate) fn said_of(&self, subject: &str) -> Vec<&str> {
        let messages = self.log.lines().filter_map(|line| {
            let (_, line) = line.split_once(' ')?;
            let (_, line) = line.split_once(' ')?;
            line.strip_prefix(subject)?.strip_prefix(": ")
        });
        messages.collect()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.process.id().to_string()])
            .status();
        assert!(sent.expect("kill starts").success());
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.log.extend(self.said.iter().map(|line| line + "\n"));
        self.process.wait().expect("it ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The page of a running program: its host and port.
pub(crate) struct Page(pub(crate) String);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(mut answer: Vec<u8>) -> Self {
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let body = answer.split_off(end.expect("a head") + 4);
        let head = String::from_utf8(answer)
            .expect("plain text")
            .to_lowercase();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.expect("a status"),
            head,
            body,
        }
    }

    /// The JSON in it.
    pub(crate) fn json(&self) -> serde_json::Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Page {
    /// Requests `path` with these header lines.
    pub(crate) fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.ask("GET", path, headers, "")
    }

    /// Sends a request with these header lines and this body.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.0).expect("it listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time is set");
        let host = format!("Host: {}", self.0);
        let named = headers.iter().any(|line| line.starts_with("Host:"));
        let host = (!named).then_some(host.as_str());
        let lines: String = host
            .into_iter()
            .chain(headers.iter().copied())
            .map(|line| format!("{line}\r\n"))
            .collect();
        // A body that is too long is refused before its end, and the connection may then be reset after the answer.
        let _ = write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{lines}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(answer)
    }

    /// The value in `/metrics` of this name and labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.text("/metrics");
        let mut values = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        values
            .next()
            .unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }

    /// The text at `path`.
    pub(crate) fn text(&self, path: &str) -> String {
        let answer = self.get(path, &[]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.head);
        String::from_utf8(answer.body).expect("text")
    }
}
