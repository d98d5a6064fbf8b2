//! A peer in Python: a process that waits for its turns.
//!
//! Both sides write one JSON object a line, see `peers/turns.py`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::measure::median;

/// What a peer reports when it is ready.
#[derive(Debug, Deserialize)]
pub(crate) struct Introduction {
    /// Name, version and settings.
    pub(crate) name: String,
    /// Number of trained parameters, to check that the network is the same.
    #[serde(default)]
    pub(crate) parameters: usize,
    /// Output for the task, to check that the computation is the same.
    #[serde(default)]
    pub(crate) output: Vec<f32>,
}

#[derive(Deserialize)]
struct Times {
    seconds: Vec<f64>,
}

/// The process of a peer.
#[derive(Debug)]
pub(crate) struct PythonPeer {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl PythonPeer {
    /// Starts `script` with `task` and waits until it is ready.
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
            bail!("{}: its process has no pipes", path.display());
        };
        let mut peer = Self {
            process,
            stdin,
            stdout: BufReader::new(stdout),
        };
        let hint = || {
            format!(
                "{} failed to start: does {} have the packages of bench/peers/requirements.txt? `make bench` installs them",
                path.display(),
                python.display()
            )
        };
        let introduction = peer.ask(task).with_context(hint)?;
        Ok((peer, introduction))
    }

    /// Times of `count` runs in seconds.
    pub(crate) fn turn(&mut self, count: usize) -> Result<Vec<f64>> {
        let Times { seconds } = self.ask(&json!({ "count": count }))?;
        Ok(seconds)
    }

    /// Median time of `count` runs in seconds.
    pub(crate) fn median(&mut self, count: usize) -> Result<f64> {
        Ok(median(&self.turn(count)?))
    }

    fn ask<T: DeserializeOwned>(&mut self, question: &Value) -> Result<T> {
        writeln!(self.stdin, "{question}")?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("unexpected answer {line:?}"))
    }
}

impl Drop for PythonPeer {
    fn drop(&mut self) {
        // It ends when its input does, but not while an error leaves it at work.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
