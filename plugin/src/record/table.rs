//! Records as a table: a row for each face, and one without a face for a frame that has none.
//!
//! CSV and Parquet have the same [`columns`]. Probabilities have a column for each emotion of FER-2013; those of weights
//! with other labels are in JSON Lines only.
//!
//! How many zones and lines there are, nobody knows when the header is written. So `in_zones` has the names of the zones of a
//! face, and `zones` and `lines` have the counts of the frame as JSON, as in JSON Lines.

use std::borrow::Cow;

use emotion_models::Emotion;
use serde::Serialize;

use super::{FaceRecord, LandmarkRecord, NormalizedBox, PixelBox, Record};
use crate::frame_time::FrameTime;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// The type of its cells. Only the frame's size and the shape of its pixels have a value in every row.
    pub kind: ColumnType,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ColumnType {
    Float,
    Integer,
    Boolean,
    Text,
}

/// A cell of the table; None where the value is unknown.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Cell<'a> {
    Float(Option<f64>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    Text(Option<Cow<'a, str>>),
}

/// A row of the table: a cell for each of [`columns`].
pub type TableRow<'a> = [Cell<'a>; COUNT];

/// How many columns there are.
const COUNT: usize = 47;

/// All columns in their order. `faces` is the number of faces of the frame; `x` to `height` are in pixels; the pixel aspect
/// ratio is 1 where pixels are square; `in_zones` are separated by semicolons.
pub fn columns() -> [Column; COUNT] {
    let record = Record::new(FrameTime::default(), 0, 0, &[]);
    named_row(&record, None, &FrameCounts::default()).map(|(name, cell)| Column {
        name,
        kind: cell.kind(),
    })
}

/// The rows of a record.
pub fn rows(record: &Record) -> impl Iterator<Item = TableRow<'_>> {
    let faces = record.faces.iter().map(Some);
    let none = record.faces.is_empty().then_some(None);
    let counts = FrameCounts {
        zones: json(&record.zones),
        lines: json(&record.lines),
    };
    let rows = faces
        .chain(none)
        .map(move |face| named_row(record, face, &counts));
    rows.map(|row| row.map(|(_, cell)| cell))
}

/// The counts of zones and lines as JSON, if there are any.
#[derive(Debug, Default)]
struct FrameCounts {
    zones: Option<String>,
    lines: Option<String>,
}

fn json<T: Serialize>(counts: &[T]) -> Option<String> {
    // Numbers and texts alone are always JSON.
    (!counts.is_empty()).then(|| serde_json::to_string(counts).unwrap_or_default())
}

/// The zones that the person with this face is in, if there is one.
fn zones_of(record: &Record, face: &FaceRecord) -> Option<String> {
    let id = face.id?;
    let zones = record.zones.iter();
    let zones = zones.filter(|zone| zone.present.iter().any(|person| person.id == id));
    let names: Vec<_> = zones.map(|zone| zone.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(";"))
}

