//! A stream: what is known of it, and the thread that keeps it open.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use gstemotion::face::Face;
use tokio::sync::watch;

use super::back_off::BackOff;
use super::config::{AtEnd, ReconnectSettings, SourceSettings};
use super::frame_queue::FrameQueue;
use super::history::EmotionHistory;
use super::metrics::{Metrics, StreamMetrics};
use super::source_pipeline::{Frame, SourceEvent, SourcePipeline};
use crate::runner::StopFlag;

/// How often a thread looks up from its waiting.
const TICK: Duration = Duration::from_millis(100);
/// Seconds that shares of emotions and rates are taken over.
const RECENT_SECONDS: u64 = 10;

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    source: SourceSettings,
    pub(super) metrics: StreamMetrics,
    began: Instant,
    status: Mutex<StreamStatus>,
    has_failed: AtomicBool,
    /// The picture for the page; encoded while somebody looks.
    pub(super) picture: watch::Sender<Bytes>,
}

/// What happens to a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConnectionState {
    /// It is being opened.
    Opening,
    /// Frames come.
    Playing,
    /// It dropped, for this reason, and will be opened again.
    Waiting(String),
    /// It came to its end.
    Ended,
    /// It will not be opened again, for this reason.
    Failed(String),
}

/// What is known of a stream at a moment.
#[derive(Debug)]
pub(super) struct StreamStatus {
    pub(super) connection: ConnectionState,
    pub(super) faces: Vec<Face>,
    /// Width and height of the picture in pixels.
    pub(super) size: (u32, u32),
    pub(super) latency: Duration,
    pub(super) history: EmotionHistory,
    last_frame: Option<Instant>,
}

/// How an opened stream ended.
enum PlayEnd {
    Stopped,
    Ended,
    Dropped { reason: String, is_login: bool },
}

/// Says on standard error what happens to `who`.
pub(super) fn tell(who: &str, what: &str) {
    eprintln!("{who}: {what}");
}

