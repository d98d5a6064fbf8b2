//! Appends lines to a file in a thread of its own.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context as _;

use crate::crowd::log::{log, warn};
use crate::crowd::metrics::FileMetrics;

/// The most lines that wait for a slow disk or reader.
const QUEUE_SIZE: usize = 2000;

/// A file that a thread writes.
#[derive(Debug)]
pub(super) struct LineAppender {
    sender: SyncSender<Vec<u8>>,
    thread: JoinHandle<()>,
    metrics: FileMetrics,
}

impl LineAppender {
    /// Opens `path` for appending, `-` for standard output.
    pub(super) fn open(path: &Path, metrics: FileMetrics) -> anyhow::Result<Self> {
        let file: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            Box::new(append(path)?)
        };
        let (sender, receiver) = sync_channel(QUEUE_SIZE);
        let writer = Writer {
            path: path.to_owned(),
            file,
            metrics: metrics.clone(),
            is_incomplete: false,
            has_failed: false,
        };
        let thread = std::thread::Builder::new()
            .name("records".into())
            .spawn(move || writer.run(&receiver))
            .context("the system refuses a thread")?;
        Ok(Self {
            sender,
            thread,
            metrics,
        })
    }

    /// Appends a line, which ends in a line break. If too many lines wait, it is dropped and counted.
    pub(super) fn write(&self, line: Vec<u8>) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.sender.try_send(line)
        {
            self.metrics.dropped.inc();
        }
    }

    /// Waits until all lines are written.
    pub(super) fn close(self) {
        drop(self.sender);
        // A thread that panicked has printed so.
        let _ = self.thread.join();
    }
}

fn append(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("{}: cannot write records there", path.display()))
}

struct Writer {
    path: PathBuf,
    file: Box<dyn Write + Send>,
    metrics: FileMetrics,
    /// Whether the last line was written only in part.
    is_incomplete: bool,
    has_failed: bool,
}

impl Writer {
    fn run(mut self, lines: &Receiver<Vec<u8>>) {
        for line in lines {
            match self.write(&line) {
                Ok(()) => {
                    self.metrics.records.inc();
                    if std::mem::take(&mut self.has_failed) {
                        log(
                            "records",
                            &format!("{} is written again", self.path.display()),
                        );
                    }
                }
                // A full disk may get room again, so the analysis goes on.
                Err(error) => {
                    self.metrics.dropped.inc();
                    if !std::mem::replace(&mut self.has_failed, true) {
                        let path = self.path.display();
                        warn("records", &format!("{path}: {error}; records are lost"));
                    }
                }
            }
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_incomplete {
            self.file.write_all(b"\n")?;
            self.is_incomplete = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = &rest[written..];
                    self.is_incomplete = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.file.flush()
    }
}
