//! Counts and times of an element: its property `stats`.

use std::time::Duration;

use gst::glib;
use gst::prelude::*;

/// Name of the property.
pub(crate) const PROPERTY: &str = "stats";

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
    /// Counts a frame that passed without being analysed.
    pub(crate) fn add_skipped(&mut self) {
        self.skipped += 1;
    }

    /// Counts an analysed frame with `faces` faces; the element worked on it for `time`.
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

    /// The numbers of analysed and of skipped frames.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.analysed, self.skipped)
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

    /// The value of the property; times are in nanoseconds.
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

    /// The read-only property. `more` names the fields that only this element adds.
    pub(crate) fn param_spec(more: &str) -> glib::ParamSpec {
        let blurb = format!(
            "Since the start, each a uint64: frames, analysed, skipped, faces; mean-time and p99-time, the mean and the 99th \
             percentile of the time of this element's own work in nanoseconds over the last 1024 analysed frames{more}"
        );
        glib::ParamSpecBoxed::builder::<gst::Structure>(PROPERTY)
            .nick("Statistics")
            .blurb(&blurb)
            .read_only()
            .build()
    }
}

#[cfg(test)]
mod tests;
