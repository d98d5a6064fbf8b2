//! Lines that are appended to a file by a thread of their own.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context as _;

use crate::crowd::metrics::FileMetrics;
use crate::crowd::stream::tell;

/// Lines that wait for a slow disk or reader.
const WAITING: usize = 2000;

/// An open file.
#[derive(Debug)]
pub(super) struct LineWriter {
    sender: SyncSender<Vec<u8>>,
    writer: JoinHandle<()>,
    metrics: FileMetrics,
}

impl LineWriter {
    /// Opens `path` to append to it, `-` for standard output.
    pub(super) fn open(path: &Path, metrics: FileMetrics) -> anyhow::Result<Self> {
        let place: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            Box::new(append(path)?)
        };
        let (sender, receiver) = sync_channel(WAITING);
        let writer = Writer {
            path: path.to_owned(),
            place,
            metrics: metrics.clone(),
            is_torn: false,
            has_failed: false,
        };
        let writer = std::thread::Builder::new()
            .name("records".into())
            .spawn(move || writer.serve(&receiver))
            .context("the system refuses a thread")?;
        Ok(Self {
            sender,
            writer,
            metrics,
        })
    }

    /// Hands over a line with its end; when too many wait already it is dropped and counted.
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
        // A thread that panicked has said so on standard error.
        let _ = self.writer.join();
    }
}

fn append(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("{}: records cannot be written there", path.display()))
}

struct Writer {
    path: PathBuf,
    place: Box<dyn Write + Send>,
    metrics: FileMetrics,
    /// The last line was written in part.
    is_torn: bool,
    has_failed: bool,
}

impl Writer {
    fn serve(mut self, lines: &Receiver<Vec<u8>>) {
        for line in lines {
            match self.write(&line) {
                Ok(()) => {
                    self.metrics.records.inc();
                    if std::mem::take(&mut self.has_failed) {
                        tell(
                            "records",
                            &format!("{} is written again", self.path.display()),
                        );
                    }
                }
                // A full disk may have room again; watching goes on.
                Err(error) => {
                    self.metrics.dropped.inc();
                    if !std::mem::replace(&mut self.has_failed, true) {
                        let path = self.path.display();
                        tell("records", &format!("{path}: {error}; records are lost"));
                    }
                }
            }
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.place.write_all(b"\n")?;
            self.is_torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.place.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = &rest[written..];
                    self.is_torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.place.flush()
    }
}
