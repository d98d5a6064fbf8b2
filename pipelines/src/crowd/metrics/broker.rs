//! The counts of the connection to a broker.

use std::fmt;

use gstemotion::broker::CountsReader;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// The counts of a publisher.
#[derive(Debug)]
pub(super) struct BrokerMetrics {
    /// What the names of its metrics begin with: `mqtt` or `kafka`.
    pub(super) kind: &'static str,
    pub(super) counts: CountsReader,
}

impl Collector for BrokerMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let kind = self.kind;
        let counts = self.counts.counts();
        let counters = [
            (
                "sent",
                "Records that the broker has acknowledged",
                counts.sent,
            ),
            (
                "dropped",
                "Records that were dropped for newer ones, or that the broker refused",
                counts.dropped,
            ),
            (
                "reconnects",
                "Connections after the first",
                counts.reconnects,
            ),
        ];
        for (name, help, count) in counters {
            let name = format!("{kind}_{name}");
            let counter = ConstCounter::new(count);
            let metric = encoder.encode_descriptor(&name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let gauges = [
            ("queued", "Records that wait for the broker", counts.queued),
            (
                "connected",
                "Whether the broker is connected",
                u64::from(counts.connected),
            ),
        ];
        for (name, help, value) in gauges {
            let name = format!("{kind}_{name}");
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(&name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}