fn named_row<'a>(
    record: &'a Record,
    face: Option<&'a FaceRecord>,
    counts: &FrameCounts,
) -> [(&'static str, Cell<'a>); COUNT] {
    use Cell::{Boolean, Float, Integer};
    let text = |text: Option<&'a str>| Cell::Text(text.map(Cow::Borrowed));
    let owned = |text: Option<String>| Cell::Text(text.map(Cow::Owned));
    let pixel = |of: fn(&PixelBox) -> i64| Integer(face.map(|face| of(&face.pixels)));
    let fraction = |of: fn(&NormalizedBox) -> f64| Float(face.map(|face| of(&face.box_normalized)));
    let point = |of: fn(&LandmarkRecord) -> f64| {
        Float(face.and_then(|face| face.landmarks.as_ref()).map(of))
    };
    let probability = |index: usize| {
        let name = Emotion::ALL[index].name();
        let all = face.and_then(|face| face.probabilities.as_ref());
        let found = all.and_then(|all| all.0.iter().find(|(label, _)| label == name));
        (name, Float(found.map(|(_, probability)| *probability)))
    };
    [
        ("stream_time", Float(record.stream_time)),
        ("running_time", Float(record.running_time)),
        ("wall_clock", text(record.wall_clock.as_deref())),
        ("source", text(record.source.as_deref())),
        (
            "frame",
            Integer(record.frame.and_then(|frame| i64::try_from(frame).ok())),
        ),
        ("frame_width", Integer(Some(record.width.into()))),
        ("frame_height", Integer(Some(record.height.into()))),
        (
            "pixel_aspect_ratio",
            Float(Some(record.pixel_aspect_ratio.unwrap_or(1.0))),
        ),
        ("faces", Integer(Some(record.faces.len() as i64))),
        ("id", Integer(face.and_then(|face| face.id).map(i64::from))),
        ("x", pixel(|pixels| pixels.x.into())),
        ("y", pixel(|pixels| pixels.y.into())),
        ("width", pixel(|pixels| pixels.width.into())),
        ("height", pixel(|pixels| pixels.height.into())),
        ("x_normalized", fraction(|fractions| fractions.x)),
        ("y_normalized", fraction(|fractions| fractions.y)),
        ("width_normalized", fraction(|fractions| fractions.width)),
        ("height_normalized", fraction(|fractions| fractions.height)),
        (
            "detection_confidence",
            Float(face.and_then(|face| face.detection_confidence)),
        ),
        (
            "emotion",
            text(face.and_then(|face| face.emotion.as_deref())),
        ),
        ("uncertain", Boolean(face.and_then(|face| face.uncertain))),
        ("confidence", Float(face.and_then(|face| face.confidence))),
        probability(0),
        probability(1),
        probability(2),
        probability(3),
        probability(4),
        probability(5),
        probability(6),
        ("valence", Float(face.and_then(|face| face.valence))),
        ("quality", Float(face.and_then(|face| face.quality))),
        ("model", text(record.model.as_deref())),
        ("weights_id", text(record.weights_id.as_deref())),
        ("threshold", Float(record.threshold)),
        ("right_eye_x", point(|points| points.right_eye_x)),
        ("right_eye_y", point(|points| points.right_eye_y)),
        ("left_eye_x", point(|points| points.left_eye_x)),
        ("left_eye_y", point(|points| points.left_eye_y)),
        ("nose_x", point(|points| points.nose_x)),
        ("nose_y", point(|points| points.nose_y)),
        ("right_mouth_x", point(|points| points.right_mouth_x)),
        ("right_mouth_y", point(|points| points.right_mouth_y)),
        ("left_mouth_x", point(|points| points.left_mouth_x)),
        ("left_mouth_y", point(|points| points.left_mouth_y)),
        (
            "in_zones",
            owned(face.and_then(|face| zones_of(record, face))),
        ),
        ("zones", owned(counts.zones.clone())),
        ("lines", owned(counts.lines.clone())),
    ]
}

impl Cell<'_> {
    fn kind(&self) -> ColumnType {
        match self {
            Self::Float(_) => ColumnType::Float,
            Self::Integer(_) => ColumnType::Integer,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Text(_) => ColumnType::Text,
        }
    }
}

/// The first line of a CSV file, with its line break.
pub fn csv_header() -> String {
    columns().map(|column| column.name).join(",") + "\n"
}

/// Appends the rows of a record to `text` as lines of CSV (RFC 4180, with `\n`). An unknown value is an empty field.
pub fn append_csv(record: &Record, text: &mut Vec<u8>) {
    let mut writer = csv::Writer::from_writer(text);
    for row in rows(record) {
        // Cannot fail: writing to a vector succeeds, and all rows have the same number of fields.
        let _ = writer.write_record(row.map(|value| value.to_string()));
    }
}

impl std::fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Float(Some(value)) => write!(f, "{value}"),
            Self::Integer(Some(value)) => write!(f, "{value}"),
            Self::Boolean(Some(value)) => write!(f, "{value}"),
            Self::Text(Some(value)) => f.write_str(value),
            Self::Float(None) | Self::Integer(None) | Self::Boolean(None) | Self::Text(None) => {
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
