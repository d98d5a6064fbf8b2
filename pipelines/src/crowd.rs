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

mod analysis_chain;
mod api;
mod camera_tls;
mod certificates;
pub mod config;
mod controller;
mod element_chain;
mod elements_check;
mod endpoint;
mod failure;
mod file_limit;
mod frame_queue;
mod freed_memory;
mod health;
mod history;
mod late_frame_dropper;
mod loading;
pub mod log;
mod mask;
mod memory_download;
mod metrics;
mod orientation;
mod outage;
mod outputs;
mod page;
mod page_tls;
mod picture_check;
mod preview;
mod rate_limiter;
mod request;
mod source_changes;
mod source_lease;
mod source_pipeline;
mod stream;
mod stream_list;
mod systemd;
mod worker;
mod zones;

use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use anyhow::Context as _;

use self::config::Config;
use self::controller::Controller;
use self::health::{Health, WorkerActivity};
pub use self::loading::load;
use self::log::log;
use self::metrics::Metrics;
use self::outputs::RecordOutputs;
use self::page::PageServer;
use self::source_changes::SourceChanges;
use self::systemd::ServiceNotifier;
use crate::runner::StopFlag;

/// How often signals are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Requests to a running program, shared with its signal handlers.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Ends the program.
    pub stop: StopFlag,
    /// Reads the settings again and opens the file of records again.
    pub reload: StopFlag,
}

/// Analyses the streams of `config`, and logs events on standard error, until a stop is requested; without a page also until
/// all streams have ended.
///
/// # Errors
///
/// If an output or the page cannot be opened, an element rejects its settings, or a stream that has an end, such as a file,
/// fails. A live stream that fails is no error.
pub fn run(config: Config, signals: &Signals) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::default());
    let outputs = Arc::new(RecordOutputs::open(&config, &metrics)?);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let workers = config.analysis.workers.unwrap_or(cores);
    let state = config.api.as_ref().and_then(|api| api.state.as_deref());
    let changes = SourceChanges::load(state)?;
    let controller = Controller::new(config, changes, outputs.clone(), metrics.clone());
    let controller = Arc::new(controller);
    let (streams, config) = (controller.streams(), controller.config());
    let activity = Arc::new(WorkerActivity::default());
    let health = Health::new(streams, &activity, &signals.stop);
    let files = file_limit::raise();
    let api = api::routes(config.api.as_ref(), &controller);
    let open_page = || {
        let page = config.page.as_ref();
        let open = |settings| {
            let files = file_limit::left_for_page(files, streams.all().len());
            let control = config.api.as_ref().and_then(|api| api.token.clone());
            PageServer::start(
                settings,
                streams,
                metrics,
                health.clone(),
                files,
                api,
                control,
            )
        };
        page.map(open).transpose()
    };

    let queue = controller.queue();
    let ended = thread::scope(|scope| {
        let work = || {
            for number in 0..workers {
                start(scope, &format!("worker-{number}"), || {
                    worker::run(queue, &activity)
                })?;
            }
            controller.start()?;
            let page = open_page()?;
            let _notifier = ServiceNotifier::start(health.clone())?;
            watch(&controller, &outputs, page.is_some(), signals);
            anyhow::Ok(())
        };
        let result = work();
        let ended = controller.stop();
        queue.close();
        result.map(|()| ended)
    })?;
    outputs.close();

    let failed: Vec<_> = ended
        .iter()
        .filter(|stream| stream.has_failed())
        .map(|stream| stream.name())
        .collect();
    anyhow::ensure!(
        failed.is_empty(),
        "{} of {} sources failed: {}",
        failed.len(),
        ended.len(),
        failed.join(", ")
    );
    Ok(())
}

/// Obeys signals until the program is to end.
fn watch(controller: &Controller, outputs: &RecordOutputs, has_page: bool, signals: &Signals) {
    while !signals.stop.is_set() && (has_page || !controller.all_have_ended()) {
        if signals.reload.take() {
            outputs.reopen_file();
            match controller.reload() {
                Ok(report) => report.log(),
                Err(error) => log("settings", &format!("nothing was changed: {error}")),
            }
        }
        controller.end_lease();
        controller.forget_ended();
        thread::sleep(TICK);
    }
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
