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
        "facedetect ! emotionclassify ! emotionpublish wall-clock=true source=hall location={}",
        path.display()
    );
    let mut harness = harness(&line, &info);
    let (_, blank) = blank(VideoFormat::Gray8, info.width(), info.height());
    let mut without_time = portrait.clone();
    without_time.make_mut().set_pts(None);
    for buffer in [at(portrait, 0), at(blank, 40), without_time] {
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
    assert_eq!(records.len(), 3);
    assert!(records[0]["faces"][0]["probabilities"].is_object());
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
    let of_face = schema["$defs"]["face"]["properties"].as_object().unwrap();
    let records = records();
    for record in &records {
        for name in record.as_object().unwrap().keys() {
            assert!(of_record.contains_key(name), "{name}");
        }
        for face in record["faces"].as_array().unwrap() {
            for name in face.as_object().unwrap().keys() {
                assert!(of_face.contains_key(name), "{name}");
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
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        assert!(!validator.is_valid(&bad), "{path}");
    }
}
