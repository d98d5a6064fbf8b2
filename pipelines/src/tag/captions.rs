//! Emotions as WebVTT captions (W3C, “WebVTT: The Web Video Text Tracks Format”), which any player shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::timeline::{EmotionTimeline, PersonKey, UNCLASSIFIED};

/// A change that is undone sooner than this cannot be read, in milliseconds.
const READABLE_MS: u64 = 300;
/// More lines would cover the picture.
const MOST_LINES: usize = 4;

/// The captions of a course: a cue for each stretch of time in which nothing changes, with a line for each face.
pub(super) fn web_vtt(course: &EmotionTimeline) -> String {
    let mut text = String::from("WEBVTT\n");
    for cue in cues(course) {
        let _ = write!(
            text,
            "\n{} --> {}\n{}\n",
            timestamp(cue.start),
            timestamp(cue.end),
            lines(&cue.shown, course.persons.len() > 1)
        );
    }
    text
}

#[derive(Debug, PartialEq)]
struct Cue<'a> {
    start: u64,
    end: u64,
    shown: BTreeMap<PersonKey, &'a str>,
}

fn cues(course: &EmotionTimeline) -> Vec<Cue<'_>> {
    // At each moment those who begin and those who end.
    let mut changes: BTreeMap<u64, Vec<(PersonKey, Option<&str>)>> = BTreeMap::new();
    for (who, person) in &course.persons {
        let spans = person.spans.iter().filter(|s| s.label != UNCLASSIFIED);
        for span in spans.clone() {
            changes
                .entry(milliseconds(span.end))
                .or_default()
                .push((*who, None));
        }
        for span in spans {
            changes
                .entry(milliseconds(span.start))
                .or_default()
                .push((*who, Some(&span.label)));
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
        // Of one face the end comes first, so that its next span wins.
        for (who, label) in changes {
            match label {
                Some(label) => shown.insert(who, label),
                None => shown.remove(&who),
            };
        }
        since = time;
    }
    cues
}

/// Joins a cue with the one before where they say the same, or where it is too short to be read.
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
    let all = shown.iter().map(|(who, label)| {
        let label = escaped(label);
        if several {
            format!("{who}: {label}")
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

/// A model may have labels of its own.
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
