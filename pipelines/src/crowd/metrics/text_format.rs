//! The text formats in which metrics are read.

use std::fmt::Write as _;

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own format, version 0.0.4, which all its clients read.
    Prometheus,
}

impl TextFormat {
    /// Its media type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// `text` in OpenMetrics' format as one in Prometheus' own: the same samples under the same names. There a counter is called as
/// its sample, an info is a gauge, and there are neither units nor a mark of the end.
pub(super) fn as_prometheus(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // The help of a metric stands before its type, which decides its name.
    let mut help = None;
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), about) => {
                help = about.map(|about| (name, about));
            }
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    kind => ("", kind),
                };
                if let Some((_, about)) = help.take().filter(|(named, _)| *named == name) {
                    // Writing to a String cannot fail.
                    let _ = writeln!(out, "# HELP {name}{suffix} {about}");
                }
                let _ = writeln!(out, "# TYPE {name}{suffix} {kind}");
            }
            (Some("#"), ..) => {}
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_their_names_and_the_metrics_are_called_as_they() {
        let openmetrics = "\
# HELP a_frames Frames that arrived.
# TYPE a_frames counter
a_frames_total{source=\"# hall\"} 3
# HELP a_build Version.
# TYPE a_build info
a_build_info{version=\"1\"} 1
# HELP a_latency_seconds Time.
# TYPE a_latency_seconds histogram
# UNIT a_latency_seconds seconds
a_latency_seconds_sum 0.5
# EOF
";
        let expected = "\
# HELP a_frames_total Frames that arrived.
# TYPE a_frames_total counter
a_frames_total{source=\"# hall\"} 3
# HELP a_build_info Version.
# TYPE a_build_info gauge
a_build_info{version=\"1\"} 1
# HELP a_latency_seconds Time.
# TYPE a_latency_seconds histogram
a_latency_seconds_sum 0.5
";
        assert_eq!(as_prometheus(openmetrics), expected);
    }
}
