//! The summary of a file: what the results were made from, and who showed what.
//!
//! `NAME.summary.json` is written last. It says that the results beside it are whole, and from which file and with which
//! settings they were made, so that another run need not make them again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::inputs::InputFile;
use super::settings::Settings;
use super::timeline::{EmotionTimeline, PersonKey, PersonTimeline};

/// The version of the format; it counts up when a field changes its meaning or goes away.
const VERSION: u32 = 1;
/// Moments to jump to, for each person.
const PEAKS: usize = 10;

#[derive(Debug, Serialize)]
struct Summary<'a> {
    version: u32,
    /// The file's own name.
    file: String,
    input: FileIdentity,
    settings: &'a Settings,
    /// The files beside this one.
    outputs: &'a [String],
    width: Option<u32>,
    height: Option<u32>,
    /// Seconds up to the end of the last frame; 0 for a still picture.
    duration: f64,
    frames: u64,
    frames_with_faces: u64,
    most_faces: usize,
    faces: u64,
    /// Share of each emotion among all faces of all frames.
    emotions: BTreeMap<&'a str, f64>,
    persons: Vec<PersonSummary<'a>>,
}

/// What recognises the file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileIdentity {
    path: String,
    size: u64,
    modified_ns: i64,
}

#[derive(Debug, Serialize)]
struct PersonSummary<'a> {
    /// The track; null where faces are not tracked.
    id: Option<i32>,
    /// The number from the left, from 1, where faces are not tracked.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    /// Seconds.
    first_seen: f64,
    last_seen: f64,
    frames: u64,
    /// The emotion that was shown most often.
    emotion: Option<&'a str>,
    /// Share of each emotion among the person's frames.
    emotions: BTreeMap<&'a str, f64>,
    /// Mean probability of each emotion.
    probabilities: BTreeMap<&'a str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valence: Option<f64>,
    /// The clearest moments of what is not neutral.
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

/// The summary as a JSON text.
///
/// # Errors
///
/// When a value has no JSON, which none has.
pub(super) fn json(
    input: &InputFile,
    settings: &Settings,
    outputs: &[String],
    course: &EmotionTimeline,
) -> serde_json::Result<String> {
    let labels = course.labels();
    let summary = Summary {
        version: VERSION,
        file: input
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        input: FileIdentity::of(input),
        settings,
        outputs,
        width: course.size.map(|(width, _)| width),
        height: course.size.map(|(_, height)| height),
        duration: rounded(course.end()),
        frames: course.frames,
        frames_with_faces: course.frames_with_faces,
        most_faces: course.most_faces,
        faces: course.faces,
        emotions: shares(labels.iter().map(|(label, count)| (*label, *count))),
        persons: course
            .persons
            .iter()
            .map(|(who, person)| PersonSummary::of(*who, person))
            .collect(),
    };
    Ok(serde_json::to_string_pretty(&summary)? + "\n")
}

impl<'a> PersonSummary<'a> {
    fn of(who: PersonKey, person: &'a PersonTimeline) -> Self {
        let (first, last) = person.time();
        let labels = || {
            person
                .labels
                .iter()
                .map(|(label, count)| (label.as_str(), *count))
        };
        let (id, place) = match who {
            PersonKey::Track(id) => (Some(id), None),
            PersonKey::Position(place) => (None, Some(place + 1)),
        };
        Self {
            id,
            place,
            first_seen: rounded(first),
            last_seen: rounded(last),
            frames: person.frames,
            // Of equals the first in the alphabet, in every run.
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
    fn of(input: &InputFile) -> Self {
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

/// What there is of an input's results.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExistingResults {
    /// Nothing, or results of other settings or of an older state of the file.
    Outdated,
    /// All of them.
    Complete,
    /// Results of another file under the same name.
    OtherFile(PathBuf),
}

/// Looks at an earlier summary at `path`.
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
    let wanted = FileIdentity::of(input);
    // A whole archive may have moved.
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
