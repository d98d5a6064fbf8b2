//! The settings of a run. Files that were tagged with the same settings are not tagged again.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::moment::Moment;
use super::networks::{ClassifierIdentity, DetectorIdentity};
use crate::decoders::Decoders;
use crate::encoding_profile::EncodingQuality;

/// How each file is tagged. The summary of a file contains these settings as JSON; if they differ, the file is tagged again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Version of the program, because another version may find other faces.
    pub version: Cow<'static, str>,
    /// The file format of the records.
    pub format: RecordFileFormat,
    /// Which frames are analysed; `None` for all.
    pub every: Option<SamplingRate>,
    /// The number of the video track to take, from 1; `None` for the one that the file marks as its default, or the first.
    pub track: Option<usize>,
    /// Whether to write a video with boxes and labels.
    pub annotate: bool,
    /// The quality of that video, and of the frames of an annotated picture.
    pub quality: EncodingQuality,
    /// Whether to write an HTML page with the timeline of each face.
    pub report: bool,
    /// Whether to write an ELAN file with a tier for each face.
    pub elan: bool,
    /// Whether to keep pictures of the faces, which the page then shows.
    pub thumbnails: bool,
    /// Which decoders are used.
    pub decoders: Decoders,
    /// Whether the results of a damaged file are kept up to the damage.
    pub keep_partial: bool,
    /// Properties of `facedetect` in the syntax of `gst-launch-1.0`.
    pub facedetect: String,
    /// Properties of `emotionclassify` in the syntax of `gst-launch-1.0`.
    pub emotionclassify: String,
    /// The moment at which the faces are at rest, if there is one.
    pub baseline: Option<Moment>,
    /// What these properties lead to; [`run`](super::run) finds it out.
    pub classifier: Option<ClassifierIdentity>,
    /// The same of the detector; `None` for a cascade.
    pub detector: Option<DetectorIdentity>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            format: RecordFileFormat::default(),
            every: None,
            track: None,
            annotate: false,
            quality: EncodingQuality::default(),
            report: false,
            elan: false,
            thumbnails: false,
            decoders: Decoders::default(),
            keep_partial: false,
            facedetect: String::new(),
            emotionclassify: String::new(),
            baseline: None,
            classifier: None,
            detector: None,
        }
    }
}

/// The file format of the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum RecordFileFormat {
    /// One line of JSON for each frame
    #[default]
    Jsonl,
    /// One line for each face
    Csv,
    /// The same table, stored by column
    Parquet,
}

impl RecordFileFormat {
    /// The file extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// A number of frames per time: `5/s`, `1/10s`, `20/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplingRate {
    frames: NonZeroU64,
    /// The time as a number of `unit`s.
    number: NonZeroU64,
    unit: (&'static str, u64),
}

/// Name and number of seconds of each unit.
const UNITS: [(&str, u64); 3] = [("min", 60), ("s", 1), ("h", 3600)];

/// The text is no sampling rate.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected whole numbers of frames per time, such as 5/s, 1/10s, 20/min or 1/h, found {0:?}"
)]
pub struct InvalidSamplingRate(String);

impl SamplingRate {
    /// The number of the time slot of a frame, counted from the first frame. The first frame of each slot is analysed.
    ///
    /// Containers round times to a millisecond or less, so a frame that is half a millisecond early is in the next slot.
    pub fn slot(&self, since_first: gst::ClockTime) -> u64 {
        let tolerance = gst::ClockTime::from_useconds(500);
        let now = u128::from((since_first + tolerance).nseconds());
        let seconds = u128::from(self.number.get()) * u128::from(self.unit.1);
        let period = seconds * u128::from(gst::ClockTime::SECOND.nseconds());
        (now * u128::from(self.frames.get()) / period) as u64
    }
}

impl FromStr for SamplingRate {
    type Err = InvalidSamplingRate;

    fn from_str(text: &str) -> Result<Self, InvalidSamplingRate> {
        let parse = || {
            let (frames, time) = text.split_once('/')?;
            let (unit, number) = UNITS
                .into_iter()
                .find_map(|unit| Some((unit, time.strip_suffix(unit.0)?)))?;
            let number = if number.is_empty() { "1" } else { number };
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
        f.write_str(self.unit.0)
    }
}

impl Serialize for SamplingRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SamplingRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
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
    fn a_rate_is_printed_as_it_is_written() {
        for text in ["5/s", "1/10s", "20/min", "1/h"] {
            assert_eq!(text.parse::<SamplingRate>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_invalid_rate_is_rejected_with_examples() {
        for text in ["", "5", "5/", "/s", "0/s", "1/0s", "-1/s", "5/s/s", "1.5/s"] {
            let error = text.parse::<SamplingRate>().unwrap_err().to_string();
            assert!(error.contains("5/s, 1/10s"), "{text}: {error}");
        }
    }
}
