//! The results of a stream over time, for the page and for metrics.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gstemotion::face::Face;

use super::{ConnectionState, Stream};

/// The time over which shares of emotions and rates are measured, in seconds.
const RECENT_SECONDS: u64 = 10;

impl Stream {
    /// The current second of its [`EmotionHistory`].
    pub(in crate::crowd) fn second(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// Records the results of an analysed frame.
    pub(in crate::crowd) fn update(&self, faces: Vec<Face>, size: (u32, u32), latency: Duration) {
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
    pub(in crate::crowd) fn shares(&self) -> BTreeMap<String, f64> {
        let shares = self.status().history.shares(self.second(), RECENT_SECONDS);
        self.metrics.set_shares(&shares);
        shares
    }

    /// Updates the metrics that are derived from the status.
    pub(in crate::crowd) fn update_metrics(&self) {
        self.shares();
        let status = self.status();
        let reason = status
            .outage
            .as_ref()
            .and_then(|outage| outage.reason.as_deref());
        self.metrics.set_reason(reason);
    }

    /// The recent number of analysed frames per second.
    pub(in crate::crowd) fn rate(&self) -> f64 {
        self.status().history.rate(self.second(), RECENT_SECONDS)
    }
}
