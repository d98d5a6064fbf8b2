//! What an element did and how long it took: the `stats` property of every element.

use std::time::Duration;

use gst::glib;
use gst::prelude::*;

/// Times that are kept for the mean and the percentile: a bit more than half a minute of video.
const WINDOW: usize = 1024;

/// Counts since the start and times of the last 1024 analysed frames.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    analysed: u64,
    skipped: u64,
    faces: u64,
    times: Vec<Duration>,
    oldest: usize,
}

impl Stats {
    /// A frame that passed without being analysed.
    pub(crate) fn add_skipped(&mut self) {
        self.skipped += 1;
    }

    /// A frame on which the element worked for `time` and which had `faces` faces.
    pub(crate) fn add_analysed(&mut self, faces: usize, time: Duration) {
        self.analysed += 1;
        self.faces += faces as u64;
        if self.times.len() < WINDOW {
            self.times.push(time);
        } else {
            self.times[self.oldest] = time;
            self.oldest = (self.oldest + 1) % WINDOW;
        }
    }

    /// The mean time of the window, zero before the first analysed frame.
    pub(crate) fn mean(&self) -> Duration {
        let count = u32::try_from(self.times.len().max(1)).unwrap_or(u32::MAX);
        self.times.iter().sum::<Duration>() / count
    }

    /// The smallest time that 99 % of the times do not exceed.
    fn percentile_99(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        let rank = (times.len() * 99).div_ceil(100);
        times
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }

    /// The structure that the `stats` property shows; times are in nanoseconds.
    pub(crate) fn to_structure(&self) -> gst::Structure {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        gst::Structure::builder("stats")
            .field("frames", self.analysed + self.skipped)
            .field("analysed", self.analysed)
            .field("skipped", self.skipped)
            .field("faces", self.faces)
            .field("mean-time", nanoseconds(self.mean()))
            .field("p99-time", nanoseconds(self.percentile_99()))
            .build()
    }

    /// The read-only property that shows them.
    pub(crate) fn param_spec() -> glib::ParamSpec {
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "Since the start: frames, analysed and skipped frames, faces, and the mean and 99th percentile of \
                 the time of this element's own work in nanoseconds over the last 1024 analysed frames",
            )
            .read_only()
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(stats: &Stats, name: &str) -> u64 {
        gst::init().unwrap();
        stats.to_structure().get(name).unwrap()
    }

    #[test]
    fn everything_is_zero_before_the_first_frame() {
        let stats = Stats::default();
        for name in [
            "frames",
            "analysed",
            "skipped",
            "faces",
            "mean-time",
            "p99-time",
        ] {
            assert_eq!(field(&stats, name), 0, "{name}");
        }
    }

    #[test]
    fn frames_are_the_analysed_and_the_skipped_ones() {
        let mut stats = Stats::default();
        stats.add_analysed(2, Duration::from_nanos(10));
        stats.add_analysed(1, Duration::from_nanos(20));
        stats.add_skipped();
        assert_eq!(field(&stats, "frames"), 3);
        assert_eq!(field(&stats, "analysed"), 2);
        assert_eq!(field(&stats, "skipped"), 1);
        assert_eq!(field(&stats, "faces"), 3);
        assert_eq!(field(&stats, "mean-time"), 15);
    }

    #[test]
    fn the_99th_percentile_leaves_one_in_a_hundred_above() {
        let mut stats = Stats::default();
        for nanoseconds in (1..=200).rev() {
            stats.add_analysed(0, Duration::from_nanos(nanoseconds));
        }
        assert_eq!(field(&stats, "p99-time"), 198);
    }

    #[test]
    fn old_times_leave_the_window_while_counts_go_on() {
        let mut stats = Stats::default();
        stats.add_analysed(0, Duration::from_secs(3600));
        for _ in 0..WINDOW {
            stats.add_analysed(0, Duration::from_nanos(7));
        }
        assert_eq!(stats.times.len(), WINDOW);
        assert_eq!(field(&stats, "mean-time"), 7);
        assert_eq!(field(&stats, "analysed"), WINDOW as u64 + 1);
    }
}
