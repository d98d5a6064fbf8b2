//! A stream: its status, and the thread that keeps it open.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use gstemotion::back_off::{self, BackOff};
use gstemotion::face::Face;
use tokio::sync::watch;

use super::config::{EndAction, ReconnectSettings, SourceSettings};
use super::frame_queue::FrameQueue;
use super::history::EmotionHistory;
use super::log::{log, warn};
use super::metrics::{Metrics, StreamMetrics};
use super::outage::Outage;
use super::rate_limiter::RateLimiter;
use super::source_pipeline::{DecodedFrame, SourceEvent, SourcePipeline};
use crate::runner::StopFlag;

/// How often a waiting thread checks the [`StopFlag`].
const TICK: Duration = Duration::from_millis(100);
/// The time over which shares of emotions and rates are measured, in seconds.
const RECENT_SECONDS: u64 = 10;

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    source: SourceSettings,
    pub(super) metrics: StreamMetrics,
    began: Instant,
    status: Mutex<StreamStatus>,
    has_failed: AtomicBool,
    was_tried: AtomicBool,
    /// The last picture for the page, encoded only while somebody watches.
    pub(super) picture: watch::Sender<Bytes>,
}

/// The state of the connection of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConnectionState {
    /// It is being opened.
    Opening,
    /// Frames arrive.
    Playing,
    /// It failed for this reason and will be opened again.
    Waiting(String),
    /// It reached its end.
    Ended,
    /// It failed for this reason and will not be opened again.
    Failed(String),
}

/// The current status of a stream.
#[derive(Debug)]
pub(super) struct StreamStatus {
    pub(super) connection: ConnectionState,
    /// `None` while frames arrive.
    pub(super) outage: Option<Outage>,
    /// The faces of the last analysed frame.
    pub(super) faces: Vec<Face>,
    /// Width and height of a frame in pixels.
    pub(super) size: (u32, u32),
    /// The time from the arrival of the last frame to its results.
    pub(super) latency: Duration,
    pub(super) history: EmotionHistory,
    /// When the last results came.
    pub(super) analysed: Option<Instant>,
    last_frame: Option<Instant>,
}

/// How an opened stream ended.
enum PlayEnd {
    Stopped,
    EndOfStream,
    Failed { reason: String, is_login: bool },
}

