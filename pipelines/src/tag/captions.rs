//! Emotions as WebVTT captions (W3C, “WebVTT: The Web Video Text Tracks Format”), which any player shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::timeline::{Course, UNCLASSIFIED, Who};

/// A change that is undone sooner than this cannot be read, in milliseconds.
const READABLE_MS: u64 = 300;
/// More lines would cover the picture.
const MOST_LINES: usize = 4;

/// The captions of a course: a cue for each stretch of time in which nothing changes, with a line for each face.
pub(super) fn web_vtt(course: &Course) -> String {
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
    shown: BTreeMap<Who, &'a str>,
}

fn cues(course: &Course) -> Vec<Cue<'_>> {
    // At each moment those who begin and those who end.
    let mut changes: BTreeMap<u64, Vec<(Who, Option<&str>)>> = BTreeMap::new();
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

fn lines(shown: &BTreeMap<Who, &str>, several: bool) -> String {
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
mod tests {
    use super::super::timeline::tests::{course, face, record};
    use super::*;

    #[test]
    fn one_face_is_named_by_its_emotion_alone() {
        let records = [(0.0, "happy"), (1.0, "happy"), (2.0, "sad")];
        let records = records.map(|(time, label)| record(time, vec![face(5, 0, label, 0.5)]));
        assert_eq!(
            web_vtt(&course(records.to_vec())),
            "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nhappy\n\n00:00:02.000 --> 00:00:03.000\nsad\n"
        );
    }

    #[test]
    fn several_faces_have_a_line_each_and_a_new_cue_whenever_one_changes() {
        let course = course(vec![
            record(3600.0, vec![face(1, 0, "happy", 0.5)]),
            record(
                3601.0,
                vec![face(1, 0, "happy", 0.5), face(2, 0, "fear", 0.5)],
            ),
            record(3602.0, vec![face(2, 0, "fear", 0.5)]),
            record(3603.0, vec![]),
        ]);
        assert_eq!(
            web_vtt(&course),
            "WEBVTT\n\n01:00:00.000 --> 01:00:01.000\nface 1: happy\n\n\
             01:00:01.000 --> 01:00:02.000\nface 1: happy\nface 2: fear\n\n\
             01:00:02.000 --> 01:00:03.000\nface 2: fear\n"
        );
    }

    #[test]
    fn what_lasts_too_short_to_be_read_is_left_out() {
        let times = [
            (0.0, "happy"),
            (1.0, "sad"),
            (1.04, "happy"),
            (2.0, "happy"),
        ];
        let records = times.map(|(time, label)| record(time, vec![face(1, 0, label, 0.5)]));
        let course = course(records.to_vec());
        let cues = cues(&course);
        assert_eq!(cues.len(), 1, "{cues:?}");
        assert_eq!((cues[0].start, cues[0].end), (0, 2960));
    }

    #[test]
    fn a_crowd_does_not_cover_the_picture() {
        let crowd = (0..9).map(|id| face(id, 0, "<b>", 0.5)).collect();
        let text = web_vtt(&course(vec![record(0.0, crowd), record(1.0, vec![])]));
        assert!(text.ends_with("face 2: &lt;b&gt;\nand 6 more\n"), "{text}");
    }

    #[test]
    fn without_faces_there_are_no_cues() {
        assert_eq!(web_vtt(&course(vec![record(0.0, vec![])])), "WEBVTT\n");
    }
}
