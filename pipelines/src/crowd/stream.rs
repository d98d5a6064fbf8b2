//! A stream: its status, and the thread that keeps it open.

mod results;
mod status;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use gstemotion::back_off::{self, BackOff};
use tokio::sync::watch;

pub(super) use self::status::{ConnectionState, StreamStatus};
use super::config::{EndAction, ReconnectSettings, RtspTransport, SourceSettings};
use super::failure::{self, FailureCause, SourceFailure};
use super::log::{log, warn};
use super::metrics::{Metrics, StreamMetrics};
use super::outage::Outage;
use super::outputs::RecordOutputs;
use super::picture_check::PictureProblem;
use super::rate_limiter::RateLimiter;
use super::source_pipeline::{DecodedFrame, SourceEvent, SourcePipeline};
use super::zones::ZoneStatus;
use crate::runner::StopFlag;

/// How often a waiting thread checks the [`StopFlag`].
const TICK: Duration = Duration::from_millis(100);
/// The shortest time from the beginning of a stream that ends to its next beginning.
const LOOP_PERIOD: Duration = Duration::from_secs(1);

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    source: SourceSettings,
    pub(super) metrics: StreamMetrics,
    /// The people in its zones and at its lines.
    pub(super) zones: ZoneStatus,
    began: Instant,
    status: Mutex<StreamStatus>,
    has_failed: AtomicBool,
    /// Whether it came to its end and was opened again at once.
    is_in_rounds: AtomicBool,
    /// Ends this stream alone.
    stop: StopFlag,
    outputs: Arc<RecordOutputs>,
    was_tried: AtomicBool,
    /// The last picture for the page, encoded only while somebody watches.
    pub(super) picture: watch::Sender<Bytes>,
}

/// Where the frames of a stream go.
pub(super) trait FrameSink: Send + Sync {
    /// Takes a frame without blocking. Whether one frame, an earlier one or this, is skipped for it.
    fn push(&self, frame: DecodedFrame) -> bool;

    /// Waits until all frames are processed.
    fn wait_until_idle(&self);
}

/// How an opened stream ended.
enum PlayEnd {
    Stopped,
    EndOfStream,
    Failed(SourceFailure),
}

