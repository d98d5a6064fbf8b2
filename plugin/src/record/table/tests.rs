use emotion_models::preprocess::Landmarks;

use super::super::{LineRecord, PresentRecord, ZoneRecord};
use super::*;
use crate::face::{EmotionResult, Face};

fn record(faces: usize) -> Record {
    let face = Face {
        roi_id: 1,
        x: -10,
        y: 70,
        width: 140,
        height: 90,
        detection: None,
        object_id: Some(3),
        landmarks: Some(Landmarks([
            [0.1, 0.2],
            [0.3, 0.2],
            [0.2, 0.3],
            [0.15, 0.4],
            [0.25, 0.4],
        ])),
        emotion: Some(EmotionResult {
            label: "sad".into(),
            label_id: 4,
            confidence: 0.5,
            labels: Emotion::ALL.map(|emotion| emotion.name().into()).to_vec(),
            probabilities: vec![0.1, 0.0, 0.1, 0.1, 0.5, 0.1, 0.1],
            model_name: "any".into(),
            weights_id: "0123456789abcdef".into(),
            threshold: Some(0.45),
            quality: Some(0.75),
            ..EmotionResult::default()
        }),
    };
    let time = FrameTime {
        stream: Some(gst::ClockTime::from_mseconds(2040)),
        ..FrameTime::default()
    };
    Record::new(time, 640, 360, &vec![face; faces])
        .with_source(Some("a, \"b\"".into()))
        .with_frame(Some(51))
        .with_pixel_aspect_ratio(gst::Fraction::new(16, 15))
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
    assert_eq!(reader.headers().unwrap().len(), COUNT);
    let rows: Vec<std::collections::HashMap<String, String>> =
        reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    for (name, value) in [
        ("stream_time", "2.04"),
        ("running_time", ""),
        ("source", "a, \"b\""),
        ("frame", "51"),
        ("pixel_aspect_ratio", "1.066667"),
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
        ("quality", "0.75"),
        ("model", "any"),
        ("weights_id", "0123456789abcdef"),
        ("threshold", "0.45"),
        ("right_eye_x", "0.1"),
        ("left_mouth_y", "0.4"),
    ] {
        assert_eq!(rows[1][name], value, "{name}");
    }
}

/// A zone with these people in it.
fn zone(name: &str, ids: &[i32]) -> ZoneRecord {
    let present = ids.iter().map(|&id| PresentRecord { id, dwell: 1.5 });
    ZoneRecord {
        name: name.into(),
        people: ids.len() as u32,
        present: present.collect(),
        entered: 2,
        left: 1,
        limit: None,
        exceeded: None,
        dwell: None,
        emotions: None,
    }
}

#[test]
fn the_zones_of_a_face_have_a_column_and_so_have_the_counts_of_all_as_json() {
    let mut record = record(1);
    record.zones = vec![
        zone("till", &[3]),
        zone("a, b", &[7]),
        zone("hall", &[7, 3]),
    ];
    record.lines = vec![LineRecord {
        name: "door".into(),
        crossed_in: 7,
        crossed_out: 4,
        in_name: "in".into(),
        out_name: "out".into(),
    }];
    let field = |record: &Record, name: &str| {
        let text = csv_header() + &lines(record);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row: std::collections::HashMap<String, String> =
            reader.deserialize().next().expect("a row").unwrap();
        row[name].clone()
    };
    assert_eq!(field(&record, "in_zones"), "till;hall");
    let zones: Vec<ZoneRecord> = serde_json::from_str(&field(&record, "zones")).unwrap();
    assert_eq!(zones, record.zones);
    let of_lines = field(&record, "lines");
    assert_eq!(
        of_lines,
        r#"[{"name":"door","in":7,"out":4,"in_name":"in","out_name":"out"}]"#
    );

    record.faces[0].id = Some(8);
    assert_eq!(field(&record, "in_zones"), "");
    record.faces.clear();
    assert_eq!(field(&record, "lines"), of_lines);
    record.zones.clear();
    assert_eq!(field(&record, "zones"), "");
}

#[test]
fn a_frame_without_faces_keeps_its_line() {
    let text = lines(&record(0));
    assert_eq!(text.lines().count(), 1);
    assert!(
        text.starts_with("2.04,,,\"a, \"\"b\"\"\",51,640,360,1.066667,0,,"),
        "{text}"
    );
}

#[test]
fn every_value_has_the_type_of_its_column() {
    for row in rows(&record(1)) {
        for (column, value) in columns().iter().zip(row) {
            let kind = match value {
                Cell::Float(_) => ColumnType::Float,
                Cell::Integer(_) => ColumnType::Integer,
                Cell::Boolean(_) => ColumnType::Boolean,
                Cell::Text(_) => ColumnType::Text,
            };
            assert_eq!(kind, column.kind, "{}", column.name);
        }
    }
}
