//! Counters and gauges for Prometheus.

mod broker;
mod process;
mod text_format;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use super::picture_check::PictureProblem;
use gstemotion::broker::CountsReader;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use self::broker::BrokerMetrics;
use self::process::ProcessMetrics;
pub(super) use self::text_format::TextFormat;
use super::zones::{ZoneFamilies, ZoneMetrics};

/// What the names of the program's own metrics begin with.
const PREFIX: &str = "emotion_crowd";
/// Upper bounds of the latency histogram in seconds.
const LATENCIES: [f64; 10] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0];

type Ratio = Gauge<f64, AtomicU64>;
type Seconds = Gauge<f64, AtomicU64>;

/// All metrics of the process.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Mutex<Registry>,
    faces: Family<SourceLabels, Gauge>,
    shares: Family<EmotionLabels, Ratio>,
    connected: Family<SourceLabels, Gauge>,
    reasons: Family<ReasonLabels, Gauge>,
    last_frame: Family<SourceLabels, Seconds>,
    frames: Family<SourceLabels, Counter>,
    analysed: Family<SourceLabels, Counter>,
    skipped: Family<SourceLabels, Counter>,
    reconnects: Family<SourceLabels, Counter>,
    picture: Family<PictureLabels, Gauge>,
    picture_problems: Family<PictureLabels, Counter>,
    latency: Family<SourceLabels, Histogram, fn() -> Histogram>,
    zones: ZoneFamilies,
    records: Counter,
    dropped: Counter,
}

/// The metrics of one stream.
#[derive(Debug, Clone)]
pub(super) struct StreamMetrics {
    source: SourceLabels,
    shares: Family<EmotionLabels, Ratio>,
    picture: Family<PictureLabels, Gauge>,
    picture_problems: Family<PictureLabels, Counter>,
    /// Emotions that had a share before.
    known: Arc<Mutex<BTreeSet<String>>>,
    reasons: Family<ReasonLabels, Gauge>,
    /// The reason that has a series.
    reason: Arc<Mutex<Option<ReasonLabels>>>,
    /// When the last frame arrived, in seconds since 1970.
    pub(super) last_frame: Seconds,
    /// Faces in the last analysed frame.
    pub(super) faces: Gauge,
    /// 1 while frames arrive, otherwise 0.
    pub(super) connected: Gauge,
    /// Frames that arrived.
    pub(super) frames: Counter,
    /// Frames that were analysed.
    pub(super) analysed: Counter,
    /// Frames that were skipped for newer ones.
    pub(super) skipped: Counter,
    /// How often the stream was opened again.
    pub(super) reconnects: Counter,
    /// The time from a frame's arrival to its results.
    pub(super) latency: Histogram,
    /// People in zones and at lines.
    pub(super) zones: ZoneMetrics,
}

/// The metrics of the file of records.
#[derive(Debug, Clone)]
pub(super) struct FileMetrics {
    /// Records that were written.
    pub(super) records: Counter,
    /// Records that could not be written, or not fast enough.
    pub(super) dropped: Counter,
}

