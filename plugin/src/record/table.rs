//! Records as a table: a row for each face, and one without a face for a frame that has none.
//!
//! CSV and Parquet have the same [`COLUMNS`]. Probabilities have a column for each emotion of FER-2013; those of models
//! with other labels stand in JSON Lines only.

use emotion_models::Emotion;

use super::{FaceRecord, NormalizedBox, PixelBox, Record};

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// The type of its values; all of them but those of the frame's size may be missing.
    pub kind: Kind,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Float,
    Integer,
    Boolean,
    Text,
}

/// A cell of the table; None where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub enum Value<'a> {
    Float(Option<f64>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    Text(Option<&'a str>),
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

/// All columns in their order. `faces` is the number of faces of the frame; `x` to `height` are in pixels.
pub const COLUMNS: [Column; 28] = {
    use Kind::{Boolean, Float, Integer, Text};
    [
        column("stream_time", Float),
        column("running_time", Float),
        column("wall_clock", Text),
        column("source", Text),
        column("frame_width", Integer),
        column("frame_height", Integer),
        column("faces", Integer),
        column("id", Integer),
        column("x", Integer),
        column("y", Integer),
        column("width", Integer),
        column("height", Integer),
        column("x_normalized", Float),
        column("y_normalized", Float),
        column("width_normalized", Float),
        column("height_normalized", Float),
        column("detection_confidence", Float),
        column("emotion", Text),
        column("uncertain", Boolean),
        column("confidence", Float),
        column(Emotion::ALL[0].name(), Float),
        column(Emotion::ALL[1].name(), Float),
        column(Emotion::ALL[2].name(), Float),
        column(Emotion::ALL[3].name(), Float),
        column(Emotion::ALL[4].name(), Float),
        column(Emotion::ALL[5].name(), Float),
        column(Emotion::ALL[6].name(), Float),
        column("valence", Float),
    ]
};

/// A row of the table: one value for each of [`COLUMNS`].
pub type Row<'a> = [Value<'a>; COLUMNS.len()];

/// The rows of a record.
pub fn rows(record: &Record) -> impl Iterator<Item = Row<'_>> {
    let faces = record.faces.iter().map(Some);
    let none = record.faces.is_empty().then_some(None);
    faces.chain(none).map(|face| row(record, face))
}

fn row<'a>(record: &'a Record, face: Option<&'a FaceRecord>) -> Row<'a> {
    use Value::{Boolean, Float, Integer, Text};
    let pixel = |of: fn(&PixelBox) -> i64| Integer(face.map(|face| of(&face.pixels)));
    let share = |of: fn(&NormalizedBox) -> f64| Float(face.map(|face| of(&face.box_normalized)));
    let probability = |index: usize| {
        let all = face.and_then(|face| face.probabilities.as_ref());
        let name = Emotion::ALL[index].name();
        let found = all.and_then(|all| all.0.iter().find(|(label, _)| label == name));
        Float(found.map(|(_, probability)| *probability))
    };
    [
        Float(record.stream_time),
        Float(record.running_time),
        Text(record.wall_clock.as_deref()),
        Text(record.source.as_deref()),
        Integer(Some(record.width.into())),
        Integer(Some(record.height.into())),
        Integer(Some(record.faces.len() as i64)),
        Integer(face.and_then(|face| face.id).map(i64::from)),
        pixel(|pixels| pixels.x.into()),
        pixel(|pixels| pixels.y.into()),
        pixel(|pixels| pixels.width.into()),
        pixel(|pixels| pixels.height.into()),
        share(|shares| shares.x),
        share(|shares| shares.y),
        share(|shares| shares.width),
        share(|shares| shares.height),
        Float(face.and_then(|face| face.detection_confidence)),
        Text(face.and_then(|face| face.emotion.as_deref())),
        Boolean(face.and_then(|face| face.uncertain)),
        Float(face.and_then(|face| face.confidence)),
        probability(0),
        probability(1),
        probability(2),
        probability(3),
        probability(4),
        probability(5),
        probability(6),
        Float(face.and_then(|face| face.valence)),
    ]
}

/// The first line of a CSV file, with its line break.
pub fn csv_header() -> String {
    COLUMNS.map(|column| column.name).join(",") + "\n"
}

/// Appends the rows of a record to `text` as lines of CSV (RFC 4180, with `\n`); what is not known is an empty field.
pub fn append_csv(record: &Record, text: &mut Vec<u8>) {
    let mut writer = csv::Writer::from_writer(text);
    for row in rows(record) {
        // A vector takes everything, and all rows have the same number of fields.
        let _ = writer.write_record(row.map(|value| value.to_string()));
    }
}

impl std::fmt::Display for Value<'_> {
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
mod tests {
    use super::*;
    use crate::face::{EmotionResult, Face};
    use crate::record::Times;

    fn record(faces: usize) -> Record {
        let face = Face {
            roi_id: 1,
            x: -10,
            y: 70,
            width: 140,
            height: 90,
            detection: None,
            object_id: Some(3),
            emotion: Some(EmotionResult {
                label: "sad".into(),
                label_id: 4,
                confidence: 0.5,
                labels: Emotion::ALL.map(|emotion| emotion.name().into()).to_vec(),
                probabilities: vec![0.1, 0.0, 0.1, 0.1, 0.5, 0.1, 0.1],
                ..EmotionResult::default()
            }),
        };
        let times = Times {
            stream: Some(gst::ClockTime::from_mseconds(2040)),
            ..Times::default()
        };
        Record::new(times, 640, 360, &vec![face; faces]).from_source(Some("a, \"b\"".into()))
    }

    fn lines(record: &Record) -> String {
        let mut text = Vec::new();
        append_csv(record, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn each_face_is_a_line_under_the_header_and_quoted_where_it_must_be() {
        let text = csv_header() + &lines(&record(2));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), COLUMNS.len());
        let rows: Vec<std::collections::HashMap<String, String>> =
            reader.deserialize().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        for (name, value) in [
            ("stream_time", "2.04"),
            ("running_time", ""),
            ("source", "a, \"b\""),
            ("faces", "2"),
            ("id", "3"),
            ("x", "-10"),
            ("x_normalized", "-0.015625"),
            ("detection_confidence", ""),
            ("emotion", "sad"),
            ("uncertain", "false"),
            ("sad", "0.5"),
            ("disgust", "0"),
            ("valence", ""),
        ] {
            assert_eq!(rows[1][name], value, "{name}");
        }
    }

    #[test]
    fn a_frame_without_faces_keeps_its_line() {
        let text = lines(&record(0));
        assert_eq!(text.lines().count(), 1);
        assert!(
            text.starts_with("2.04,,,\"a, \"\"b\"\"\",640,360,0,,"),
            "{text}"
        );
    }

    #[test]
    fn every_value_has_the_type_of_its_column() {
        for row in rows(&record(1)) {
            for (column, value) in COLUMNS.iter().zip(row) {
                let kind = match value {
                    Value::Float(_) => Kind::Float,
                    Value::Integer(_) => Kind::Integer,
                    Value::Boolean(_) => Kind::Boolean,
                    Value::Text(_) => Kind::Text,
                };
                assert_eq!(kind, column.kind, "{}", column.name);
            }
        }
    }
}
