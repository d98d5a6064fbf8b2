use super::*;
use crate::face::Detection;

fn face() -> Face {
    Face {
        roi_id: 9,
        x: -10,
        y: 70,
        width: 140,
        height: 90,
        detection: Some(Detection {
            confidence: 0.9400000001,
            ..Detection::default()
        }),
        object_id: Some(3),
        landmarks: None,
        emotion: Some(EmotionResult {
            label: "sad".into(),
            label_id: 1,
            confidence: 0.699_999_988_079_071,
            model_name: "any".into(),
            weights_id: "0123456789abcdef".into(),
            threshold: Some(0.45),
            labels: ["zest", "sad", "anger"].map(String::from).to_vec(),
            probabilities: vec![0.1, 0.699_999_988_079_071, 0.2],
            valence: Some(-0.500_000_01),
            quality: Some(0.912_345_67),
            ..EmotionResult::default()
        }),
    }
}

fn bare(face: Face) -> Face {
    Face {
        detection: None,
        object_id: None,
        landmarks: None,
        emotion: None,
        ..face
    }
}

fn json(record: &Record) -> String {
    serde_json::to_string(record).unwrap()
}

#[test]
fn a_record_has_the_documented_fields_in_order_and_rounded() {
    let time = FrameTime {
        stream: Some(gst::ClockTime::from_nseconds(2_040_000_001)),
        running: Some(gst::ClockTime::from_mseconds(40)),
    };
    let record = Record::new(time, 640, 360, &[face()])
        .with_source(Some("hall".into()))
        .with_frame(Some(51))
        .with_wall_clock(Some("2026-01-31T12:00:00Z".into()));
    assert_eq!(
        json(&record),
        concat!(
            r#"{"version":2,"source":"hall","frame":51,"stream_time":2.040000001,"running_time":0.04,"#,
            r#""wall_clock":"2026-01-31T12:00:00Z","width":640,"height":360,"#,
            r#""model":"any","weights_id":"0123456789abcdef","threshold":0.45,"faces":["#,
            r#"{"id":3,"box":{"x":-10,"y":70,"width":140,"height":90},"#,
            r#""box_normalized":{"x":-0.015625,"y":0.194444,"width":0.21875,"height":0.25},"#,
            r#""detection_confidence":0.94,"emotion":"sad","uncertain":false,"confidence":0.7,"#,
            r#""probabilities":{"zest":0.1,"sad":0.7,"anger":0.2},"valence":-0.5,"quality":0.912346}]}"#
        )
    );
}

#[test]
fn unknown_times_are_null_and_other_unknown_fields_are_left_out() {
    assert_eq!(
        json(&Record::new(FrameTime::default(), 4, 2, &[bare(face())])),
        concat!(
            r#"{"version":2,"stream_time":null,"running_time":null,"width":4,"height":2,"#,
            r#""faces":[{"box":{"x":-10,"y":70,"width":140,"height":90},"#,
            r#""box_normalized":{"x":-2.5,"y":35.0,"width":35.0,"height":45.0}}]}"#
        )
    );
}

#[test]
fn the_shape_of_pixels_is_there_unless_they_are_square() {
    let record = Record::new(FrameTime::default(), 720, 576, &[]);
    let shaped = |numer, denom| {
        let ratio = gst::Fraction::new(numer, denom);
        json(&record.clone().with_pixel_aspect_ratio(ratio))
    };
    assert_eq!(shaped(1, 1), json(&record));
    let wide = shaped(64, 45);
    assert!(
        wide.contains(r#""height":576,"pixel_aspect_ratio":1.422222,"faces""#),
        "{wide}"
    );
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    for record in [
        Record::new(FrameTime::default(), 640, 360, &[face(), bare(face())]),
        Record::new(FrameTime::default(), 1, 1, &[])
            .with_pixel_aspect_ratio(gst::Fraction::new(8, 9)),
    ] {
        assert_eq!(
            serde_json::from_str::<Record>(&json(&record)).unwrap(),
            record
        );
    }
}

#[test]
fn numbers_that_json_cannot_carry_become_zero() {
    let mut face = face();
    face.emotion.as_mut().unwrap().probabilities = vec![f64::NAN, f64::INFINITY, 1.0];
    let record = Record::new(FrameTime::default(), 0, 0, &[face]);
    let back: Record = serde_json::from_str(&json(&record)).unwrap();
    let values: Vec<f64> = back.faces[0]
        .probabilities
        .as_ref()
        .unwrap()
        .0
        .iter()
        .map(|(_, p)| *p)
        .collect();
    assert_eq!(values, [0.0, 0.0, 1.0]);
}

#[test]
fn probabilities_that_are_no_object_are_refused_with_a_reason() {
    let text = json(&Record::new(FrameTime::default(), 1, 1, &[face()]))
        .replace(r#"{"zest":0.1,"sad":0.7,"anger":0.2}"#, "[0.1, 0.9]");
    let error = serde_json::from_str::<Record>(&text)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("an object with a probability for each emotion"),
        "{error}"
    );
}

#[test]
fn landmarks_are_named_and_in_fractions_of_the_frame() {
    let points = [[0.1, 0.2], [0.3, 0.2], [0.2, 0.3], [0.15, 0.4], [0.25, 0.4]];
    let face = Face {
        landmarks: Some(Landmarks(points)),
        ..face()
    };
    let record = Record::new(FrameTime::default(), 640, 360, &[face]);
    let text = json(&record);
    assert!(
        text.contains(
            r#""landmarks":{"right_eye_x":0.1,"right_eye_y":0.2,"left_eye_x":0.3,"left_eye_y":0.2,"nose_x":0.2,"#
        ),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
}