impl Stream {
    pub(super) fn new(source: SourceSettings, metrics: &Metrics) -> Self {
        let metrics = metrics.stream(&source.name);
        Self {
            source,
            metrics,
            began: Instant::now(),
            status: Mutex::new(StreamStatus {
                connection: ConnectionState::Opening,
                outage: Some(Outage::new()),
                faces: Vec::new(),
                size: (0, 0),
                latency: Duration::ZERO,
                history: EmotionHistory::default(),
                analysed: None,
                last_frame: None,
            }),
            has_failed: AtomicBool::new(false),
            was_tried: AtomicBool::new(false),
            picture: watch::Sender::new(Bytes::new()),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.source.name
    }

    pub(super) fn source(&self) -> &SourceSettings {
        &self.source
    }

    /// Whether it failed and will not be opened again.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Whether it has given a frame, failed or ended at least once.
    pub(super) fn was_tried(&self) -> bool {
        self.was_tried.load(Ordering::Relaxed)
    }

    /// Its current status.
    pub(super) fn status(&self) -> MutexGuard<'_, StreamStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The running time at `time`, counted from the first start, across reconnects.
    pub(super) fn running_time(&self, time: Instant) -> gst::ClockTime {
        let since = time.saturating_duration_since(self.began);
        gst::ClockTime::try_from(since).unwrap_or(gst::ClockTime::ZERO)
    }

    /// The current second of its [`EmotionHistory`].
    pub(super) fn second(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// Records the results of an analysed frame.
    pub(super) fn update(&self, faces: Vec<Face>, size: (u32, u32), latency: Duration) {
        let metrics = &self.metrics;
        metrics.analysed.inc();
        metrics.latency.observe(latency.as_secs_f64());
        let second = self.second();
        let mut status = self.status();
        status.history.add(second, &faces);
        (status.size, status.latency) = (size, latency);
        status.analysed = Some(Instant::now());
        // The last frame of a stream that has failed since then does not show its current faces.
        if status.connection == ConnectionState::Playing {
            let count = i64::try_from(faces.len()).unwrap_or(i64::MAX);
            metrics.faces.set(count);
            status.faces = faces;
        }
    }

    /// Updates the metrics with the recent share of each emotion, and returns the shares.
    pub(super) fn shares(&self) -> BTreeMap<String, f64> {
        let shares = self.status().history.shares(self.second(), RECENT_SECONDS);
        self.metrics.set_shares(&shares);
        shares
    }

    /// Updates the metrics that are derived from the status.
    pub(super) fn update_metrics(&self) {
        self.shares();
        let status = self.status();
        let reason = status
            .outage
            .as_ref()
            .and_then(|outage| outage.reason.as_deref());
        self.metrics.set_reason(reason);
    }

    /// The recent number of analysed frames per second.
    pub(super) fn rate(&self) -> f64 {
        self.status().history.rate(self.second(), RECENT_SECONDS)
    }

    /// Opens the stream again and again until it ends or `stop` is set. Its frames go to `slot` of `queue`.
    pub(super) fn keep_open(
        self: &Arc<Self>,
        reconnect: &ReconnectSettings,
        slot: usize,
        queue: &Arc<FrameQueue<DecodedFrame>>,
        stop: &StopFlag,
    ) {
        let mut back_off = BackOff::new(reconnect.first_pause, reconnect.longest_pause);
        let mut logged = None;
        loop {
            self.set_connection(ConnectionState::Opening);
            let began = Instant::now();
            let end = self.play(reconnect.stall, slot, queue, stop);
            let (reason, is_login) = match end {
                PlayEnd::Stopped => return,
                PlayEnd::EndOfStream => {
                    queue.wait_until_idle(slot);
                    if self.source.at_end == EndAction::Stop {
                        return self.set_connection(ConnectionState::Ended);
                    }
                    ("the stream ended".to_owned(), false)
                }
                PlayEnd::Failed { reason, is_login } => (reason, is_login),
            };
            if self.status().last_frame.is_some() {
                logged = None;
            }
            if self.source.at_end == EndAction::Stop {
                self.has_failed.store(true, Ordering::Relaxed);
                return self.set_connection(ConnectionState::Failed(reason));
            }
            // Cameras lock an account after a few wrong passwords.
            let pause = match is_login {
                true => back_off.longest_pause(),
                false => {
                    back_off::shortened(back_off.pause(began.elapsed()), gst::glib::random_double())
                }
            };
            // The failure of a camera that is off for days is logged once.
            if logged.as_ref() != Some(&reason) {
                let seconds = pause.as_secs_f64();
                warn(self.name(), &format!("{reason}; again in {seconds:.1} s"));
            }
            self.set_connection(ConnectionState::Waiting(reason.clone()));
            if let Some(outage) = &mut self.status().outage {
                outage.set_pause(pause);
            }
            logged = Some(reason);
            if !sleep(pause, stop) {
                return;
            }
            self.metrics.reconnects.inc();
        }
    }

    /// Plays the stream once.
    fn play(
        self: &Arc<Self>,
        stall: Duration,
        slot: usize,
        queue: &Arc<FrameQueue<DecodedFrame>>,
        stop: &StopFlag,
    ) -> PlayEnd {
        let failed = |reason: String, is_login| PlayEnd::Failed {
            reason: self.source.without_secrets(&reason),
            is_login,
        };
        let began = Instant::now();
        self.status().last_frame = None;
        let stream = self.clone();
        let on_skip = move || {
            stream.count_frame();
            stream.metrics.skipped.inc();
        };
        let (stream, queue) = (self.clone(), queue.clone());
        let limiter = Mutex::new(self.source.period.map(RateLimiter::new));
        let on_frame = move |frame: DecodedFrame| {
            stream.count_frame();
            let mut limiter = limiter.lock().unwrap_or_else(PoisonError::into_inner);
            let is_selected = limiter
                .as_mut()
                .is_none_or(|limiter| limiter.selects(frame.captured));
            if is_selected && queue.push(slot, frame).is_some() {
                stream.metrics.skipped.inc();
            }
        };
        let pipeline = match SourcePipeline::open(&self.source, on_frame, on_skip) {
            Ok(pipeline) => pipeline,
            Err(error) => return failed(format!("{error:#}"), false),
        };
        loop {
            if stop.is_set() {
                return PlayEnd::Stopped;
            }
            match pipeline.next_event(TICK) {
                Some(SourceEvent::Ended) => return PlayEnd::EndOfStream,
                Some(SourceEvent::Failed { reason, is_login }) => {
                    let hint = match is_login {
                        true => " (check username and password)",
                        false => "",
                    };
                    return failed(format!("{reason}{hint}"), is_login);
                }
                None => {}
            }
            // A file reports its end itself, unless it contains no video.
            let last_frame = self.status().last_frame;
            let can_stall = pipeline.is_live || last_frame.is_none();
            if can_stall && last_frame.unwrap_or(began).elapsed() > stall {
                return failed(format!("no frame for {} s", stall.as_secs_f64()), false);
            }
        }
    }

    /// Counts a frame that arrived, decoded or not.
    fn count_frame(&self) {
        self.metrics.frames.inc();
        self.metrics.last_frame.set(seconds_since_1970());
        let mut status = self.status();
        status.last_frame = Some(Instant::now());
        let is_first = status.connection != ConnectionState::Playing;
        drop(status);
        if is_first {
            self.metrics.connected.set(1);
            self.set_connection(ConnectionState::Playing);
        }
    }

    /// Changes the state of the connection and logs it.
    fn set_connection(&self, connection: ConnectionState) {
        match &connection {
            ConnectionState::Opening | ConnectionState::Waiting(_) => {}
            ConnectionState::Playing => log(self.name(), "playing"),
            ConnectionState::Ended => log(self.name(), "ended"),
            ConnectionState::Failed(reason) => warn(self.name(), &format!("failed: {reason}")),
        }
        if connection != ConnectionState::Opening {
            self.was_tried.store(true, Ordering::Relaxed);
        }
        let mut status = self.status();
        if connection != ConnectionState::Playing {
            status.faces.clear();
            self.metrics.faces.set(0);
            self.metrics.connected.set(0);
        }
        let outage = status.outage.take();
        status.outage = match &connection {
            ConnectionState::Playing => None,
            ConnectionState::Opening | ConnectionState::Ended => {
                Some(Outage::continued(outage, None))
            }
            ConnectionState::Waiting(reason) | ConnectionState::Failed(reason) => {
                Some(Outage::continued(outage, Some(reason)))
            }
        };
        status.connection = connection;
    }
}

fn seconds_since_1970() -> f64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    since.unwrap_or_default().as_secs_f64()
}

/// Waits for `pause`; false if `stop` was set before its end.
fn sleep(pause: Duration, stop: &StopFlag) -> bool {
    let end = Instant::now() + pause;
    while !stop.is_set() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(TICK));
    }
    false
}
