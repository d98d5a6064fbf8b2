//! Totals of groups of files, to be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Context as _;
use serde::Serialize;

use super::group::Grouping;
use super::summary::{ArchivedFace, ArchivedFile};

/// The name of the totals of all files.
const ALL: &str = "all files";

/// The totals of a group of files.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct GroupTotals {
    /// The group; empty for files without one, and [`ALL`] for all files.
    pub(super) group: String,
    pub(super) files: u64,
    /// Seconds of all videos.
    pub(super) duration: f64,
    /// Number of faces, each a track.
    pub(super) faces: u64,
    /// Number of frames with a face, once for each face.
    pub(super) face_frames: u64,
    /// Share of each emotion in these frames.
    pub(super) emotions: BTreeMap<String, f64>,
    /// Mean valence of these frames, -1 to 1.
    pub(super) valence: Option<f64>,
    /// Mean quality of these frames, 0 to 1.
    pub(super) quality: Option<f64>,
}

impl GroupTotals {
    /// The totals of each group, by name, and those of all files in the end.
    pub(super) fn of_all(files: &[ArchivedFile], grouping: &Grouping) -> Vec<Self> {
        let mut groups: BTreeMap<&str, Vec<&ArchivedFile>> = BTreeMap::new();
        for file in files {
            groups
                .entry(grouping.group(&file.file))
                .or_default()
                .push(file);
        }
        let all = (ALL, files.iter().collect());
        let groups = groups.into_iter().chain([all]);
        groups
            .map(|(group, files)| Self::new(group, &files))
            .collect()
    }

    fn new(group: &str, files: &[&ArchivedFile]) -> Self {
        let faces = || files.iter().flat_map(|file| &file.faces);
        let face_frames: u64 = faces().map(|face| face.frames).sum();
        let mut emotions = BTreeMap::new();
        for face in faces() {
            for (emotion, share) in &face.emotions {
                *emotions.entry(emotion.clone()).or_default() +=
                    share * face.frames as f64 / face_frames as f64;
            }
        }
        Self {
            group: group.to_owned(),
            files: files.len() as u64,
            duration: files.iter().map(|file| file.duration).sum(),
            faces: faces().count() as u64,
            face_frames,
            emotions,
            valence: mean(faces(), |face| face.valence),
            quality: mean(faces(), |face| face.quality),
        }
    }
}

/// The mean over the frames of all faces that have the value.
fn mean<'a>(
    faces: impl Iterator<Item = &'a ArchivedFace>,
    value: impl Fn(&ArchivedFace) -> Option<f64>,
) -> Option<f64> {
    let (mut sum, mut frames) = (0.0, 0.0);
    for face in faces {
        if let Some(value) = value(face) {
            sum += value * face.frames as f64;
            frames += face.frames as f64;
        }
    }
    (frames > 0.0).then(|| sum / frames)
}

/// The names of all emotions in these groups.
fn emotions(groups: &[GroupTotals]) -> BTreeSet<&str> {
    let emotions = groups.iter().flat_map(|group| group.emotions.keys());
    emotions.map(String::as_str).collect()
}

/// A row for each group.
pub(super) fn csv(groups: &[GroupTotals]) -> anyhow::Result<Vec<u8>> {
    let emotions = emotions(groups);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heading = ["group", "files", "duration", "faces", "face_frames"];
    let shares = emotions.iter().map(|emotion| format!("share_{emotion}"));
    let heading = heading.into_iter().map(str::to_owned).chain(shares);
    let means = ["valence", "quality"].map(str::to_owned);
    writer.write_record(heading.chain(means))?;
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for group in groups {
        let counts = [
            group.group.clone(),
            group.files.to_string(),
            group.duration.to_string(),
            group.faces.to_string(),
            group.face_frames.to_string(),
        ];
        let shares = emotions.iter().map(|&emotion| {
            let share = group.emotions.get(emotion).copied().unwrap_or(0.0);
            share.to_string()
        });
        let means = [optional(group.valence), optional(group.quality)];
        writer.write_record(counts.into_iter().chain(shares).chain(means))?;
    }
    writer.into_inner().context("a table in memory is complete")
}

/// The same as aligned text.
pub(super) fn text(groups: &[GroupTotals]) -> String {
    let emotions = emotions(groups);
    let shown = |group: &GroupTotals| {
        if group.group.is_empty() {
            "(no group)".to_owned()
        } else {
            group.group.clone()
        }
    };
    let widths = groups.iter().map(|group| shown(group).chars().count());
    let width = widths.max().unwrap_or(0).max("group".len());
    let mut text = format!(
        "{:<width$}  {:>7} {:>9} {:>7}",
        "group", "files", "hours", "faces"
    );
    for emotion in &emotions {
        let _ = write!(text, " {emotion:>9}");
    }
    let _ = writeln!(text, " {:>8}", "valence");
    for group in groups {
        let hours = group.duration / 3600.0;
        let _ = write!(
            text,
            "{:<width$}  {:>7} {hours:>9.2} {:>7}",
            shown(group),
            group.files,
            group.faces
        );
        for &emotion in &emotions {
            let share = group.emotions.get(emotion).copied().unwrap_or(0.0);
            let _ = write!(text, " {:>7.1} %", 100.0 * share);
        }
        let _ = match group.valence {
            Some(valence) => writeln!(text, " {valence:>8.2}"),
            None => writeln!(text, " {:>8}", "–"),
        };
    }
    text
}
