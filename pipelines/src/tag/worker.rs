//! A worker process: tags the files that the process that started it names, one after the other.
//!
//! Decoders and demuxers crash, hang or eat memory on some files. In a process of their own they take nothing with them
//! but the file. The process talks through a socket, which is its standard input; what it or a library prints goes
//! elsewhere. It ends at once when the socket is closed, so none remains when the other process ends in whatever way.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver};
use std::{env, fs, thread};

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::download::download;
use super::event::FileProgress;
use super::file_tagger::FileTagger;
use super::pipeline::PipelineProgress;
use super::sdr_convert;
use super::settings::Settings;
use super::temporary::is_temporary;
use super::worker_message::{DownloadJob, FromWorker, ToWorker};
use crate::encoding_profile::EncodingProfile;

/// The only argument of a worker process.
pub(super) const AS_WORKER: &str = "--as-worker";

/// Whether this process was started as a worker; it then has to call [`run`] and nothing else.
pub fn is_worker() -> bool {
    env::args_os().nth(1).as_deref() == Some(OsStr::new(AS_WORKER))
}

/// Tags files until the process that started this one closes the connection.
///
/// # Errors
///
/// If standard input is no connection, or something else than the expected messages comes from it.
pub fn run() -> anyhow::Result<()> {
    // Ctrl-C reaches all processes of a terminal; the one that started this one decides what it means.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))
            .context("cannot handle Ctrl-C")?;
    }
    // If memory runs out, the system should end this process and no other. Not every system knows this file.
    let _ = fs::write("/proc/self/oom_score_adj", "500");
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let connection = Connection(UnixStream::from(stdin));
    let messages = receive(&connection)?;

    let first = messages.recv().context("there is no first message")?;
    let ToWorker::Setup { settings } = first else {
        anyhow::bail!("expected the settings as the first message");
    };
    let encoding = match set_up(&settings) {
        Ok(encoding) => encoding,
        Err(refused) => {
            connection.send(&refused);
            return Ok(());
        }
    };
    connection.send(&FromWorker::Ready);
    let tagger = FileTagger {
        settings: &settings,
        encoding,
    };
    for message in messages {
        let job = match message {
            ToWorker::Tag(job) => job,
            ToWorker::Download(job) => {
                connection.send(&downloaded(&job, &connection));
                continue;
            }
            ToWorker::Setup { .. } => anyhow::bail!("expected a file, found settings"),
        };
        let on_progress = |at: PipelineProgress| {
            connection.send(&FromWorker::Progress {
                progress: at.progress,
                work: at.work,
                has_hardware_decoder: at.has_hardware_decoder,
            });
        };
        let on_warning = |message: &str| {
            connection.send(&FromWorker::Warning {
                message: message.to_owned(),
            });
        };
        let answer = match tagger.tag(&job, &on_progress, &on_warning) {
            Ok(tagged) => FromWorker::Tagged {
                frames: tagged.timeline.frames,
                persons: tagged.timeline.persons.len(),
                duration: tagged.timeline.end(),
                suffixes: tagged.suffixes,
                incomplete: tagged.incomplete,
            },
            Err(error) => failed(&error),
        };
        connection.send(&answer);
    }
    Ok(())
}

/// Copies a file from a web server.
fn downloaded(job: &DownloadJob, connection: &Connection) -> FromWorker {
    let on_progress = |bytes| {
        connection.send(&FromWorker::Progress {
            progress: FileProgress::default(),
            work: bytes,
            has_hardware_decoder: false,
        });
    };
    match download(job, &on_progress) {
        Ok(downloaded) => FromWorker::Downloaded(downloaded),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> FromWorker {
    FromWorker::Failed {
        message: format!("{error:#}"),
        is_temporary: is_temporary(error),
    }
}

/// The encoder for annotated videos, if there are to be any.
fn set_up(settings: &Settings) -> Result<Option<&'static EncodingProfile>, FromWorker> {
    let refused = |error: anyhow::Error| FromWorker::Refused {
        message: format!("{error:#}"),
    };
    crate::init().map_err(refused)?;
    sdr_convert::register()
        .context("GStreamer rejects the converter of HDR video")
        .map_err(refused)?;
    let encoding = settings.annotate.then(EncodingProfile::fastest);
    encoding.transpose().map_err(refused)
}

/// The messages to this process. It ends with the connection.
fn receive(connection: &Connection) -> anyhow::Result<Receiver<ToWorker>> {
    let (send, messages) = mpsc::channel();
    let incoming = connection.0.try_clone()?;
    thread::Builder::new().spawn(move || {
        for line in BufReader::new(incoming).lines() {
            let message = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            let Some(message) = message else {
                break;
            };
            if send.send(message).is_err() {
                return;
            }
        }
        end();
    })?;
    Ok(messages)
}

struct Connection(UnixStream);

impl Connection {
    fn send(&self, message: &FromWorker) {
        let mut line = match serde_json::to_vec(message) {
            Ok(line) => line,
            // Happens for no message.
            Err(_) => end(),
        };
        line.push(b'\n');
        if (&self.0).write_all(&line).is_err() {
            end();
        }
    }
}

/// Ends the process without waiting for threads or libraries, one of which may hang.
fn end() -> ! {
    signal_hook::low_level::exit(0)
}
