//! A peer that runs in Python, as a process that waits for its turns.
//!
//! Both sides write a JSON object per line, see `peers/turns.py`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Who a peer is.
#[derive(Debug, Deserialize)]
pub(crate) struct Introduction {
    /// Its name, version and setting.
    pub(crate) name: String,
    /// Trained parameters, to be sure that the network is the same.
    #[serde(default)]
    pub(crate) parameters: usize,
    /// What it makes of its task, to be sure that it computes the same.
    #[serde(default)]
    pub(crate) output: Vec<f32>,
}

#[derive(Deserialize)]
struct Times {
    seconds: Vec<f64>,
}

/// The process.
#[derive(Debug)]
pub(crate) struct Peer {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts `script` with the `task` and waits until it is ready.
    pub(crate) fn start(python: &Path, script: &str, task: &Value) -> Result<(Self, Introduction)> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("peers")
            .join(script);
        let mut process = Command::new(python)
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", python.display()))?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("{}: no pipes", path.display());
        };
        let mut peer = Self {
            process,
            stdin,
            stdout: BufReader::new(stdout),
        };
        let hint = || {
            format!(
                "{} did not get ready: does {} have the packages of bench/peers/requirements.txt? `make bench` sees to it",
                path.display(),
                python.display()
            )
        };
        let introduction = peer.ask(task).with_context(hint)?;
        Ok((peer, introduction))
    }

    /// The times of `count` pieces of work, in seconds.
    pub(crate) fn turn(&mut self, count: usize) -> Result<Vec<f64>> {
        let Times { seconds } = self.ask(&json!({ "count": count }))?;
        Ok(seconds)
    }

    fn ask<T: DeserializeOwned>(&mut self, question: &Value) -> Result<T> {
        writeln!(self.stdin, "{question}")?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("unexpected answer {line:?}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It would end by itself when its input does; an error on its way must not leave it behind.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
