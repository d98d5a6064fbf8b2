//! Emotions as WebVTT captions (W3C, “WebVTT: The Web Video Text Tracks Format”).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use gstemotion::emotionoverlay::colour;
use gstemotion::face::UNCERTAIN;

use super::timeline::{EmotionTimeline, PersonKey, UNCLASSIFIED};

/// The first line up to the name of the file.
const BEGINNING: &str = "WEBVTT emotions of ";
/// The shortest cue that can be read, in milliseconds.
const READABLE_MS: u64 = 300;
/// More lines would cover the video.
const MOST_LINES: usize = 4;

/// The captions of a timeline: a cue for each stretch of time in which nothing changes, with a line for each face.
///
/// The first line names the file that they are about by `source`, its path below the root.
pub(super) fn web_vtt(source: &str, timeline: &EmotionTimeline) -> String {
    let mut text = header(source) + "\n";
    let cues = cues(timeline);
    let mut labels = cues.iter().flat_map(|cue| cue.shown.values());
    if labels.any(|label| *label == UNCERTAIN) {
        let [red, green, blue] = colour(Some(UNCERTAIN));
        let _ = write!(
            text,
            "\nSTYLE\n::cue(.{UNCERTAIN}) {{ color: #{red:02x}{green:02x}{blue:02x} }}\n"
        );
    }
    for cue in cues {
        let _ = write!(
            text,
            "\n{} --> {}\n{}\n",
            timestamp(cue.start),
            timestamp(cue.end),
            lines(&cue.shown, timeline.persons.len() > 1)
        );
    }
    text
}

/// The first line, in which neither a line break nor `-->` may stand.
fn header(source: &str) -> String {
    let source = source.replace(char::is_control, " ").replace("-->", "-- >");
    format!("{BEGINNING}{source}")
}

/// Whether the file at `path` holds captions that this program wrote.
pub(super) fn are_ours(path: &Path) -> bool {
    let mut start = [0; BEGINNING.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == BEGINNING.as_bytes()
}

/// Whether the file at `path` holds captions of the file `source` that this program wrote.
pub(super) fn is_about(path: &Path, source: &str) -> bool {
    let header = header(source);
    let mut line = Vec::new();
    let longest = header.len() as u64 + 1;
    let read = File::open(path)
        .and_then(|file| BufReader::new(file.take(longest)).read_until(b'\n', &mut line));
    read.is_ok() && line.strip_suffix(b"\n") == Some(header.as_bytes())
}

#[derive(Debug, PartialEq)]
struct Cue<'a> {
    start: u64,
    end: u64,
    shown: BTreeMap<PersonKey, &'a str>,
}

fn cues(timeline: &EmotionTimeline) -> Vec<Cue<'_>> {
    // For each time the spans that begin and those that end.
    let mut changes: BTreeMap<u64, Vec<(PersonKey, Option<&str>)>> = BTreeMap::new();
    for (key, person) in &timeline.persons {
        let spans = person.spans.iter().filter(|s| s.label != UNCLASSIFIED);
        for span in spans.clone() {
            changes
                .entry(milliseconds(span.end))
                .or_default()
                .push((*key, None));
        }
        for span in spans {
            changes
                .entry(milliseconds(span.start))
                .or_default()
                .push((*key, Some(&span.label)));
        }
    }
    let mut cues: Vec<Cue<'_>> = Vec::new();
    let mut shown = BTreeMap::new();
    let mut since = 0;
    for (time, changes) in changes {
        if !shown.is_empty() && time > since {
            add(
                &mut cues,
                Cue {
                    start: since,
                    end: time,
                    shown: shown.clone(),
                },
            );
        }
        // The end of a span comes before the beginning of the next span of the same face.
        for (key, label) in changes {
            match label {
                Some(label) => shown.insert(key, label),
                None => shown.remove(&key),
            };
        }
        since = time;
    }
    cues
}

/// Joins a cue with the one before if they have the same text or if one of them is too short to be read.
fn add<'a>(cues: &mut Vec<Cue<'a>>, cue: Cue<'a>) {
    if let Some(last) = cues.last_mut()
        && last.end == cue.start
    {
        if last.shown == cue.shown || cue.end - cue.start < READABLE_MS {
            last.end = cue.end;
            return;
        }
        if last.end - last.start < READABLE_MS {
            *last = Cue {
                start: last.start,
                ..cue
            };
            return;
        }
    }
    cues.push(cue);
}

fn lines(shown: &BTreeMap<PersonKey, &str>, several: bool) -> String {
    let all = shown.iter().map(|(key, label)| {
        let label = match *label {
            UNCERTAIN => format!("<c.{UNCERTAIN}>{UNCERTAIN}</c>"),
            label => escaped(label),
        };
        if several {
            format!("{key}: {label}")
        } else {
            label
        }
    });
    let mut lines: Vec<_> = all.take(MOST_LINES).collect();
    if shown.len() > MOST_LINES {
        lines.truncate(MOST_LINES - 1);
        lines.push(format!("and {} more", shown.len() - lines.len()));
    }
    lines.join("\n")
}

/// Escapes a label, which a model may define.
fn escaped(label: &str) -> String {
    label
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round().max(0.0) as u64
}

fn timestamp(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!(
        "{:02}:{:02}:{:02}.{ms:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests;
