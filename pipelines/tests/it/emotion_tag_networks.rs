//! `emotion-tag`: the weights and the threshold that results are made with, and faces at rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::*;
use emotion_models::Weights;
use emotion_models::weights::WeightsId;
use emotion_tests::picture::portrait;
use emotion_tests::weights::ConstantAnswer;
use gstemotion::record::Record;
use serde_json::Value;

/// Tags a file with the weights in `weights`.
fn tag(out: &Path, weights: &Path, properties: &str, arguments: &[&str], file: &Path) -> Output {
    let properties = format!("model-location={} {properties}", weights.display());
    let output = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
        .arg("--json")
        .args([
            "--facedetect",
            "max-faces=1",
            "--emotionclassify",
            &properties,
        ])
        .arg("--out")
        .arg(out)
        .args(arguments)
        .arg(file)
        .output()
        .expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    output
}

/// What the run did with its only file.
fn outcome(output: &Output) -> Value {
    let events = events(output);
    events.iter().rev().nth(1).expect("two events")["event"].clone()
}

fn saved(archive: &Archive, answer: &ConstantAnswer) -> PathBuf {
    let path = archive.path("weights.safetensors");
    answer.weights().save(&path).expect("it is writable");
    path
}

#[test]
fn results_of_other_weights_or_another_threshold_are_out_of_date() {
    let archive = Archive::new();
    let out = archive.path("out");
    let first = ConstantAnswer {
        threshold: Some(0.4),
        ..ConstantAnswer::default()
    };
    let tagged = |answer: &ConstantAnswer, properties: &str| {
        let weights = saved(&archive, answer);
        outcome(&tag(&out, &weights, properties, &[], &portrait()))
    };
    assert_eq!(tagged(&first, ""), "tagged");
    assert_eq!(tagged(&first, ""), "tagged before");
    // Other values under the same name, in the same file.
    let second = ConstantAnswer {
        probabilities: [0.05, 0.05, 0.05, 0.5, 0.05, 0.05, 0.25],
        ..first.clone()
    };
    assert_eq!(tagged(&second, ""), "tagged");
    let strict = ConstantAnswer {
        threshold: Some(0.7),
        ..second.clone()
    };
    assert_eq!(tagged(&strict, ""), "tagged");
    assert_eq!(tagged(&strict, ""), "tagged before");
    assert_eq!(
        tagged(&strict, "threshold=0.7"),
        "tagged",
        "other properties"
    );
}

#[test]
fn results_of_other_weights_of_the_detector_are_out_of_date() {
    let archive = Archive::new();
    let out = archive.path("out");
    let path = archive.path("detector.safetensors");
    let detector = Weights::detector().expect("they are built in");
    detector.save(&path).expect("it is writable");
    let properties = format!("max-faces=1 model-location={}", path.display());
    let tagged = || {
        let output = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
            .args(["--json", "--facedetect", &properties, "--out"])
            .args([&out, &portrait()])
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{output:?}");
        outcome(&output)
    };
    assert_eq!(tagged(), "tagged");
    assert_eq!(tagged(), "tagged before");
    let summary = fs::read_to_string(out.join("astronaut.png.summary.json"));
    let summary: Value = serde_json::from_str(&summary.expect("it was written")).expect("JSON");
    let id = WeightsId::of(&detector);
    assert_eq!(
        summary["settings"]["detector"],
        serde_json::json!({"model": "face_net", "weights_id": id.fingerprint})
    );
    // The last value of the last tensor.
    let mut bytes = fs::read(&path).expect("it is readable");
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&0.125_f32.to_le_bytes());
    fs::write(&path, bytes).expect("it is writable");
    assert_eq!(tagged(), "tagged");
}

