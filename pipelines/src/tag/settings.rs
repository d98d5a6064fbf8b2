//! What is done with each file. Files that were tagged with the same settings need not be tagged again.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// How each file is tagged. As JSON it stands in the file's summary, and a change of it is a reason to tag anew.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// Version of the program: another one may find other faces.
    pub version: &'static str,
    /// How records are written.
    pub format: RecordFormat,
    /// Which frames are looked at; None for all.
    pub every: Option<SamplingRate>,
    /// Whether to write a video with boxes and labels.
    pub annotate: bool,
    /// Whether to write a page with the course of each face.
    pub report: bool,
    /// Whether that page shows the faces.
    pub thumbnails: bool,
    /// Properties of `facedetect` as `gst-launch-1.0` takes them.
    pub facedetect: String,
    /// Properties of `emotionclassify` as `gst-launch-1.0` takes them.
    pub emotionclassify: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            format: RecordFormat::default(),
            every: None,
            annotate: false,
            report: false,
            thumbnails: false,
            facedetect: String::new(),
            emotionclassify: String::new(),
        }
    }
}

/// How records are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum RecordFormat {
    /// An object for each frame, a line each
    #[default]
    Jsonl,
    /// A line for each face
    Csv,
    /// The same table in columns
    Parquet,
}

impl RecordFormat {
    /// The file extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// So many frames in so much time: `5/s`, `1/10s`, `20/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplingRate {
    frames: NonZeroU64,
    /// A number of `unit`s.
    number: NonZeroU64,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
}

impl Unit {
    const ALL: [(&'static str, Self); 3] = [
        ("min", Self::Minute),
        ("s", Self::Second),
        ("h", Self::Hour),
    ];

    fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
        }
    }
}

/// What is no rate of frames.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is no rate: expected frames per time, whole numbers, such as 5/s, 1/10s, 20/min or 1/h"
)]
pub struct InvalidSamplingRate(String);

impl SamplingRate {
    /// The number of the time slot, counted from the first frame, that a frame is in; the first frame of each slot is
    /// looked at. Containers round times to as much as a millisecond, so half of one does not make a frame too early.
    pub fn slot(&self, since_first: gst::ClockTime) -> u64 {
        let tolerance = gst::ClockTime::from_useconds(500);
        let now = u128::from((since_first + tolerance).nseconds());
        let period = u128::from(self.number.get())
            * u128::from(self.unit.seconds() * gst::ClockTime::SECOND.nseconds());
        (now * u128::from(self.frames.get()) / period) as u64
    }
}

impl FromStr for SamplingRate {
    type Err = InvalidSamplingRate;

    fn from_str(text: &str) -> Result<Self, InvalidSamplingRate> {
        let parse = || {
            let (frames, time) = text.split_once('/')?;
            let (unit, number) = Unit::ALL.into_iter().find_map(|(name, unit)| {
                let number = time.strip_suffix(name)?;
                Some((unit, if number.is_empty() { "1" } else { number }))
            })?;
            Some(Self {
                frames: frames.trim().parse().ok()?,
                number: number.trim().parse().ok()?,
                unit,
            })
        };
        parse().ok_or_else(|| InvalidSamplingRate(text.to_owned()))
    }
}

impl fmt::Display for SamplingRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.frames)?;
        if self.number.get() != 1 {
            write!(f, "{}", self.number)?;
        }
        let name = Unit::ALL.into_iter().find(|(_, unit)| *unit == self.unit);
        f.write_str(name.map_or("s", |(name, _)| name))
    }
}

impl Serialize for SamplingRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(every: &str, times_ns: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let every: SamplingRate = every.parse().unwrap();
        let mut last = None;
        let mut taken = Vec::new();
        for ns in times_ns {
            let slot = every.slot(gst::ClockTime::from_nseconds(ns));
            if last != Some(slot) {
                last = Some(slot);
                taken.push(ns / 1_000_000);
            }
        }
        taken
    }

    #[test]
    fn five_a_second_of_thirty_are_every_sixth_frame_however_times_are_rounded() {
        let exact = (0..30).map(|frame| frame * 1_000_000_000 / 30);
        assert_eq!(taken("5/s", exact), [0, 200, 400, 600, 800]);
        let milliseconds = (0..30).map(|frame| (frame * 1000 + 15) / 30 * 1_000_000);
        assert_eq!(taken("5/s", milliseconds), [0, 200, 400, 600, 800]);
    }

    #[test]
    fn a_rate_that_does_not_divide_the_frames_keeps_its_mean() {
        let frames = (0..250).map(|frame| frame * 40_000_000);
        assert_eq!(taken("7/s", frames).len(), 70);
    }

    #[test]
    fn slow_rates_have_longer_units() {
        let minutes = (0..600).map(|second| second * 1_000_000_000);
        assert_eq!(taken("1/2min", minutes.clone()).len(), 5);
        assert_eq!(taken("1/10s", minutes.clone()).len(), 60);
        assert_eq!(taken("1/h", minutes).len(), 1);
    }

    #[test]
    fn a_rate_prints_as_it_is_written() {
        for text in ["5/s", "1/10s", "20/min", "1/h"] {
            assert_eq!(text.parse::<SamplingRate>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_with_examples() {
        for text in ["", "5", "5/", "/s", "0/s", "1/0s", "-1/s", "5/s/s", "1.5/s"] {
            let error = text.parse::<SamplingRate>().unwrap_err().to_string();
            assert!(error.contains("5/s, 1/10s"), "{text}: {error}");
        }
    }
}
