//! The summary of a file: what its results were made from, and the emotions of each person.
//!
//! `NAME.summary.json` is written last. It shows that the other results are complete, and from which file and with which
//! settings they were made, so that another run can skip the file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::inputs::InputFile;
use super::recording::Recording;
use super::settings::Settings;
use super::timeline::{EmotionTimeline, PersonKey, PersonTimeline};

/// The version of the format. It increases when a field changes its meaning or is removed, or when other programs need a new
/// one: since version 3 persons have spans, since version 4 a file of this machine has no path.
pub const VERSION: u32 = 4;
/// Number of peaks for each person.
const PEAKS: usize = 10;

#[derive(Debug, Serialize)]
struct Summary<'a> {
    version: u32,
    /// The path of the file below the root.
    file: String,
    input: FileIdentity,
    settings: &'a Settings,
    /// Instruction set and precision of the network.
    arithmetic: &'a str,
    /// The names of the other results.
    outputs: &'a [String],
    /// Why the file was tagged with software decoders, in a second attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    retried: Option<&'a str>,
    /// What is missing in the results, and why: the file is damaged, or its annotated copy cannot be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<&'a str>,
    #[serde(flatten)]
    recording: &'a Recording,
    width: Option<u32>,
    height: Option<u32>,
    /// Seconds up to the end of the last frame; 0 for an image.
    duration: f64,
    frames: u64,
    frames_with_faces: u64,
    most_faces: usize,
    faces: u64,
    /// Share of each emotion among all faces of all frames.
    emotions: BTreeMap<&'a str, f64>,
    persons: Vec<PersonSummary<'a>>,
}

/// Identifies the file, wherever it lies: the same file has the same summary on each machine.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileIdentity {
    /// Where it comes from, if it comes from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    pub(super) size: u64,
    /// The fingerprint of the content.
    pub(super) content: String,
    /// What changes with the content of a file on a web server, as the server says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) validator: Option<String>,
}

#[derive(Debug, Serialize)]
struct PersonSummary<'a> {
    /// The track; null if faces are not tracked.
    id: Option<i32>,
    /// The position from the left, from 1, if faces are not tracked.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    /// Seconds.
    first_seen: f64,
    last_seen: f64,
    frames: u64,
    /// The most frequent emotion.
    emotion: Option<&'a str>,
    /// Share of each emotion in the person's frames.
    emotions: BTreeMap<&'a str, f64>,
    /// Mean probability of each emotion.
    probabilities: BTreeMap<&'a str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valence: Option<f64>,
    /// Mean quality, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<f64>,
    /// Start, end, emotion and highest confidence of each stretch of time with one emotion, on one line.
    spans: Box<RawValue>,
    /// The most confident moments that are not neutral.
    peaks: Vec<PeakSummary<'a>>,
}

#[derive(Debug, Serialize)]
struct PeakSummary<'a> {
    /// Seconds.
    time: f64,
    start: f64,
    end: f64,
    emotion: &'a str,
    confidence: f64,
}

/// What a summary says beside the timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) input: &'a InputFile,
    /// The fingerprint of the file.
    pub(super) content: &'a str,
    /// What changes with the content of a file on a web server.
    pub(super) validator: Option<&'a str>,
    pub(super) settings: &'a Settings,
    /// Instruction set and precision of the network.
    pub(super) arithmetic: &'a str,
    /// The names of the other results.
    pub(super) outputs: &'a [String],
    /// Why the file was tagged with software decoders, in a second attempt.
    pub(super) retried: Option<&'a str>,
    /// What is missing in the results, and why.
    pub(super) incomplete: Option<&'a str>,
    pub(super) recording: &'a Recording,
}

/// The summary as JSON.
///
/// # Errors
///
/// If a value cannot be represented in JSON, which does not happen.
pub(super) fn json(about: About<'_>, timeline: &EmotionTimeline) -> serde_json::Result<String> {
    let labels = timeline.labels();
    let summary = Summary {
        version: VERSION,
        file: about.input.source(),
        input: FileIdentity {
            validator: about.validator.map(str::to_owned),
            ..FileIdentity::new(about.input, about.content)
        },
        settings: about.settings,
        arithmetic: about.arithmetic,
        outputs: about.outputs,
        retried: about.retried,
        incomplete: about.incomplete,
        recording: about.recording,
        width: timeline.size.map(|(width, _)| width),
        height: timeline.size.map(|(_, height)| height),
        duration: rounded(timeline.end()),
        frames: timeline.frames,
        frames_with_faces: timeline.frames_with_faces,
        most_faces: timeline.most_faces,
        faces: timeline.faces,
        emotions: shares(labels.iter().map(|(label, count)| (*label, *count))),
        persons: timeline
            .persons
            .iter()
            .map(|(key, person)| PersonSummary::new(*key, person))
            .collect::<Result<_, _>>()?,
    };
    Ok(serde_json::to_string_pretty(&summary)? + "\n")
}

impl<'a> PersonSummary<'a> {
    fn new(key: PersonKey, person: &'a PersonTimeline) -> serde_json::Result<Self> {
        let (first, last) = person.time();
        let labels = || {
            person
                .labels
                .iter()
                .map(|(label, count)| (label.as_str(), *count))
        };
        let (id, place) = key.id_and_place();
        Ok(Self {
            id,
            place,
            first_seen: rounded(first),
            last_seen: rounded(last),
            frames: person.frames,
            // The first in alphabetical order if several are equally frequent.
            emotion: labels()
                .rev()
                .max_by_key(|(_, count)| *count)
                .map(|(label, _)| label),
            emotions: shares(labels()),
            probabilities: person
                .mean_probabilities()
                .map(|(label, mean)| (label, rounded(mean)))
                .collect(),
            valence: person.mean_valence().map(rounded),
            quality: person.mean_quality().map(rounded),
            spans: spans(person)?,
            peaks: person
                .peaks(PEAKS)
                .into_iter()
                .map(|span| PeakSummary {
                    time: rounded(span.peak),
                    start: rounded(span.start),
                    end: rounded(span.end),
                    emotion: &span.label,
                    confidence: span.confidence,
                })
                .collect(),
        })
    }
}

/// The spans of a person as JSON without line breaks.
fn spans(person: &PersonTimeline) -> serde_json::Result<Box<RawValue>> {
    let spans = person.spans.iter().map(|span| {
        let [start, end] = [span.start, span.end].map(rounded);
        (start, end, &span.label, rounded(span.confidence))
    });
    serde_json::value::to_raw_value(&spans.collect::<Vec<_>>())
}

impl FileIdentity {
    pub(super) fn new(input: &InputFile, content: &str) -> Self {
        Self {
            address: input.address(),
            size: input.size,
            content: content.to_owned(),
            validator: None,
        }
    }
}

fn shares<'a>(counts: impl Iterator<Item = (&'a str, u64)> + Clone) -> BTreeMap<&'a str, f64> {
    let all: u64 = counts.clone().map(|(_, count)| count).sum();
    counts
        .map(|(label, count)| (label, rounded(count as f64 / all.max(1) as f64)))
        .collect()
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
pub(super) mod tests;
