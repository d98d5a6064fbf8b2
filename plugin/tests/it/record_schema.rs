//! The records of `emotionpublish` conform to the published JSON Schema.

use std::fs;
use std::path::Path;

use crate::common::*;
use gst_video::VideoFormat;
use serde_json::Value;

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/schema/record.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Records of the portrait and of a black frame, as the elements write them.
fn records() -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.jsonl");
    let (info, portrait) = portrait(VideoFormat::Gray8);
    let line = format!(
        "facedetect ! emotionclassify ! emotionzones zones=\"all=0,0 1,0 1,1 0,1 limit=5;none=0,0.9 0.1,0.9 0,1\" \
         lines=\"door=0.1,0 0.1,1\" max-absence=0 ! emotionpublish wall-clock=true source=hall location={}",
        path.display()
    );
    let mut harness = harness(&line, &info);
    let (_, blank) = blank(VideoFormat::Gray8, info.width(), info.height());
    let mut without_time = portrait.clone();
    without_time.make_mut().set_pts(None);
    for buffer in [
        at(portrait, 0),
        at(blank, 40),
        at(without_time.clone(), 80),
        without_time,
    ] {
        harness.push_and_pull(buffer).unwrap();
    }
    harness.push_event(gst::event::Eos::new());
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn records_of_the_elements_are_valid() {
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema())
        .unwrap();
    let records = records();
    assert_eq!(records.len(), 4);
    assert!(records[0]["faces"][0]["probabilities"].is_object());
    let zones: Vec<&Value> = records.iter().map(|record| &record["zones"][0]).collect();
    assert!(zones[0]["present"][0]["id"].is_i64() && zones[0]["emotions"].is_object());
    assert!(zones[1]["dwell"]["count"] == 1);
    assert!(records[0]["lines"][0]["in"].is_u64());
    for record in &records {
        let errors: Vec<_> = validator
            .iter_errors(record)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{record}: {errors:?}");
    }
}

#[test]
fn the_schema_names_every_field_that_is_written() {
    let schema = schema();
    let of_record = schema["properties"].as_object().unwrap();
    let of_part = |part: &str| schema["$defs"][part]["properties"].as_object().unwrap();
    let records = records();
    for record in &records {
        for name in record.as_object().unwrap().keys() {
            assert!(of_record.contains_key(name), "{name}");
        }
        for (field, part) in [("faces", "face"), ("zones", "zone"), ("lines", "line")] {
            for item in record[field].as_array().unwrap() {
                for name in item.as_object().unwrap().keys() {
                    assert!(of_part(part).contains_key(name), "{name}");
                }
            }
        }
    }
}

#[test]
fn what_contradicts_the_schema_is_refused() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = records().remove(0);
    for (path, value) in [
        ("/version", Value::from(1)),
        ("/frame", Value::from(-1)),
        ("/stream_time", Value::from("0")),
        ("/faces/0/confidence", Value::from(1.5)),
        ("/faces/0/box/x", Value::Null),
        ("/faces/0/probabilities", Value::from(vec![0.5, 0.5])),
        ("/wall_clock", Value::from("yesterday")),
        ("/zones/0/people", Value::from(-1)),
        ("/zones/0/present/0/dwell", Value::Null),
        ("/zones/0/emotions", Value::from(vec![0.5])),
        ("/lines/0/in", Value::from(0.5)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        assert!(!validator.is_valid(&bad), "{path}");
    }
}