impl Stream {
    pub(super) fn new(source: SourceSettings, metrics: &Metrics) -> Self {
        let metrics = metrics.stream(source.name.as_str());
        Self {
            source,
            metrics,
            began: Instant::now(),
            status: Mutex::new(StreamStatus {
                connection: ConnectionState::Opening,
                faces: Vec::new(),
                size: (0, 0),
                latency: Duration::ZERO,
                history: EmotionHistory::default(),
                last_frame: None,
            }),
            has_failed: AtomicBool::new(false),
            picture: watch::Sender::new(Bytes::new()),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.source.name.as_str()
    }

    pub(super) fn source(&self) -> &SourceSettings {
        &self.source
    }

    /// Whether it came to a bad end.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// What is known of it now.
    pub(super) fn status(&self) -> MutexGuard<'_, StreamStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the beginning, which goes on over reconnects.
    pub(super) fn running_time(&self, at: Instant) -> gst::ClockTime {
        let since = at.saturating_duration_since(self.began);
        gst::ClockTime::try_from(since).unwrap_or(gst::ClockTime::ZERO)
    }

    /// The second of [`EmotionHistory`] that it is now.
    pub(super) fn second(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// Takes note of the faces in an analysed frame.
    pub(super) fn note(&self, faces: Vec<Face>, size: (u32, u32), latency: Duration) {
        let metrics = &self.metrics;
        metrics.analysed.inc();
        metrics.latency.observe(latency.as_secs_f64());
        let second = self.second();
        let mut status = self.status();
        status.history.add(second, &faces);
        (status.size, status.latency) = (size, latency);
        // The last frame of a stream that has dropped meanwhile says nothing of now.
        if status.connection == ConnectionState::Playing {
            metrics
                .faces
                .set(i64::try_from(faces.len()).unwrap_or(i64::MAX));
            status.faces = faces;
        }
    }

    /// Brings the shares of emotions up to date, and returns them.
    pub(super) fn shares(&self) -> std::collections::BTreeMap<String, f64> {
        let shares = self.status().history.shares(self.second(), RECENT_SECONDS);
        self.metrics.set_shares(&shares);
        shares
    }

    /// Frames that are analysed in a second.
    pub(super) fn rate(&self) -> f64 {
        self.status().history.rate(self.second(), RECENT_SECONDS)
    }

    /// Opens the stream again and again until it ends or `stop` is wished; frames go to `seat` of `frame_queue`.
    pub(super) fn watch(
        self: &Arc<Self>,
        reconnect: &ReconnectSettings,
        seat: usize,
        desk: &Arc<FrameQueue<Frame>>,
        stop: &StopFlag,
    ) {
        let mut back_off = BackOff::new(
            reconnect.first_pause_seconds.get(),
            reconnect.longest_pause_seconds.get(),
        );
        let mut told = None;
        loop {
            self.set(ConnectionState::Opening);
            let began = Instant::now();
            let end = self.play(reconnect.stall_seconds.get(), seat, desk, stop);
            let (reason, is_login) = match end {
                PlayEnd::Stopped => return,
                PlayEnd::Ended => {
                    desk.settle(seat);
                    if self.source.at_end == AtEnd::Stop {
                        return self.set(ConnectionState::Ended);
                    }
                    ("the stream ended".to_owned(), false)
                }
                PlayEnd::Dropped { reason, is_login } => (reason, is_login),
            };
            if self.status().last_frame.is_some() {
                told = None;
            }
            if self.source.at_end == AtEnd::Stop {
                self.has_failed.store(true, Ordering::Relaxed);
                return self.set(ConnectionState::Failed(reason));
            }
            let pause = if is_login {
                back_off.longest()
            } else {
                back_off.pause(began.elapsed(), gst::glib::random_double())
            };
            let seconds = pause.as_secs_f64();
            // A camera that is away for days is told once.
            if told.as_ref() != Some(&reason) {
                tell(self.name(), &format!("{reason}; again in {seconds:.1} s"));
            }
            self.set(ConnectionState::Waiting(reason.clone()));
            told = Some(reason);
            if !waits(pause, stop) {
                return;
            }
            self.metrics.reconnects.inc();
        }
    }

    /// Plays it once.
    fn play(
        self: &Arc<Self>,
        stall: Duration,
        seat: usize,
        desk: &Arc<FrameQueue<Frame>>,
        stop: &StopFlag,
    ) -> PlayEnd {
        let dropped = |reason: String, is_login| PlayEnd::Dropped {
            reason: self.source.without_secrets(&reason),
            is_login,
        };
        let began = Instant::now();
        self.status().last_frame = None;
        let (stream, late, to) = (self.clone(), self.clone(), desk.clone());
        let period = self.source.rate.map(|rate| rate.period());
        let next = Mutex::new(None::<Instant>);
        let on_skip = move || {
            late.metrics.frames.inc();
            late.metrics.skipped.inc();
            late.arrived();
        };
        let on_frame = move |frame: Frame| {
            stream.metrics.frames.inc();
            stream.arrived();
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(period) = period
                && !is_due(&mut next, frame.captured, period)
            {
                return;
            }
            if to.leave(seat, frame).is_some() {
                stream.metrics.skipped.inc();
            }
        };
        let intake = match SourcePipeline::open(&self.source, on_frame, on_skip) {
            Ok(intake) => intake,
            Err(error) => return dropped(format!("{error:#}"), false),
        };
        loop {
            if stop.is_set() {
                return PlayEnd::Stopped;
            }
            match intake.news(TICK) {
                Some(SourceEvent::Ended) => return PlayEnd::Ended,
                Some(SourceEvent::Failed { reason, is_login }) => {
                    let hint = if is_login {
                        " (check username and password)"
                    } else {
                        ""
                    };
                    return dropped(format!("{reason}{hint}"), is_login);
                }
                None => {}
            }
            // A file that stops giving frames says so by itself, unless there is no video in it.
            let last = self.status().last_frame;
            let must_come = intake.is_live || last.is_none();
            if must_come && last.unwrap_or(began).elapsed() > stall {
                return dropped(format!("no frame for {} s", stall.as_secs_f64()), false);
            }
        }
    }

    fn arrived(&self) {
        let mut status = self.status();
        status.last_frame = Some(Instant::now());
        let is_first = status.connection != ConnectionState::Playing;
        drop(status);
        if is_first {
            self.metrics.connected.set(1);
            self.set(ConnectionState::Playing);
        }
    }

    /// Takes note of what happens, and tells it.
    fn set(&self, connection: ConnectionState) {
        match &connection {
            ConnectionState::Opening | ConnectionState::Waiting(_) => {}
            ConnectionState::Playing => tell(self.name(), "playing"),
            ConnectionState::Ended => tell(self.name(), "ended"),
            ConnectionState::Failed(reason) => tell(self.name(), &format!("failed: {reason}")),
        }
        let mut status = self.status();
        if connection != ConnectionState::Playing {
            status.faces.clear();
            self.metrics.faces.set(0);
            self.metrics.connected.set(0);
        }
        status.connection = connection;
    }
}

/// Waits for `pause`; false when a stop was wished meanwhile.
fn waits(pause: Duration, stop: &StopFlag) -> bool {
    let until = Instant::now() + pause;
    while !stop.is_set() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(TICK));
    }
    false
}

/// Whether a frame at `time` is one of those that are wanted, one each `period`.
pub(super) fn is_due(next: &mut Option<Instant>, time: Instant, period: Duration) -> bool {
    let due = next.unwrap_or(time);
    if time < due {
        return false;
    }
    // On the grid, so that the rate is met whatever the frame rate; a gap begins a new one.
    let following = due + period;
    *next = Some(if following > time {
        following
    } else {
        time + period
    });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_met_whatever_the_frame_rate() {
        let began = Instant::now();
        for (frames_per_second, wanted) in [(25, 10), (30, 10), (60, 10), (10, 10), (5, 5)] {
            let mut next = None;
            let taken = (0..10 * frames_per_second)
                .map(|frame| began + Duration::from_secs(1) * frame / frames_per_second)
                .filter(|time| is_due(&mut next, *time, Duration::from_millis(100)))
                .count();
            assert!(
                taken.abs_diff(10 * wanted) <= 1,
                "{taken} of {frames_per_second} a second"
            );
        }
    }
}
