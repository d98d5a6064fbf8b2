//! Starts, replaces and ends streams while the program runs.

mod reload_report;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;

pub(super) use self::reload_report::{ReloadReport, SourceAction};
use super::config::{
    Config, ConfigDifference, ReconnectSettings, SourceChange, SourceSettings, source_change,
};
use super::frame_queue::FrameQueue;
use super::loading;
use super::log::{log, warn};
use super::metrics::Metrics;
use super::outputs::RecordOutputs;
use super::source_changes::SourceChanges;
use super::stream::{FrameSink, Stream};
use super::stream_list::StreamList;
use super::worker::{AnalysisTask, StreamAnalysis, StreamSlot};

/// Controls the streams.
pub(super) struct Controller {
    streams: Arc<StreamList>,
    queue: Arc<FrameQueue<AnalysisTask>>,
    outputs: Arc<RecordOutputs>,
    metrics: Arc<Metrics>,
    reconnect: Arc<Mutex<ReconnectSettings>>,
    state: Mutex<ControlState>,
}

struct ControlState {
    config: Arc<Config>,
    changes: SourceChanges,
    /// In the order of the settings.
    running: Vec<RunningStream>,
    /// Streams that were removed and are about to end.
    ending: Vec<RunningStream>,
    is_stopped: bool,
}

struct RunningStream {
    stream: Arc<Stream>,
    thread: JoinHandle<()>,
}

/// Why a change was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    /// There is a source of this name.
    #[error("there is a source named {0} already")]
    Exists(String),
    /// There is no source of this name.
    #[error("there is no source named {0}")]
    Unknown(String),
    /// A setting is wrong.
    #[error("{0}")]
    Wrong(String),
    /// The change cannot be kept, or the system refuses something.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

/// A source with its settings, as the API shows it.
pub(super) struct SourceState {
    pub(super) stream: Arc<Stream>,
    /// Whether the API added or changed it.
    pub(super) is_changed: bool,
}

