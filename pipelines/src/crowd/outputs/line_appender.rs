//! Appends lines to the file of records from a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::Context as _;

use super::appended_file::AppendedFile;
use super::file_rotation::FileRotation;
use super::worker_queue::WorkerQueue;
use crate::crowd::log::log;
use crate::crowd::metrics::FileMetrics;

/// The most lines that wait for a slow disk or reader.
const QUEUE_SIZE: usize = 2000;
/// How often an idle writer looks whether its file was moved.
const IDLE_PERIOD: Duration = Duration::from_secs(1);
/// How long a reader or a disk may take for one more line when the program ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// A file that a thread writes.
#[derive(Debug)]
pub(super) struct LineAppender {
    path: PathBuf,
    lines: WorkerQueue<Vec<u8>>,
    progress: Arc<WriteProgress>,
    metrics: FileMetrics,
}

#[derive(Debug, Default)]
struct WriteProgress {
    /// Number of lines that were written or given up.
    lines: AtomicU64,
    /// Whether to open the file again.
    is_to_reopen: AtomicBool,
}

impl LineAppender {
    /// Opens `path` for appending, `-` for standard output.
    pub(super) fn open(
        path: &Path,
        rotation: FileRotation,
        metrics: FileMetrics,
    ) -> anyhow::Result<Self> {
        let file = AppendedFile::open(path, rotation)
            .with_context(|| format!("{}: cannot write records there", path.display()))?;
        let progress = Arc::new(WriteProgress::default());
        let writer = Writer {
            path: path.to_owned(),
            file,
            progress: progress.clone(),
            metrics: metrics.clone(),
            has_failed: false,
        };
        Ok(Self {
            path: path.to_owned(),
            lines: WorkerQueue::start("records", QUEUE_SIZE, |lines| writer.run(lines))?,
            progress,
            metrics,
        })
    }

    /// Appends a line, which ends in a line break. If too many lines wait, it is dropped and counted.
    pub(super) fn write(&self, line: Vec<u8>) {
        if !self.lines.push(line) {
            self.metrics.dropped.inc();
        }
    }

    /// Opens the file again, because another program may have moved it.
    pub(super) fn reopen(&self) {
        self.progress.is_to_reopen.store(true, Ordering::Relaxed);
    }

    /// Waits until all lines are written, or nothing has been written for some seconds.
    pub(super) fn close(&self) {
        self.lines.close();
        let mut written = self.progress.lines.load(Ordering::Relaxed);
        while !self.lines.ends_within(CLOSE_TIMEOUT) {
            let now = self.progress.lines.load(Ordering::Relaxed);
            if now == written {
                let path = self.path.display();
                log(
                    "records",
                    &format!("{path}: nobody reads it; the last records are lost"),
                );
                return;
            }
            written = now;
        }
    }
}

struct Writer {
    path: PathBuf,
    file: AppendedFile,
    progress: Arc<WriteProgress>,
    metrics: FileMetrics,
    has_failed: bool,
}

impl Writer {
    fn run(mut self, lines: &Receiver<Vec<u8>>) {
        loop {
            let line = lines.recv_timeout(IDLE_PERIOD);
            if self.progress.is_to_reopen.swap(false, Ordering::Relaxed) {
                self.file.close();
            }
            match line {
                Ok(line) => self.write(&line),
                Err(RecvTimeoutError::Timeout) => self.file.close_if_moved(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn write(&mut self, line: &[u8]) {
        match self.file.append(line) {
            Ok(()) => {
                self.metrics.records.inc();
                if std::mem::take(&mut self.has_failed) {
                    let path = self.path.display();
                    log("records", &format!("{path} is written again"));
                }
            }
            // A full disk may get room again, so the analysis goes on.
            Err(error) => {
                self.metrics.dropped.inc();
                if !std::mem::replace(&mut self.has_failed, true) {
                    let path = self.path.display();
                    log("records", &format!("{path}: {error}; records are lost"));
                }
            }
        }
        self.progress.lines.fetch_add(1, Ordering::Relaxed);
    }
}
