//! How long people stay in a zone.

use std::time::Duration;

use super::results::DwellSummary;

/// The stays that have ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DwellTimes {
    count: u64,
    sum: Duration,
    longest: Duration,
}

impl DwellTimes {
    pub(super) fn add(&mut self, dwell: Duration) {
        self.count += 1;
        self.sum = self.sum.saturating_add(dwell);
        self.longest = self.longest.max(dwell);
    }

    pub(super) fn summary(&self) -> DwellSummary {
        let mean = self.sum.as_secs_f64() / self.count.max(1) as f64;
        DwellSummary {
            count: self.count,
            mean: Duration::from_secs_f64(mean),
            longest: self.longest,
        }
    }
}
