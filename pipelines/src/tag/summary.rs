//! The summary of a file: what its results were made from, and the emotions of each person.
//!
//! `NAME.summary.json` is written last. It shows that the other results are complete, and from which file and with which
//! settings they were made, so that another run can skip the file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::inputs::InputFile;
use super::settings::Settings;
use super::timeline::{EmotionTimeline, PersonKey, PersonTimeline};

/// The version of the format. It increases when a field changes its meaning or is removed.
const VERSION: u32 = 1;
/// Number of peaks for each person.
const PEAKS: usize = 10;

#[derive(Debug, Serialize)]
struct Summary<'a> {
    version: u32,
    /// The name of the file, without folders.
    file: String,
    input: FileIdentity,
    settings: &'a Settings,
    /// The names of the other results.
    outputs: &'a [String],
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

/// Identifies the file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileIdentity {
    path: String,
    size: u64,
    modified_ns: i64,
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

/// The summary as JSON.
///
/// # Errors
///
/// If a value cannot be represented in JSON, which does not happen.
pub(super) fn json(
    input: &InputFile,
    settings: &Settings,
    outputs: &[String],
    timeline: &EmotionTimeline,
) -> serde_json::Result<String> {
    let labels = timeline.labels();
    let summary = Summary {
        version: VERSION,
        file: input.file_name(),
        input: FileIdentity::new(input),
        settings,
        outputs,
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
            .collect(),
    };
    Ok(serde_json::to_string_pretty(&summary)? + "\n")
}

impl<'a> PersonSummary<'a> {
    fn new(key: PersonKey, person: &'a PersonTimeline) -> Self {
        let (first, last) = person.time();
        let labels = || {
            person
                .labels
                .iter()
                .map(|(label, count)| (label.as_str(), *count))
        };
        let (id, place) = match key {
            PersonKey::Track(id) => (Some(id), None),
            PersonKey::Position(index) => (None, Some(index + 1)),
        };
        Self {
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
        }
    }
}

impl FileIdentity {
    fn new(input: &InputFile) -> Self {
        Self {
            path: input.absolute.to_string_lossy().into_owned(),
            size: input.size,
            modified_ns: input.modified_ns,
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

/// The results of earlier runs for a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExistingResults {
    /// No results, or results of other settings or of an older version of the file.
    Outdated,
    /// All results, of the same file and settings.
    Complete,
    /// Results of this other file under the same name.
    OtherFile(PathBuf),
}

/// Reads the summary of an earlier run at `path`.
pub(super) fn existing_results(
    path: &Path,
    input: &InputFile,
    settings: &Settings,
) -> ExistingResults {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(_) => return ExistingResults::Outdated,
    };
    let found: Value = serde_json::from_str(&text).unwrap_or_default();
    let Ok(source) = FileIdentity::deserialize(&found["input"]) else {
        return ExistingResults::Outdated;
    };
    let wanted = FileIdentity::new(input);
    // The path is not compared, because a whole archive may have moved.
    let is_same = (source.size, source.modified_ns) == (wanted.size, wanted.modified_ns);
    if !is_same {
        return if source.path == wanted.path {
            ExistingResults::Outdated
        } else {
            ExistingResults::OtherFile(source.path.into())
        };
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let outputs = found["outputs"].as_array().into_iter().flatten();
    let are_there = outputs
        .filter_map(Value::as_str)
        .all(|name| folder.join(name).is_file());
    let settings = serde_json::to_value(settings).unwrap_or_default();
    if found["settings"] == settings && found["version"] == VERSION && are_there {
        ExistingResults::Complete
    } else {
        ExistingResults::Outdated
    }
}

#[cfg(test)]
mod tests;