impl Stream {
    pub(super) fn new(
        source: SourceSettings,
        metrics: &Metrics,
        outputs: Arc<RecordOutputs>,
    ) -> Self {
        let metrics = metrics.stream(&source.name);
        Self {
            zones: ZoneStatus::new(metrics.zones.clone(), &source.zones),
            source,
            metrics,
            began: Instant::now(),
            status: Mutex::new(StreamStatus {
                outage: Some(Outage::new()),
                ..StreamStatus::default()
            }),
            has_failed: AtomicBool::new(false),
            is_in_rounds: AtomicBool::new(false),
            stop: StopFlag::default(),
            outputs,
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

    /// Ends it soon.
    pub(super) fn stop(&self) {
        self.stop.set();
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

    /// Opens the stream again and again until it ends or is stopped. Its frames go to `frames`.
    pub(super) fn keep_open(
        self: &Arc<Self>,
        reconnect: &Mutex<ReconnectSettings>,
        frames: &Arc<dyn FrameSink>,
    ) {
        let current = || *reconnect.lock().unwrap_or_else(PoisonError::into_inner);
        let mut settings = current();
        let mut back_off = BackOff::new(settings.first_pause, settings.longest_pause);
        let mut logged = None;
        let mut transport = self.source.transport;
        let mut has_switched = false;
        loop {
            if std::mem::replace(&mut settings, current()) != settings {
                back_off = BackOff::new(settings.first_pause, settings.longest_pause);
            }
            self.set_connection(ConnectionState::Opening);
            let began = Instant::now();
            let end = self.play(transport, settings.stall, frames);
            let failure = match end {
                PlayEnd::Stopped => return,
                PlayEnd::EndOfStream => {
                    frames.wait_until_idle();
                    if self.source.at_end == EndAction::Stop {
                        return self.set_connection(ConnectionState::Ended);
                    }
                    None
                }
                PlayEnd::Failed(failure) => Some(failure),
            };
            let has_played = self.status().last_frame.is_some();
            let reason = failure
                .as_ref()
                .map_or("the stream ended", |failure| &failure.reason);
            let reason = reason.to_owned();
            // The end of each round of a short file is no news.
            if has_played && failure.is_some() {
                logged = None;
            }
            if self.source.at_end == EndAction::Stop {
                self.has_failed.store(true, Ordering::Relaxed);
                return self.set_connection(ConnectionState::Failed(reason));
            }
            has_switched &= !has_played;
            let cause = failure.as_ref().map(|failure| failure.cause);
            let may_be_transport =
                matches!(cause, Some(FailureCause::Transport | FailureCause::Silence));
            if self.source.transport == RtspTransport::Auto && may_be_transport && !has_played {
                transport = match transport {
                    RtspTransport::Udp => RtspTransport::Tcp,
                    RtspTransport::Auto | RtspTransport::Tcp => RtspTransport::Udp,
                };
                if !std::mem::replace(&mut has_switched, true) {
                    continue;
                }
            }
            let played = began.elapsed();
            // What plays to its end has not failed.
            let is_round = cause.is_none() && has_played;
            let pause = match cause {
                None if is_round => {
                    back_off.reset();
                    LOOP_PERIOD.saturating_sub(played)
                }
                // Cameras lock an account after a few wrong passwords.
                Some(FailureCause::Login) => back_off.longest_pause(),
                _ => back_off::shortened(back_off.pause(played), gst::glib::random_double()),
            };
            // The failure of a camera that is off for days is logged once.
            if logged.as_ref() != Some(&reason) {
                match is_round {
                    true => log(self.name(), &format!("{reason} and begins again")),
                    false => {
                        let seconds = pause.as_secs_f64();
                        warn(self.name(), &format!("{reason}; again in {seconds:.1} s"));
                    }
                }
            }
            self.is_in_rounds.store(is_round, Ordering::Relaxed);
            if !is_round {
                self.set_connection(ConnectionState::Waiting(reason.clone()));
                if let Some(outage) = &mut self.status().outage {
                    outage.set_pause(pause);
                }
            }
            logged = Some(reason);
            if !sleep(pause, &self.stop) {
                return;
            }
            self.metrics.reconnects.inc();
        }
    }

    /// Plays the stream once.
    fn play(
        self: &Arc<Self>,
        transport: RtspTransport,
        stall: Duration,
        frames: &Arc<dyn FrameSink>,
    ) -> PlayEnd {
        let failed = |failure: SourceFailure| {
            let reason = self.source.without_secrets(&failure.reason);
            PlayEnd::Failed(SourceFailure { reason, ..failure })
        };
        let began = Instant::now();
        let mut requested = began;
        let stall = stall.max(3 * self.source.snapshot_period.unwrap_or_default());
        self.status().last_frame = None;
        let stream = self.clone();
        let on_skip = move || {
            stream.count_frame();
            stream.metrics.skipped.inc();
        };
        let (stream, frames) = (self.clone(), frames.clone());
        let limiter = Mutex::new(self.source.period.map(RateLimiter::new));
        let on_frame = move |frame: DecodedFrame| {
            stream.count_frame();
            let mut limiter = limiter.lock().unwrap_or_else(PoisonError::into_inner);
            let is_selected = limiter
                .as_mut()
                .is_none_or(|limiter| limiter.selects(frame.captured));
            if is_selected && frames.push(frame) {
                stream.metrics.skipped.inc();
            }
        };
        let mut pipeline = match SourcePipeline::open(&self.source, transport, on_frame, on_skip) {
            Ok(pipeline) => pipeline,
            Err(error) => return failed(SourceFailure::other(format!("{error:#}"))),
        };
        loop {
            if self.stop.is_set() {
                return PlayEnd::Stopped;
            }
            match pipeline.next_event(TICK) {
                Some(SourceEvent::Ended) => match self.source.snapshot_period {
                    Some(period) => {
                        requested += period;
                        let left = requested.saturating_duration_since(Instant::now());
                        if !sleep(left, &self.stop) {
                            return PlayEnd::Stopped;
                        }
                        // A server that is slower than the period is not asked twice at once.
                        requested = requested.max(Instant::now());
                        pipeline.restart();
                    }
                    None => return PlayEnd::EndOfStream,
                },
                Some(SourceEvent::Failed(failure)) => {
                    drop(pipeline);
                    return failed(self.explained(failure));
                }
                None => {}
            }
            // A file reports its end itself, unless it contains no video.
            let last_frame = self.status().last_frame;
            let can_stall = pipeline.is_live() || last_frame.is_none();
            if can_stall && last_frame.unwrap_or(began).elapsed() > stall {
                let reason = format!("no frame for {} s", stall.as_secs_f64());
                let cause = FailureCause::Silence;
                return failed(SourceFailure { reason, cause });
            }
        }
    }

    /// The failure with its cause in the network, if that is where it lies.
    fn explained(&self, failure: SourceFailure) -> SourceFailure {
        let endpoint = match failure.cause {
            FailureCause::Connection => self.source.endpoint(),
            _ => None,
        };
        let reason = endpoint.and_then(|endpoint| failure::unreachable(&endpoint, &self.stop));
        match reason {
            Some(reason) => SourceFailure { reason, ..failure },
            None => failure,
        }
    }

    /// Notes what is wrong with its pictures, and reports a change.
    pub(super) fn set_picture(&self, problem: Option<PictureProblem>) {
        let mut status = self.status();
        if std::mem::replace(&mut status.picture, problem) == problem {
            return;
        }
        let report = status.report();
        drop(status);
        self.metrics.set_picture(problem);
        let said = problem.map_or("good again", PictureProblem::name);
        log(self.name(), &format!("the picture is {said}"));
        self.outputs.report(self.name(), &report);
        let event = problem.map_or("picture-good", PictureProblem::event);
        self.outputs.notify(event, self.name(), None);
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
        let said = match &connection {
            ConnectionState::Opening | ConnectionState::Waiting(_) => None,
            ConnectionState::Playing if self.is_in_rounds.load(Ordering::Relaxed) => None,
            ConnectionState::Playing => Some("playing".to_owned()),
            ConnectionState::Ended => Some("ended".to_owned()),
            ConnectionState::Failed(reason) => Some(format!("failed: {reason}")),
        };
        if connection != ConnectionState::Opening {
            self.was_tried.store(true, Ordering::Relaxed);
        }
        let mut status = self.status();
        if connection != ConnectionState::Playing {
            status.faces.clear();
            if status.picture.take().is_some() {
                self.metrics.set_picture(None);
            }
            self.metrics.faces.set(0);
            self.metrics.connected.set(0);
            self.zones.clear();
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
        let report = status.report();
        drop(status);
        if let Some(said) = said {
            log(self.name(), &said);
        }
        self.outputs.report(self.name(), &report);
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