/// The metrics of the events for a web server.
#[derive(Debug, Clone)]
pub(super) struct WebhookMetrics {
    /// Events that the server took.
    pub(super) sent: Counter,
    /// Events that the server did not take, or not fast enough.
    pub(super) dropped: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PictureLabels {
    source: String,
    problem: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EmotionLabels {
    source: String,
    emotion: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    source: String,
    reason: String,
}

impl Default for Metrics {
    fn default() -> Self {
        fn added<M: Metric + Clone>(to: &mut Registry, name: &str, help: &str, metric: M) -> M {
            to.register(name, help, metric.clone());
            metric
        }
        let mut registry = Registry::default();
        registry.register_collector(Box::new(ProcessMetrics));
        let r = registry.sub_registry_with_prefix(PREFIX);
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        r.register("build", "The version of the program", build);
        let last_frame = Family::<SourceLabels, Seconds>::default();
        let about = "When the last frame arrived, in seconds since 1970; 0 before the first";
        r.register_with_unit(
            "last_frame_timestamp",
            about,
            Unit::Seconds,
            last_frame.clone(),
        );
        let latency =
            Family::<SourceLabels, Histogram, fn() -> Histogram>::new_with_constructor(|| {
                Histogram::new(LATENCIES)
            });
        let about = "Time from a frame's arrival to its results";
        r.register_with_unit("latency", about, Unit::Seconds, latency.clone());
        let shares = "Share of an emotion among the faces of the last ten seconds";
        let skipped =
            "Frames that were not analysed, or not even decoded, because newer ones had arrived";
        let dropped = "Records that could not be written to the file, or not fast enough";
        let reasons = "Why a source gives no frames; missing while it does";
        Self {
            latency,
            last_frame,
            reasons: added(r, "down_reason", reasons, <_>::default()),
            faces: added(
                r,
                "faces",
                "Faces in the last analysed frame",
                <_>::default(),
            ),
            shares: added(r, "emotion_ratio", shares, <_>::default()),
            connected: added(r, "connected", "Whether frames arrive", <_>::default()),
            frames: added(r, "frames", "Frames that arrived", <_>::default()),
            analysed: added(r, "analysed_frames", "Analysed frames", <_>::default()),
            skipped: added(r, "skipped_frames", skipped, <_>::default()),
            reconnects: added(
                r,
                "reconnects",
                "How often the stream was opened again",
                <_>::default(),
            ),
            picture: added(
                r,
                "picture_problem",
                "Whether the pictures show nothing: frozen, black or covered",
                <_>::default(),
            ),
            picture_problems: added(
                r,
                "picture_problems",
                "How often the pictures began to show nothing",
                <_>::default(),
            ),
            records: added(r, "file_records", "Records in the file", <_>::default()),
            dropped: added(r, "file_dropped_records", dropped, <_>::default()),
            zones: ZoneFamilies::register(r),
            registry: Mutex::new(registry),
        }
    }
}

impl Metrics {
    /// The metrics of the stream with this name.
    pub(super) fn stream(&self, name: &str) -> StreamMetrics {
        let source = SourceLabels {
            source: name.to_owned(),
        };
        StreamMetrics {
            shares: self.shares.clone(),
            picture: self.picture.clone(),
            picture_problems: self.picture_problems.clone(),
            known: Arc::default(),
            reasons: self.reasons.clone(),
            reason: Arc::default(),
            last_frame: self.last_frame.get_or_create_owned(&source),
            faces: self.faces.get_or_create_owned(&source),
            connected: self.connected.get_or_create_owned(&source),
            frames: self.frames.get_or_create_owned(&source),
            analysed: self.analysed.get_or_create_owned(&source),
            skipped: self.skipped.get_or_create_owned(&source),
            reconnects: self.reconnects.get_or_create_owned(&source),
            latency: self.latency.get_or_create_owned(&source),
            zones: self.zones.stream(name),
            source,
        }
    }

    /// Forgets the stream with this name.
    pub(super) fn remove_stream(&self, stream: &StreamMetrics) {
        let source = &stream.source;
        self.faces.remove(source);
        self.connected.remove(source);
        self.frames.remove(source);
        self.analysed.remove(source);
        self.skipped.remove(source);
        self.reconnects.remove(source);
        self.latency.remove(source);
        self.last_frame.remove(source);
        stream.set_reason(None);
        for problem in PictureProblem::ALL {
            let labels = stream.picture_labels(problem);
            self.picture.remove(&labels);
            self.picture_problems.remove(&labels);
        }
        let known = stream.known.lock().unwrap_or_else(PoisonError::into_inner);
        for emotion in &*known {
            self.shares.remove(&EmotionLabels {
                source: source.source.clone(),
                emotion: emotion.clone(),
            });
        }
    }

    /// The metrics of the events for a web server, which are shown from now on.
    pub(super) fn webhook(&self) -> WebhookMetrics {
        let metrics = WebhookMetrics {
            sent: Counter::default(),
            dropped: Counter::default(),
        };
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let registry = registry.sub_registry_with_prefix(PREFIX);
        let about = "Events that the web server took";
        registry.register("webhook_sent", about, metrics.sent.clone());
        let about = "Events that the web server did not take, or not fast enough";
        registry.register("webhook_dropped", about, metrics.dropped.clone());
        metrics
    }

    /// The metrics of the file of records.
    pub(super) fn file(&self) -> FileMetrics {
        FileMetrics {
            records: self.records.clone(),
            dropped: self.dropped.clone(),
        }
    }

    /// Adds the metrics of a broker of this `kind`, `mqtt` or `kafka`.
    pub(super) fn add_broker(&self, kind: &'static str, counts: CountsReader) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let registry = registry.sub_registry_with_prefix(PREFIX);
        registry.register_collector(Box::new(BrokerMetrics { kind, counts }));
    }

    /// All metrics in `format`.
    pub(super) fn text(&self, format: TextFormat) -> Result<String, fmt::Error> {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        text::encode(&mut out, &registry)?;
        Ok(match format {
            TextFormat::OpenMetrics => out,
            TextFormat::Prometheus => text_format::as_prometheus(&out),
        })
    }
}

impl StreamMetrics {
    fn picture_labels(&self, problem: PictureProblem) -> PictureLabels {
        PictureLabels {
            source: self.source.source.clone(),
            problem: problem.name(),
        }
    }

    /// Sets what is wrong with the pictures.
    pub(super) fn set_picture(&self, current: Option<PictureProblem>) {
        for problem in PictureProblem::ALL {
            let labels = self.picture_labels(problem);
            let is_it = current == Some(problem);
            self.picture.get_or_create(&labels).set(is_it.into());
            if is_it {
                self.picture_problems.get_or_create(&labels).inc();
            }
        }
    }

    /// Sets why no frames arrive; `None` while they do, or if the reason is not known.
    pub(super) fn set_reason(&self, reason: Option<&str>) {
        let now = reason.map(|reason| ReasonLabels {
            source: self.source.source.clone(),
            reason: reason.to_owned(),
        });
        let mut before = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == now {
            return;
        }
        if let Some(before) = &*before {
            self.reasons.remove(before);
        }
        if let Some(now) = &now {
            self.reasons.get_or_create(now).set(1);
        }
        *before = now;
    }

    /// Sets the share of each emotion, and 0 for an emotion without a share.
    pub(super) fn set_shares(&self, shares: &BTreeMap<String, f64>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(shares.keys().cloned());
        for emotion in &*known {
            let shown = EmotionLabels {
                source: self.source.source.clone(),
                emotion: emotion.clone(),
            };
            let share = shares.get(emotion).copied().unwrap_or(0.0);
            self.shares.get_or_create(&shown).set(share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emotion_that_is_no_longer_seen_has_no_share() {
        let metrics = Metrics::default();
        let stream = metrics.stream("hall");
        let share = |emotion: &str, share| BTreeMap::from([(emotion.to_owned(), share)]);
        stream.set_shares(&share("happy", 1.0));
        stream.set_shares(&share("sad", 1.0));
        let text = metrics.text(TextFormat::OpenMetrics).expect("text");
        for line in [
            "emotion_crowd_emotion_ratio{source=\"hall\",emotion=\"happy\"} 0.0",
            "emotion_crowd_emotion_ratio{source=\"hall\",emotion=\"sad\"} 1.0",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn only_the_reason_of_now_has_a_series() {
        let metrics = Metrics::default();
        let stream = metrics.stream("hall");
        let reasons = || -> Vec<String> {
            let text = metrics.text(TextFormat::Prometheus).expect("text");
            let lines = text.lines();
            let reasons = lines.filter(|line| line.starts_with("emotion_crowd_down_reason{"));
            reasons.map(str::to_owned).collect()
        };
        let line = |reason: &str| {
            format!("emotion_crowd_down_reason{{source=\"hall\",reason=\"{reason}\"}} 1")
        };
        assert!(reasons().is_empty());
        stream.set_reason(Some("refused"));
        assert_eq!(reasons(), [line("refused")]);
        stream.set_reason(Some("no route"));
        assert_eq!(reasons(), [line("no route")]);
        stream.set_reason(None);
        assert!(reasons().is_empty());
    }
}
