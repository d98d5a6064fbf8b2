use super::super::timeline::tests::{face, record, timeline};
use super::*;
use crate::tag::inputs::InputOrigin;
use serde_json::Value;

pub(in crate::tag) const CONTENT: &str = "0123456789abcdef";

pub(in crate::tag) fn input() -> InputFile {
    InputFile {
        path: "talks/talk.mp4".into(),
        absolute: "/archive/talks/talk.mp4".into(),
        name: "talks/talk.mp4".into(),
        captions: "talks/talk".into(),
        size: 1234,
        origin: InputOrigin::Local,
    }
}

pub(in crate::tag) fn summary() -> Value {
    let timeline = timeline(vec![
        record(0.0, vec![face(1, 0, "happy", 0.5), face(2, 0, "sad", 0.75)]),
        record(1.0, vec![face(1, 0, "happy", 1.0)]),
        record(2.0, vec![face(1, 0, "neutral", 0.5)]),
        record(3.0, vec![]),
    ]);
    let about = About {
        input: &input(),
        content: CONTENT,
        validator: None,
        settings: &Settings::default(),
        arithmetic: "AVX2 f32",
        outputs: &["talk.jsonl".into()],
        retried: Some("a decoder crashed"),
        incomplete: None,
        recording: &Recording {
            recorded: Some("2024-05-06T07:08:09Z".into()),
            ..Recording::default()
        },
    };
    let text = json(about, &timeline).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_summary_has_the_file_and_each_person() {
    let summary = summary();
    assert_eq!(summary["file"], "talks/talk.mp4");
    assert_eq!(summary["retried"], "a decoder crashed");
    assert_eq!(summary["arithmetic"], "AVX2 f32");
    // The same on each machine, wherever the file lies.
    assert_eq!(
        summary["input"],
        serde_json::json!({"size": 1234, "content": CONTENT})
    );
    assert_eq!(summary["recorded"], "2024-05-06T07:08:09Z");
    assert_eq!(summary.get("camera"), None);
    assert_eq!(summary["duration"], 4.0);
    assert_eq!(
        (&summary["frames"], &summary["frames_with_faces"]),
        (&4.into(), &3.into())
    );
    assert_eq!(
        summary["emotions"],
        serde_json::json!({"happy": 0.5, "neutral": 0.25, "sad": 0.25})
    );
    let first = &summary["persons"][0];
    assert_eq!(
        (&first["id"], &first["emotion"]),
        (&1.into(), &"happy".into())
    );
    assert_eq!(
        (&first["first_seen"], &first["last_seen"]),
        (&0.0.into(), &3.0.into())
    );
    assert_eq!(first["emotions"]["happy"], 0.666667);
    assert_eq!(first["probabilities"]["happy"], 0.666667);
    assert_eq!(first["quality"], 1.0);
    assert_eq!(
        first["spans"],
        serde_json::json!([[0.0, 2.0, "happy", 1.0], [2.0, 3.0, "neutral", 0.5]])
    );
    assert_eq!(first["peaks"].as_array().unwrap().len(), 1);
    assert_eq!(first["peaks"][0]["time"], 1.0);
    assert_eq!(summary["persons"][1]["peaks"][0]["emotion"], "sad");
}
