//! A worker process as the process sees it that started it: gives it files, and kills it when it exceeds a limit.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::event::{Failure, FileProgress};
use super::hidden_arguments;
use super::limits::{Limits, MemorySize, resident_memory};
use super::result_names::SUMMARY;
use super::settings::Settings;
use super::worker::AS_WORKER;
use super::worker_death::Death;
use super::worker_message::{Downloaded, FromWorker, ToWorker};
use crate::runner::StopFlag;
use anyhow::{Context as _, bail};

/// How often the limits are checked.
const TICK: Duration = Duration::from_millis(50);
/// How long a process may take to start: GStreamer looks through all its plugins if it has never run before.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long what a dead process printed may take to arrive.
const LAST_OUTPUT_TIMEOUT: Duration = Duration::from_millis(500);
/// Number of messages that wait until they are read.
const QUEUED: usize = 64;
/// Length of a printed line, in bytes, from which it is divided.
const LONGEST_LINE: u64 = 4096;
/// Length in bytes from which a line is no message: a broken decoder may write anything to any descriptor.
const LONGEST_MESSAGE: u64 = 1 << 20;

/// A running worker process. It is killed when this is dropped.
pub(super) struct WorkerProcess {
    child: Child,
    connection: UnixStream,
    incoming: Receiver<Incoming>,
    /// The last line that it printed.
    last_output: Option<String>,
    /// Number of files that it was given.
    files: usize,
}

enum Incoming {
    Message(FromWorker),
    /// A line that is no message.
    Unknown,
    /// A line that it printed.
    Output(String),
    /// The connection is closed.
    Closed,
}

