//! Counters and gauges of zones and lines for Prometheus.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use emotion_analysis::zones::{CrossingDirection, ZoneEventKind, ZoneLayout};
use gstemotion::zones::FrameZones;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the dwell histogram in seconds: from passers-by to people who wait.
const DWELL_TIMES: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
];

/// The metrics of the zones and lines of all streams.
#[derive(Debug, Clone)]
pub(crate) struct ZoneFamilies {
    people: Family<ZoneLabels, Gauge>,
    entered: Family<ZoneLabels, Counter>,
    left: Family<ZoneLabels, Counter>,
    exceeded: Family<ZoneLabels, Gauge>,
    emotions: Family<ZoneEmotionLabels, Gauge<f64, AtomicU64>>,
    dwell: Family<ZoneLabels, Histogram, fn() -> Histogram>,
    crossings: Family<LineLabels, Counter>,
}

/// The metrics of the zones and lines of one stream.
#[derive(Debug, Clone)]
pub(crate) struct ZoneMetrics {
    families: ZoneFamilies,
    source: String,
    /// Zones and emotions that had a share before.
    known: Arc<Mutex<BTreeSet<(String, String)>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ZoneLabels {
    source: String,
    zone: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ZoneEmotionLabels {
    source: String,
    zone: String,
    emotion: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LineLabels {
    source: String,
    line: String,
    direction: &'static str,
}

impl ZoneFamilies {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let dwell =
            Family::<ZoneLabels, Histogram, fn() -> Histogram>::new_with_constructor(|| {
                Histogram::new(DWELL_TIMES)
            });
        let families = Self {
            people: Family::default(),
            entered: Family::default(),
            left: Family::default(),
            exceeded: Family::default(),
            emotions: Family::default(),
            dwell,
            crossings: Family::default(),
        };
        let Self {
            people,
            entered,
            left,
            exceeded,
            emotions,
            dwell,
            crossings,
        } = families.clone();
        registry.register("zone_people", "People in a zone", people);
        registry.register("zone_entered", "People who entered a zone", entered);
        registry.register("zone_left", "People who left a zone", left);
        let about = "Whether there are more people in a zone than its limit";
        registry.register("zone_limit_exceeded", about, exceeded);
        let about = "Share of an emotion among the people in a zone over the last ten seconds";
        registry.register("zone_emotion_ratio", about, emotions);
        let about = "How long people stayed in a zone";
        registry.register_with_unit("zone_dwell", about, Unit::Seconds, dwell);
        let about =
            "Crossings of a line, in to the right of who looks from its first to its second point";
        registry.register("line_crossings", about, crossings);
        families
    }

    /// The metrics of the stream with this name.
    pub(crate) fn stream(&self, source: &str) -> ZoneMetrics {
        ZoneMetrics {
            families: self.clone(),
            source: source.to_owned(),
            known: Arc::default(),
        }
    }
}

impl ZoneMetrics {
    /// Shows all zones and lines before anything happens: a counter that appears with 1 has not increased.
    pub(super) fn announce(&self, layout: &ZoneLayout) {
        for zone in layout.zones() {
            let labels = self.zone(zone.name());
            self.families.people.get_or_create_owned(&labels);
            self.families.entered.get_or_create_owned(&labels);
            self.families.left.get_or_create_owned(&labels);
            self.families.dwell.get_or_create_owned(&labels);
            if zone.limit().is_some() {
                self.families.exceeded.get_or_create_owned(&labels);
            }
        }
        for line in layout.lines() {
            for direction in [CrossingDirection::In, CrossingDirection::Out] {
                let labels = self.line(line.name(), direction);
                self.families.crossings.get_or_create_owned(&labels);
            }
        }
    }

    /// Takes the counts after a frame and what happened on it.
    pub(super) fn update(&self, zones: &FrameZones) {
        for event in &zones.events {
            match &event.kind {
                ZoneEventKind::Entered { zone, .. } => {
                    let entered = &self.families.entered;
                    entered.get_or_create(&self.zone(zone)).inc();
                }
                ZoneEventKind::Left { zone, dwell, .. } => {
                    let labels = self.zone(zone);
                    self.families.left.get_or_create(&labels).inc();
                    let histogram = self.families.dwell.get_or_create(&labels);
                    histogram.observe(dwell.as_secs_f64());
                }
                ZoneEventKind::Crossed {
                    line, direction, ..
                } => {
                    let labels = self.line(line, *direction);
                    self.families.crossings.get_or_create(&labels).inc();
                }
                ZoneEventKind::LimitExceeded { .. } | ZoneEventKind::LimitKept { .. } => {}
            }
        }
        for zone in &zones.zones {
            let people = i64::try_from(zone.people.len()).unwrap_or(i64::MAX);
            self.set(&zone.name, people, zone.limit.map(|_| zone.is_exceeded));
            self.set_emotions(&zone.name, &zone.emotions);
        }
    }

    /// Nobody is in the zones any more.
    pub(super) fn clear(&self, last: &FrameZones) {
        for zone in &last.zones {
            self.set(&zone.name, 0, zone.limit.map(|_| false));
            self.set_emotions(&zone.name, &[]);
        }
    }

    fn set(&self, zone: &str, people: i64, exceeded: Option<bool>) {
        let labels = self.zone(zone);
        self.families.people.get_or_create(&labels).set(people);
        if let Some(exceeded) = exceeded {
            let gauge = self.families.exceeded.get_or_create(&labels);
            gauge.set(i64::from(exceeded));
        }
    }

    /// Sets the share of each emotion, and 0 for one that had a share before.
    fn set_emotions(&self, zone: &str, emotions: &[(String, f64)]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(
            emotions
                .iter()
                .map(|(name, _)| (zone.to_owned(), name.clone())),
        );
        for (_, emotion) in known.iter().filter(|(of, _)| of == zone) {
            let share = emotions.iter().find(|(name, _)| name == emotion);
            let labels = ZoneEmotionLabels {
                source: self.source.clone(),
                zone: zone.to_owned(),
                emotion: emotion.clone(),
            };
            let gauge = self.families.emotions.get_or_create(&labels);
            gauge.set(share.map_or(0.0, |(_, share)| *share));
        }
    }

    fn zone(&self, zone: &str) -> ZoneLabels {
        ZoneLabels {
            source: self.source.clone(),
            zone: zone.to_owned(),
        }
    }

    fn line(&self, line: &str, direction: CrossingDirection) -> LineLabels {
        LineLabels {
            source: self.source.clone(),
            line: line.to_owned(),
            direction: direction.name(),
        }
    }
}