#[test]
fn settings_and_records_say_which_weights_and_threshold_made_them() {
    let archive = Archive::new();
    let out = archive.path("out");
    let answer = ConstantAnswer {
        threshold: Some(0.65),
        ..ConstantAnswer::default()
    };
    let weights = saved(&archive, &answer);
    for format in ["jsonl", "csv"] {
        tag(&out, &weights, "", &["--format", format], &portrait());
    }
    let fingerprint = WeightsId::of(&answer.weights()).fingerprint;
    let record = records(&out.join("astronaut.png.jsonl")).remove(0);
    assert_eq!(record.model.as_deref(), Some("constant"));
    assert_eq!(record.weights_id.as_ref(), Some(&fingerprint));
    assert_eq!(record.threshold, Some(0.65));
    assert_eq!(record.faces[0].emotion.as_deref(), Some("uncertain"));
    assert!(record.faces[0].quality.is_some_and(|quality| quality > 0.5));

    let csv = fs::read_to_string(out.join("astronaut.png.csv")).expect("it was written");
    let header = csv.lines().next().expect("a header");
    assert!(
        header.contains(",quality,model,weights_id,threshold,right_eye_x,"),
        "{header}"
    );
    let cells = format!(",constant,{fingerprint},0.65,");
    assert!(
        csv.lines().nth(1).expect("a face").contains(&cells),
        "{csv}"
    );

    let summary = fs::read_to_string(out.join("astronaut.png.summary.json"));
    let summary: Value = serde_json::from_str(&summary.expect("it was written")).expect("JSON");
    assert_eq!(
        summary["settings"]["classifier"],
        serde_json::json!({"model": "constant", "weights_id": fingerprint, "threshold": 0.65})
    );
    assert_eq!(summary["persons"][0]["emotion"], "uncertain");
    assert_eq!(summary["emotions"]["uncertain"], 1.0);
}

#[test]
fn after_a_moment_at_rest_faces_are_neutral() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mp4", 50..150, H264);
    let weights = saved(&archive, &ConstantAnswer::default());
    let labels = |out: &str, arguments: &[&str]| {
        let out = archive.path(out);
        tag(&out, &weights, "", arguments, &clip);
        let records = records(&out.join("clip.mp4.jsonl")).into_iter();
        let label = |record: Record| {
            let face = record.faces.into_iter().next()?;
            Some((record.stream_time?, face.emotion?))
        };
        records.filter_map(label).collect::<Vec<_>>()
    };
    let plain = labels("plain", &[]);
    assert!(plain.iter().all(|(_, label)| label == "happy"), "{plain:?}");
    let learnt = labels("learnt", &["--baseline", "0:01"]);
    let before = learnt.iter().filter(|(time, _)| *time < 2.0);
    assert!(
        before.clone().all(|(_, label)| label == "happy"),
        "{learnt:?}"
    );
    assert_eq!(
        learnt.last().map(|(_, label)| label.as_str()),
        Some("neutral")
    );
}

#[test]
fn a_moment_after_the_end_is_warned_of_and_one_that_is_none_is_rejected() {
    let archive = Archive::new();
    let weights = saved(&archive, &ConstantAnswer::default());
    let out = archive.path("out");
    let output = tag(&out, &weights, "", &["--baseline", "60"], &portrait());
    let warned = events(&output)
        .iter()
        .any(|event| event["event"] == "warning" && event.to_string().contains("--baseline 60"));
    assert!(warned, "{:?}", events(&output));

    let output = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
        .args(["--out", "nowhere", "--baseline", "soon", "a.mp4"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("1:02.5"));
}

#[test]
fn weights_that_cannot_be_loaded_end_the_run_before_the_first_file() {
    let archive = Archive::new();
    let out = archive.path("out");
    let output = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
        .args(["--emotionclassify", "model-location=/nowhere/w.safetensors"])
        .arg("--out")
        .arg(&out)
        .arg(portrait())
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        errors.matches("/nowhere/w.safetensors").count(),
        1,
        "{errors}"
    );
    assert!(names(&out).is_empty());
}
