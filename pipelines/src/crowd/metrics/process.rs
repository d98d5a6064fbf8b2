//! Metrics of the process under the names that Prometheus' clients use, read from `/proc`.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// Reads the values when they are asked for. Where `/proc` does not tell one, it is missing.
#[derive(Debug)]
pub(super) struct ProcessMetrics;

/// Values of `/proc/self/stat`.
#[derive(Debug, PartialEq, Eq)]
struct ProcessStat {
    cpu_ticks: u64,
    threads: u64,
    /// When it started, in ticks after the system did.
    started_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl ProcessStat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, which may contain spaces and parentheses. The number of a
        // field is that of proc(5) less three.
        let fields: Vec<_> = text.rsplit_once(") ")?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(11)? + field(12)?,
            threads: field(17)?,
            started_ticks: field(19)?,
            virtual_bytes: field(20)?,
            resident_pages: field(21)?,
        })
    }
}

/// When the system started, in seconds since 1970.
fn boot_time() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut encode = |name: &str, help: &str, metric: &dyn EncodeValue| {
            let name = format!("process_{name}");
            metric.encode_as(&mut encoder, &name, help)
        };
        let stat = fs::read_to_string("/proc/self/stat").ok();
        if let Some(stat) = stat.and_then(|text| ProcessStat::parse(&text)) {
            let seconds = |ticks: u64| ticks as f64 / clock_ticks_per_second() as f64;
            let resident = stat.resident_pages.saturating_mul(page_size() as u64);
            let cpu = Count(seconds(stat.cpu_ticks));
            encode(
                "cpu_seconds",
                "User and system CPU time spent in seconds",
                &cpu,
            )?;
            encode(
                "resident_memory_bytes",
                "Resident memory size in bytes",
                &resident,
            )?;
            let size = &stat.virtual_bytes;
            encode("virtual_memory_bytes", "Virtual memory size in bytes", size)?;
            encode(
                "threads",
                "Number of OS threads in the process",
                &stat.threads,
            )?;
            if let Some(boot) = boot_time() {
                let help = "Start time of the process since unix epoch in seconds";
                let started = boot as f64 + seconds(stat.started_ticks);
                encode("start_time_seconds", help, &Value(started))?;
            }
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // One of them reads this folder.
            let open = (files.count() as u64).saturating_sub(1);
            encode("open_fds", "Number of open file descriptors", &open)?;
        }
        let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        encode("max_fds", "Maximum number of open file descriptors", &most)
    }
}

/// A counter.
struct Count(f64);
/// A gauge.
struct Value(f64);

/// A number of a metric without labels.
trait EncodeValue {
    fn encode_as(&self, to: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result;
}

fn encode(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    metric.encode(to.encode_descriptor(name, help, None, metric.metric_type())?)
}

impl EncodeValue for Count {
    fn encode_as(&self, to: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result {
        encode(to, name, help, &ConstCounter::new(self.0))
    }
}

impl EncodeValue for Value {
    fn encode_as(&self, to: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result {
        encode(to, name, help, &ConstGauge::new(self.0))
    }
}

impl EncodeValue for u64 {
    fn encode_as(&self, to: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result {
        let value = i64::try_from(*self).unwrap_or(i64::MAX);
        encode(to, name, help, &ConstGauge::new(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_does_not_move_the_fields() {
        let text = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 12345 104857600 2560 18446744073709551615";
        let expected = ProcessStat {
            cpu_ticks: 300,
            threads: 9,
            started_ticks: 12345,
            virtual_bytes: 104_857_600,
            resident_pages: 2560,
        };
        assert_eq!(ProcessStat::parse(text), Some(expected));
        assert_eq!(ProcessStat::parse("42 (a) S 1"), None);
    }
}
