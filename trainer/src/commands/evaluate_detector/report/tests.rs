use emotion_models::preprocess::Region;

use super::*;
use crate::detector::evaluation::EvaluatedImage;
use crate::detector::matching::ScoredBox;

fn evaluation() -> DetectionMetrics {
    let face = Region {
        x: 0.0,
        y: 0.0,
        width: 40.0,
        height: 50.0,
    };
    let found = ScoredBox {
        region: face,
        score: 0.9,
        landmarks: None,
    };
    DetectionMetrics::new(&[EvaluatedImage {
        source: None,
        landmarks: vec![],
        faces: vec![face, Region { x: 90.0, ..face }],
        ignored: vec![],
        found: vec![found],
    }])
}

fn report(evaluation: &DetectionMetrics) -> DetectorReport<'_> {
    DetectorReport {
        detector: "mine",
        data: "pictures",
        threshold: 0.5,
        evaluation,
        in_other_light: &[],
        made: None,
    }
}

#[test]
fn machines_read_fractions_in_all_and_by_size() {
    let evaluation = evaluation();
    let json = report(&evaluation).json();
    assert_eq!(json["ap50"], 0.5);
    assert_eq!(
        (&json["recall"], &json["precision"]),
        (&json!(0.5), &json!(1.0))
    );
    let sizes = json["by_size"].as_array().unwrap();
    assert_eq!(
        (&sizes[2]["faces"], &sizes[2]["recall"]),
        (&json!(2), &json!(0.5))
    );
    assert_eq!(
        (&sizes[0]["faces"], &sizes[0]["recall"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(sizes[4]["to"], Value::Null);
    assert!(json.get("in_other_light").is_none());
}

#[test]
fn people_read_a_row_for_each_size() {
    let evaluation = evaluation();
    let table = report(&evaluation).table();
    let row = table.lines().find(|line| line.starts_with("32 to 64 px"));
    let columns: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(
        columns[4..],
        [
            "2", "50.0", "%", "50.0", "%", "50.0", "%", "(", "50.0", "%)", "100.0", "%", "(100.0",
            "%)"
        ]
    );
    assert!(table.contains("from 128 px               0\n"), "{table}");
}
