//! `emotion-crowd`: one process that watches many cameras.
//!
//! The decision that everything here follows from: streams come and go by themselves, work is shared.
//!
//! - Each stream has a thread that opens it, watches over it and opens it again when it drops (`stream`). Decoding
//!   happens in GStreamer's threads and never waits: only the newest frame of a stream is kept (`frame_queue`).
//! - A fixed set of workers, one for each core, takes the kept frames of all streams in turn (`worker`). A frame that is
//!   replaced before its turn is skipped. So a decoded frame never waits longer than one round of all streams. What cannot
//!   be decoded in time is not skipped: a machine that is too slow for that falls behind.
//! - What a worker does with a frame is done by the plugin's own elements, one chain of them for each stream, so that
//!   tracks, intervals and smoothing are those of `facedetect` and `emotionclassify`; but the chain runs in the worker's
//!   thread (`element_chain`).
//!
//! Frames are not held back to fill a batch: the engine computes the faces of a batch one after another, so that a larger
//! one is no faster by the face, and it would cost delay. All faces of a frame are one batch.

mod back_off;
pub mod config;
mod element_chain;
mod frame_queue;
mod history;
mod late_frame_dropper;
mod metrics;
mod outputs;
mod page;
mod preview;
mod source_pipeline;
mod stream;
mod worker;

use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};

use anyhow::Context as _;

use self::config::Config;
use self::frame_queue::FrameQueue;
use self::metrics::Metrics;
use self::outputs::RecordOutputs;
use self::page::Page;
use self::stream::Stream;
use self::worker::Worker;
use crate::runner::StopFlag;

/// Watches the streams of `config` until all of them have ended or `stop` is wished, and tells on standard error what
/// happens to them.
///
/// # Errors
///
/// When an output or the page cannot be opened, an element refuses its settings, or a stream that has an end, such as a
/// file, failed. A stream that drops is no error.
pub fn run(mut config: Config, stop: &StopFlag) -> anyhow::Result<()> {
    let metrics = Metrics::default();
    let outputs = RecordOutputs::open(&config, &metrics)?;
    let streams: Vec<_> = std::mem::take(&mut config.sources)
        .into_iter()
        .map(|source| Arc::new(Stream::new(source.into_inner(), &metrics)))
        .collect();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let count = config.analysis.workers.map_or(cores, NonZero::get);
    let worker = Worker::new(&config, &streams, &outputs)?;
    let page = config
        .page
        .as_ref()
        .map(|settings| Page::open(settings, &streams, metrics))
        .transpose()?;

    let desk = Arc::new(FrameQueue::new(streams.len()));
    thread::scope(|scope| {
        let work = || {
            for number in 0..count {
                start(scope, &format!("worker-{number}"), || worker.work(&desk))?;
            }
            let watching: Vec<_> = streams
                .iter()
                .enumerate()
                .map(|(seat, stream)| {
                    let (desk, reconnect) = (&desk, &config.reconnect);
                    let watch = move || stream.watch(reconnect, seat, desk, stop);
                    start(scope, stream.name(), watch)
                })
                .collect();
            for thread in watching {
                // A thread that panicked has said so on standard error.
                let _ = thread?.join();
            }
            anyhow::Ok(())
        };
        let result = work();
        if result.is_err() {
            stop.set();
        }
        desk.close();
        result
    })?;
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