impl Controller {
    pub(super) fn new(
        config: Config,
        changes: SourceChanges,
        outputs: Arc<RecordOutputs>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            streams: Arc::default(),
            queue: Arc::new(FrameQueue::new()),
            outputs,
            metrics,
            reconnect: Arc::new(Mutex::new(config.reconnect)),
            state: Mutex::new(ControlState {
                config: Arc::new(config),
                changes,
                running: Vec::new(),
                ending: Vec::new(),
                is_stopped: false,
            }),
        }
    }

    pub(super) fn streams(&self) -> &Arc<StreamList> {
        &self.streams
    }

    pub(super) fn queue(&self) -> &Arc<FrameQueue<AnalysisTask>> {
        &self.queue
    }

    /// The settings in effect.
    pub(super) fn config(&self) -> Arc<Config> {
        self.lock().config.clone()
    }

    /// Starts all streams.
    pub(super) fn start(&self) -> anyhow::Result<()> {
        let mut state = self.lock();
        let sources = state.changes.applied_to(&state.config.sources);
        self.apply(&mut state, sources, &[])?;
        Ok(())
    }

    /// Reads the file again and applies what differs.
    ///
    /// # Errors
    ///
    /// If the file has a mistake; then nothing is changed.
    pub(super) fn reload(&self) -> Result<ReloadReport, ControlError> {
        let mut state = self.lock();
        let wrong = |error: super::config::Error| ControlError::Wrong(error.to_string());
        let config = loading::load(state.config.path(), state.config.shard()).map_err(wrong)?;
        let difference = ConfigDifference::new(&state.config, &config);
        let sources = state.changes.applied_to(&config.sources);
        let restarting = state.config.clone();
        let new = Arc::new(config);
        state.config = new.clone();
        let changed = self.apply(&mut state, sources, &difference.of_all_sources);
        let changed = match changed {
            Ok(changed) => changed,
            Err(error) => {
                state.config = restarting;
                return Err(ControlError::Failed(error));
            }
        };
        *self
            .reconnect
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = new.reconnect;
        self.outputs.set_rule(new.records.rule);
        let action = |change| match change {
            SourceChange::Unchanged => ("unchanged", Vec::new()),
            SourceChange::Changed(settings) => ("changed", settings),
            SourceChange::Added => ("added", Vec::new()),
            SourceChange::Removed => ("removed", Vec::new()),
        };
        let sources = changed.into_iter().map(|(name, change)| {
            let (action, settings) = action(change);
            (name, SourceAction { action, settings })
        });
        let mut applied = difference.applied;
        applied.extend(difference.of_all_sources);
        Ok(ReloadReport {
            sources: sources.collect(),
            applied,
            needs_restart: difference.needs_restart,
            kept: state.changes.names(),
        })
    }

    /// All sources.
    pub(super) fn sources(&self) -> Vec<SourceState> {
        let state = self.lock();
        let shown = |running: &RunningStream| SourceState {
            stream: running.stream.clone(),
            is_changed: state.changes.contains(running.stream.name()),
        };
        state.running.iter().map(shown).collect()
    }

    /// The source of this name.
    pub(super) fn source(&self, name: &str) -> Result<SourceState, ControlError> {
        let found = self
            .sources()
            .into_iter()
            .find(|source| source.stream.name() == name);
        found.ok_or_else(|| ControlError::Unknown(name.to_owned()))
    }

    /// Adds a source.
    pub(super) fn add(&self, source: SourceSettings) -> Result<(), ControlError> {
        let mut state = self.lock();
        let name = source.name.clone();
        if state.position(&name).is_some() {
            return Err(ControlError::Exists(name));
        }
        self.change(&mut state, &name, Some(source))
    }

    /// Replaces the settings of a source.
    pub(super) fn replace(&self, source: SourceSettings) -> Result<(), ControlError> {
        let mut state = self.lock();
        let name = source.name.clone();
        if state.position(&name).is_none() {
            return Err(ControlError::Unknown(name));
        }
        self.change(&mut state, &name, Some(source))
    }

    /// Removes a source.
    pub(super) fn remove(&self, name: &str) -> Result<(), ControlError> {
        let mut state = self.lock();
        if state.position(name).is_none() {
            return Err(ControlError::Unknown(name.to_owned()));
        }
        self.change(&mut state, name, None)
    }

    /// Lets the sources play for `time` from now on, unless that is renewed. Those whose lease is over have ended.
    pub(super) fn renew_lease(&self, time: Duration) {
        self.end_lease();
        self.outputs.lease().renew(Instant::now(), time);
    }

    /// Removes all sources if their lease is over.
    pub(super) fn end_lease(&self) {
        if !self.outputs.lease().is_over(Instant::now()) {
            return;
        }
        for source in self.sources() {
            let name = source.stream.name();
            let failed = self.remove(name).err().map(|error| error.to_string());
            warn(name, &failed.unwrap_or("its lease was not renewed".into()));
        }
    }

    /// Keeps and applies a change of one source.
    fn change(
        &self,
        state: &mut ControlState,
        name: &str,
        source: Option<SourceSettings>,
    ) -> Result<(), ControlError> {
        let config = state.config.clone();
        let is_in_file = config.sources.iter().any(|source| source.name == name);
        let changes = state.changes.with(name, source, is_in_file);
        let sources = changes.applied_to(&config.sources);
        self.apply(state, sources, &[])
            .map_err(|error| ControlError::Wrong(format!("{error:#}")))?;
        state.changes = changes;
        // The change has been made; that it cannot be kept is told and logged.
        state.changes.save().map_err(ControlError::Failed)
    }

    /// Starts and ends streams so that there are those of `sources`. If one of them cannot be started, nothing is changed.
    fn apply(
        &self,
        state: &mut ControlState,
        sources: Vec<SourceSettings>,
        of_all_sources: &[String],
    ) -> anyhow::Result<Vec<(String, SourceChange)>> {
        anyhow::ensure!(!state.is_stopped, "the program is ending");
        let mut report = Vec::new();
        let mut prepared = Vec::new();
        for source in sources {
            let old = state.position(&source.name);
            let old = old.map(|index| state.running[index].stream.source());
            let change = source_change(old, Some(&source), of_all_sources);
            let name = source.name.clone();
            let started = match change {
                SourceChange::Unchanged => None,
                _ => Some(self.prepare(&state.config, source, old.is_none())?),
            };
            report.push((name.clone(), change));
            prepared.push((name, started));
        }

        let mut before = std::mem::take(&mut state.running);
        for (name, started) in prepared {
            let old = before
                .iter()
                .position(|running| running.stream.name() == name);
            let old = old.map(|index| before.remove(index));
            let running = match (old, started) {
                (Some(old), None) => old,
                (old, Some(stream)) => {
                    if let Some(old) = &old {
                        old.stream.stop();
                    }
                    let ending = state
                        .ending
                        .iter()
                        .position(|old| old.stream.name() == name);
                    let ending = ending.map(|index| state.ending.remove(index));
                    self.launch(stream, old.or(ending).map(|old| old.thread))?
                }
                (None, None) => continue,
            };
            state.running.push(running);
        }
        for removed in before {
            removed.stream.stop();
            report.push((removed.stream.name().to_owned(), SourceChange::Removed));
            state.ending.push(removed);
        }
        let streams = state.running.iter().map(|running| running.stream.clone());
        self.streams.set(streams.collect());
        Ok(report)
    }

    /// Makes a stream with its elements, so that wrong settings are reported before anything changes.
    fn prepare(
        &self,
        config: &Arc<Config>,
        source: SourceSettings,
        is_new: bool,
    ) -> anyhow::Result<(Arc<Stream>, Arc<StreamAnalysis>)> {
        let stream = Arc::new(Stream::new(source, &self.metrics, self.outputs.clone()));
        let analysis = StreamAnalysis::new(config, &stream, &self.outputs);
        if analysis.is_err() && is_new {
            self.metrics.remove_stream(&stream.metrics);
        }
        Ok((stream, Arc::new(analysis?)))
    }

    /// Starts the thread of a stream. It begins when the thread `predecessor` has ended, because cameras may allow one
    /// connection only.
    fn launch(
        &self,
        (stream, analysis): (Arc<Stream>, Arc<StreamAnalysis>),
        predecessor: Option<JoinHandle<()>>,
    ) -> anyhow::Result<RunningStream> {
        self.outputs.announce(stream.name());
        let frames: Arc<dyn FrameSink> = Arc::new(StreamSlot::new(&self.queue, analysis));
        let (ours, reconnect) = (stream.clone(), self.reconnect.clone());
        let thread = thread::Builder::new()
            .name(stream.name().to_owned())
            .spawn(move || {
                if let Some(predecessor) = predecessor {
                    // A thread that panicked has printed so.
                    let _ = predecessor.join();
                }
                ours.keep_open(&reconnect, &frames);
                ours.metrics.set_shares(&BTreeMap::new());
            })
            .context("the system refuses a thread")?;
        Ok(RunningStream { stream, thread })
    }

    /// Forgets the streams that were removed and have ended.
    pub(super) fn forget_ended(&self) {
        let mut state = self.lock();
        let mut index = 0;
        while index < state.ending.len() {
            if !state.ending[index].thread.is_finished() {
                index += 1;
                continue;
            }
            let ended = state.ending.remove(index);
            self.metrics.remove_stream(&ended.stream.metrics);
            self.outputs.retract(ended.stream.name());
            log(ended.stream.name(), "removed");
        }
    }

    /// Whether all streams have ended by themselves.
    pub(super) fn all_have_ended(&self) -> bool {
        self.lock()
            .running
            .iter()
            .all(|running| running.thread.is_finished())
    }

    /// Ends all streams and waits for them. Nothing can be started afterwards.
    pub(super) fn stop(&self) -> Vec<Arc<Stream>> {
        let mut state = self.lock();
        state.is_stopped = true;
        let all: Vec<_> = state.running.drain(..).collect();
        let ending: Vec<_> = state.ending.drain(..).collect();
        drop(state);
        for running in &all {
            running.stream.stop();
        }
        let mut streams = Vec::new();
        for RunningStream { stream, thread } in all.into_iter().chain(ending) {
            // A thread that panicked has printed so.
            let _ = thread.join();
            streams.push(stream);
        }
        streams
    }

    fn lock(&self) -> MutexGuard<'_, ControlState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ControlState {
    fn position(&self, name: &str) -> Option<usize> {
        self.running
            .iter()
            .position(|running| running.stream.name() == name)
    }
}
