//! The table of an archive: a row for each face of each file.

use std::borrow::Cow;
use std::collections::BTreeSet;

use anyhow::Context as _;
use emotion_models::Emotion;
use gstemotion::face::UNCERTAIN;
use gstemotion::record::table::{Cell, ColumnType};

use super::group::Grouping;
use super::summary::{ArchivedFace, ArchivedFile};
use crate::parquet_table::ParquetTable;

/// The columns before the shares of the emotions.
const COLUMNS: [(&str, ColumnType); 15] = [
    ("file", ColumnType::Text),
    ("group", ColumnType::Text),
    ("recorded", ColumnType::Text),
    ("camera", ColumnType::Text),
    ("timecode", ColumnType::Text),
    ("model", ColumnType::Text),
    ("weights_id", ColumnType::Text),
    ("incomplete", ColumnType::Text),
    ("id", ColumnType::Integer),
    ("place", ColumnType::Integer),
    ("first_seen", ColumnType::Float),
    ("last_seen", ColumnType::Float),
    ("frames", ColumnType::Integer),
    ("emotion", ColumnType::Text),
    ("valence", ColumnType::Float),
];
/// The one after it.
const QUALITY: (&str, ColumnType) = ("quality", ColumnType::Float);

/// The faces of files as a table. Shares have a column for each emotion of FER-2013, for *uncertain*, and for any other
/// label that occurs.
pub(super) struct FaceTable<'a> {
    files: &'a [ArchivedFile],
    grouping: &'a Grouping,
    emotions: Vec<&'a str>,
}

impl<'a> FaceTable<'a> {
    pub(super) fn new(files: &'a [ArchivedFile], grouping: &'a Grouping) -> Self {
        let mut emotions: Vec<&str> = Emotion::ALL.iter().map(|emotion| emotion.name()).collect();
        emotions.push(UNCERTAIN);
        let faces = files.iter().flat_map(|file| &file.faces);
        let labels: BTreeSet<&str> = faces
            .flat_map(|face| face.emotions.keys())
            .map(String::as_str)
            .collect();
        let others = labels.into_iter().filter(|label| !emotions.contains(label));
        let others: Vec<&str> = others.collect();
        emotions.extend(others);
        Self {
            files,
            grouping,
            emotions,
        }
    }

    fn columns(&self) -> Vec<(String, ColumnType)> {
        let shares = self.emotions.iter();
        let shares = shares.map(|emotion| (format!("share_{emotion}"), ColumnType::Float));
        let fixed = |(name, kind): (&str, ColumnType)| (name.to_owned(), kind);
        let columns = COLUMNS.into_iter().map(fixed).chain([fixed(QUALITY)]);
        columns.chain(shares).collect()
    }

    fn rows(&self) -> impl Iterator<Item = Vec<Cell<'a>>> {
        let faces = self.files.iter().flat_map(|file| {
            let faces = file.faces.iter();
            faces.map(move |face| (file, face))
        });
        faces.map(|(file, face)| self.row(file, face))
    }

    fn row(&self, file: &'a ArchivedFile, face: &'a ArchivedFace) -> Vec<Cell<'a>> {
        let text = |text: Option<&'a str>| Cell::Text(text.map(Cow::Borrowed));
        let weights = file.weights();
        let mut row = vec![
            text(Some(&file.file)),
            text(Some(self.grouping.group(&file.file))),
            text(file.recorded.as_deref()),
            text(file.camera.as_deref()),
            text(file.timecode.as_deref()),
            text(weights.map(|(model, _)| model)),
            text(weights.map(|(_, id)| id)),
            text(file.incomplete.as_deref()),
            Cell::Integer(face.id.map(i64::from)),
            Cell::Integer(face.place.and_then(|place| place.try_into().ok())),
            Cell::Float(Some(face.first_seen)),
            Cell::Float(Some(face.last_seen)),
            Cell::Integer(face.frames.try_into().ok()),
            text(face.emotion.as_deref()),
            Cell::Float(face.valence),
            Cell::Float(face.quality),
        ];
        let share = |emotion: &&str| face.emotions.get(*emotion).copied().unwrap_or(0.0);
        let shares = self.emotions.iter().map(share);
        row.extend(shares.map(|share| Cell::Float(Some(share))));
        row
    }

    /// As the contents of a CSV file (RFC 4180, with `\n`).
    pub(super) fn csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns().iter().map(|(name, _)| name))?;
        for row in self.rows() {
            writer.write_record(row.iter().map(ToString::to_string))?;
        }
        writer.into_inner().context("a table in memory is complete")
    }

    /// As the contents of a Parquet file.
    pub(super) fn parquet(&self) -> anyhow::Result<Vec<u8>> {
        let columns = self.columns();
        let columns = columns.iter().map(|(name, kind)| (name.as_str(), *kind));
        let mut table = ParquetTable::new(Vec::new(), "faces", columns)?;
        for row in self.rows() {
            table.push(row)?;
        }
        table.finish()
    }
}