/// What a worker tells while it works on a file.
pub(super) enum WorkerReport<'a> {
    Progress(FileProgress),
    Warning(&'a str),
    Output(&'a str),
}

/// How a worker ended a file.
pub(super) enum JobEnd {
    /// The results are complete in their hidden folder.
    Tagged {
        suffixes: Vec<String>,
        frames: u64,
        persons: usize,
        duration: f64,
        /// What is missing in the results, and why.
        incomplete: Option<String>,
    },
    /// The file was copied from its server.
    Downloaded(Downloaded),
    /// It cannot be tagged.
    Failed {
        failure: Failure,
        /// Whether another process may be able to.
        is_retried: bool,
    },
    /// The user stopped the run.
    Stopped,
}

impl WorkerProcess {
    /// Starts `program` as a worker and waits until it is ready; `None` if `stop` was set.
    ///
    /// # Errors
    ///
    /// If it cannot be started or cannot work with the settings.
    pub(super) fn start(
        program: &Path,
        settings: &Settings,
        stop: &StopFlag,
        on_output: &dyn Fn(&str),
    ) -> anyhow::Result<Option<Self>> {
        let shown = program.display();
        let mut worker = Self::spawn(program)
            .with_context(|| format!("{shown}: the worker process cannot be started"))?;
        let setup = ToWorker::Setup {
            settings: Box::new(settings.clone()),
        };
        // If it has died already, the wait says so.
        let _ = worker.send(&setup);
        let started = Instant::now();
        while !stop.is_set() {
            match worker.next() {
                Some(Incoming::Message(FromWorker::Ready)) => return Ok(Some(worker)),
                Some(Incoming::Message(FromWorker::Refused { message })) => bail!(message),
                Some(Incoming::Output(line)) => on_output(&line),
                Some(Incoming::Closed) => {
                    let death = worker.death(on_output);
                    bail!(
                        "{shown}: the worker process does not start: it {}",
                        death.how
                    )
                }
                Some(Incoming::Message(_) | Incoming::Unknown) => {
                    bail!("{shown}: the worker process is another program or version")
                }
                None if started.elapsed() > START_TIMEOUT => bail!(
                    "{shown}: the worker process was not ready within {} s",
                    START_TIMEOUT.as_secs()
                ),
                None => {}
            }
        }
        Ok(None)
    }

    fn spawn(program: &Path) -> io::Result<Self> {
        let (connection, of_worker) = UnixStream::pair()?;
        let (printed, output) = io::pipe()?;
        let mut command = Command::new(program);
        // Decoders have no use for the credentials of object stores.
        let names = std::env::vars_os().map(|(name, _)| name);
        for name in names.filter(|name| name.as_encoded_bytes().starts_with(b"AWS_")) {
            command.env_remove(name);
        }
        let child = command
            .arg(AS_WORKER)
            .env_remove(hidden_arguments::VARIABLE)
            .stdin(OwnedFd::from(of_worker))
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let (send, incoming) = mpsc::sync_channel(QUEUED);
        let messages = BufReader::new(connection.try_clone()?);
        let to_messages = send.clone();
        thread::spawn(move || {
            // The receiver is gone when nobody waits for this process any more.
            for_each_line(messages, LONGEST_MESSAGE, |line| {
                to_messages.send(message(line)).is_ok()
            });
            let _ = to_messages.send(Incoming::Closed);
        });
        thread::spawn(move || {
            for_each_line(BufReader::new(printed), LONGEST_LINE, |line| {
                let text = String::from_utf8_lossy(line).trim_end().to_owned();
                text.is_empty() || send.send(Incoming::Output(text)).is_ok()
            });
        });
        Ok(Self {
            child,
            connection,
            incoming,
            last_output: None,
            files: 0,
        })
    }

    /// Whether it waits for another file.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it has so much memory that the next file should get a new process.
    pub(super) fn is_large(&self, limits: &Limits) -> bool {
        let resident = resident_memory(self.child.id());
        let is_large = |(MemorySize(resident), MemorySize(limit))| resident > limit / 2;
        resident.zip(limits.memory).is_some_and(is_large)
    }

    /// Gives it a file to tag or to copy and waits for the end. After anything but [`JobEnd::Tagged`] and
    /// [`JobEnd::Downloaded`] it must not be used again, because it is dead, or a decoder may have damaged it.
    pub(super) fn work(
        &mut self,
        task: &ToWorker,
        limits: &Limits,
        stop: &StopFlag,
        on_report: &dyn Fn(WorkerReport<'_>),
    ) -> JobEnd {
        let is_fresh = self.files == 0;
        self.files += 1;
        // If it has died meanwhile, the wait says so.
        let _ = self.send(task);
        let mut last_work = 0;
        let mut last_change = Instant::now();
        let mut last_check = Instant::now();
        let mut has_hardware_decoder = false;
        loop {
            match self.next() {
                Some(Incoming::Message(FromWorker::Progress {
                    progress,
                    work,
                    has_hardware_decoder: with_hardware,
                })) => {
                    has_hardware_decoder |= with_hardware;
                    if work != last_work {
                        (last_work, last_change) = (work, Instant::now());
                    }
                    on_report(WorkerReport::Progress(progress));
                }
                Some(Incoming::Message(FromWorker::Warning { message })) => {
                    on_report(WorkerReport::Warning(&message));
                }
                Some(Incoming::Message(FromWorker::Tagged {
                    suffixes,
                    frames,
                    persons,
                    duration,
                    incomplete,
                })) => {
                    return JobEnd::Tagged {
                        suffixes,
                        frames,
                        persons,
                        duration,
                        incomplete,
                    };
                }
                Some(Incoming::Message(FromWorker::Downloaded(downloaded))) => {
                    return JobEnd::Downloaded(downloaded);
                }
                Some(Incoming::Message(FromWorker::Failed {
                    message,
                    is_temporary,
                })) => {
                    return JobEnd::Failed {
                        failure: Failure {
                            reason: message,
                            is_temporary,
                        },
                        is_retried: has_hardware_decoder,
                    };
                }
                Some(Incoming::Output(line)) => on_report(WorkerReport::Output(&line)),
                Some(Incoming::Closed) => {
                    let death = self.death(&|line| on_report(WorkerReport::Output(line)));
                    return JobEnd::Failed {
                        failure: Failure {
                            reason: format!("the process that decodes it {}", death.how),
                            is_temporary: death.was_killed,
                        },
                        is_retried: true,
                    };
                }
                Some(
                    Incoming::Unknown
                    | Incoming::Message(FromWorker::Ready | FromWorker::Refused { .. }),
                ) => {
                    return JobEnd::Failed {
                        failure: Failure::lasting(
                            "the process that decodes it sent an unexpected message",
                        ),
                        is_retried: true,
                    };
                }
                None => {}
            }
            if stop.is_set() {
                return JobEnd::Stopped;
            }
            if last_change.elapsed() > limits.timeout {
                let (cause, is_temporary) = match task {
                    ToWorker::Download(_) => ("its server sends nothing", true),
                    _ => ("the file is broken, or a decoder hangs", false),
                };
                return JobEnd::Failed {
                    failure: Failure {
                        reason: format!(
                            "no progress within {} s: {cause}; --timeout allows more",
                            limits.timeout.as_secs_f64()
                        ),
                        is_temporary,
                    },
                    is_retried: has_hardware_decoder,
                };
            }
            if last_check.elapsed() >= TICK {
                last_check = Instant::now();
                let resident = resident_memory(self.child.id());
                if let Some((resident, limit)) = resident.zip(limits.memory)
                    && resident > limit
                {
                    return JobEnd::Failed {
                        failure: Failure {
                            reason: format!(
                                "decoding it takes {resident} of memory, the limit is {limit}; --memory allows more"
                            ),
                            is_temporary: true,
                        },
                        // Earlier files may have left something in the memory.
                        is_retried: has_hardware_decoder || !is_fresh,
                    };
                }
            }
        }
    }

    fn send(&mut self, message: &ToWorker) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.connection.write_all(&line)
    }

    /// What comes within a [`TICK`].
    fn next(&mut self) -> Option<Incoming> {
        match self.incoming.recv_timeout(TICK) {
            Ok(Incoming::Output(line)) => {
                self.last_output = Some(line.clone());
                Some(Incoming::Output(line))
            }
            Ok(incoming) => Some(incoming),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Incoming::Closed),
        }
    }

    /// How it ended, after it has closed the connection; first passes on what it printed.
    fn death(&mut self, on_output: &dyn Fn(&str)) -> Death {
        // Does nothing to a dead process, and ends one that has only closed the connection.
        let _ = self.child.kill();
        let status = self.child.wait();
        while let Ok(Incoming::Output(line)) = self.incoming.recv_timeout(LAST_OUTPUT_TIMEOUT) {
            on_output(&line);
            self.last_output = Some(line);
        }
        let said = self.last_output.as_deref();
        let said = said.map_or(String::new(), |line| format!(": {}", line.trim()));
        Death::new(status, &said)
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // Neither fails for a child that has not been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a line says that the worker has sent.
fn message(line: &[u8]) -> Incoming {
    match serde_json::from_slice(line) {
        // The summary comes last, because it says that the results are complete.
        Ok(FromWorker::Tagged { suffixes, .. })
            if suffixes.last().is_none_or(|last| last != SUMMARY) =>
        {
            Incoming::Unknown
        }
        Ok(message) => Incoming::Message(message),
        Err(_) => Incoming::Unknown,
    }
}

/// Passes on each line, of at most `longest` bytes, until `take` says that nobody wants more or all writers have ended.
fn for_each_line(mut from: impl BufRead, longest: u64, mut take: impl FnMut(&[u8]) -> bool) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = from.by_ref().take(longest).read_until(b'\n', &mut line);
        if !read.is_ok_and(|bytes| bytes > 0) || !take(&line) {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
