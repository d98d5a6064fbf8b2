//! `emotion-crowd`: one process that analyses many streams.
//!
//! Everything here follows from one decision: each stream has its own input, and all streams share the analysis.
//!
//! - Each stream has a thread that opens it, watches it, and opens it again after a failure (`stream`). Decoding happens in
//!   GStreamer's threads and never waits: only the newest frame of a stream is kept (`frame_queue`).
//! - A fixed number of workers, one per core, takes the kept frames of all streams in turn (`worker`). A frame that is
//!   replaced before its turn is skipped. So a decoded frame never waits longer than one round of all streams. Live frames
//!   that a slow decoder cannot decode in time are dropped before it (`late_frame_dropper`).
//! - The plugin's own elements analyse a frame, in one chain for each stream, so tracks, intervals and smoothing are those
//!   of `facedetect` and `emotionclassify`. The chain runs in the worker's thread (`element_chain`).
//!
//! Frames are not held back to fill a batch. The inference engine computes the faces of a batch one after another, so a
//! larger batch would add delay and save no time per face. All faces of a frame are one batch.

pub mod config;
mod element_chain;
mod file_limit;
mod frame_queue;
mod health;
mod history;
mod late_frame_dropper;
pub mod log;
mod metrics;
mod outage;
mod outputs;
mod page;
mod preview;
mod rate_limiter;
mod source_pipeline;
mod stream;
mod systemd;
mod worker;

use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};

use anyhow::Context as _;

use self::config::Config;
use self::frame_queue::FrameQueue;
use self::health::Health;
use self::metrics::Metrics;
use self::outputs::RecordOutputs;
use self::page::PageServer;
use self::stream::Stream;
use self::systemd::ServiceNotifier;
use self::worker::FrameAnalysis;
use crate::runner::StopFlag;

/// Analyses the streams of `config` until all of them have ended or `stop` is set, and logs events on standard error.
///
/// # Errors
///
/// If an output or the page cannot be opened, an element rejects its settings, or a stream that has an end, such as a file,
/// fails. A live stream that fails is no error.
pub fn run(mut config: Config, stop: &StopFlag) -> anyhow::Result<()> {
    let metrics = Metrics::default();
    let outputs = RecordOutputs::open(&config, &metrics)?;
    let streams: Vec<_> = std::mem::take(&mut config.sources)
        .into_iter()
        .map(|source| Arc::new(Stream::new(source.into_inner(), &metrics)))
        .collect();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let workers = config.analysis.workers.map_or(cores, NonZero::get);
    let analysis = FrameAnalysis::new(&config, &streams, &outputs)?;
    let health = Health::new(&streams, &analysis.activity, stop);
    let files = file_limit::left_for_page(file_limit::raise(), streams.len());
    let page = config
        .page
        .as_ref()
        .map(|settings| PageServer::start(settings, &streams, metrics, health.clone(), files))
        .transpose()?;
    let notifier = ServiceNotifier::start(health)?;

    let queue = Arc::new(FrameQueue::new(streams.len()));
    thread::scope(|scope| {
        let work = || {
            for number in 0..workers {
                start(scope, &format!("worker-{number}"), || analysis.run(&queue))?;
            }
            let threads: Vec<_> = streams
                .iter()
                .enumerate()
                .map(|(slot, stream)| {
                    let (queue, reconnect) = (&queue, &config.reconnect);
                    start(scope, stream.name(), move || {
                        stream.keep_open(reconnect, slot, queue, stop)
                    })
                })
                .collect();
            for thread in threads {
                // A thread that panicked has printed so.
                let _ = thread?.join();
            }
            anyhow::Ok(())
        };
        let result = work();
        if result.is_err() {
            stop.set();
        }
        queue.close();
        result
    })?;
    drop(notifier);
    drop(page);
    outputs.close();

    let failed: Vec<_> = streams
        .iter()
        .filter(|stream| stream.has_failed())
        .map(|stream| stream.name())
        .collect();
    anyhow::ensure!(
        failed.is_empty(),
        "{} of {} sources failed: {}",
        failed.len(),
        streams.len(),
        failed.join(", ")
    );
    Ok(())
}

fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> anyhow::Result<ScopedJoinHandle<'scope, ()>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, work)
        .context("the system refuses a thread")
}
