//! Weights at work outside of training, as people run the program.

use std::path::{Path, PathBuf};

use emotion_models::Classifier;
use serde_json::Value;

use crate::common::process::{emotion_trainer, stdout};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// What a run that succeeds prints.
fn printed(arguments: &[&str], folder: &Path) -> String {
    stdout(&emotion_trainer(arguments, folder))
}

fn json_lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn media() -> PathBuf {
    emotion_tests::repository("tests/media")
}

fn face_pixels() -> Vec<u8> {
    (0..48 * 48).map(|i| (i % 48 * 5) as u8).collect()
}

/// A folder with `face.pgm`, a face as those of FER-2013, and `notes.txt`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pgm = [&b"P5 48 48 255\n"[..], &face_pixels()].concat();
    std::fs::write(folder.path().join("face.pgm"), pgm).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
    folder
}

fn probabilities(face: &Value) -> Vec<(String, f64)> {
    let object = face["probabilities"].as_object().unwrap();
    object
        .iter()
        .map(|(label, probability)| (label.clone(), probability.as_f64().unwrap()))
        .collect()
}

#[test]
fn a_picture_that_is_a_face_has_the_probabilities_of_the_classifier() {
    let arguments = [
        "predict",
        "--crop",
        "none",
        "--threshold",
        "0",
        "--json",
        "face.pgm",
    ];
    let picture = &json_lines(&printed(&arguments, folder().path()))[0];
    assert_eq!(picture["image"], "face.pgm");
    assert_eq!(
        (&picture["width"], &picture["height"]),
        (&48.into(), &48.into())
    );
    let [face] = &picture["faces"].as_array().unwrap()[..] else {
        panic!("{picture}")
    };
    assert_eq!(
        face["box"],
        serde_json::json!({ "x": 0, "y": 0, "width": 48, "height": 48 })
    );
    assert!(face.get("detection").is_none(), "nobody looked for it");

    let input: Vec<f32> = face_pixels()
        .iter()
        .map(|&grey| f32::from(grey) * (2.0 / 255.0) - 1.0)
        .collect();
    let mut classifier = Classifier::embedded().unwrap();
    let expected = &classifier.classify(&input).unwrap()[0];
    for ((label, found), (expected_label, expected)) in probabilities(face).iter().zip(
        classifier
            .metadata()
            .labels
            .iter()
            .zip(expected.probabilities()),
    ) {
        assert_eq!(label, expected_label);
        assert!((found - f64::from(*expected)).abs() < 1e-4, "{label}");
    }
    let best = &classifier.metadata().labels[expected.best().0];
    assert_eq!(face["emotion"], best.as_str());
    assert_eq!(face["uncertain"], false);
    let id = classifier.weights_id();
    assert_eq!(
        (&picture["model"], &picture["weights_id"]),
        (&Value::from(&*id.name), &Value::from(&*id.fingerprint))
    );
}

mod with_a_threshold {
    use super::*;
    use emotion_tests::weights::ConstantAnswer;

    /// What is printed about the portrait with weights of this threshold and cover.
    fn printed_with(threshold: f32, cover: f32, arguments: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let answer = ConstantAnswer {
            threshold: Some(threshold),
            cover: Some(cover),
            ..ConstantAnswer::default()
        };
        let weights = folder.path().join("w.safetensors");
        answer.weights().save(&weights).unwrap();
        let weights = ["predict", "--weights", weights.to_str().unwrap()];
        printed(
            &[&weights, arguments, &["astronaut.png"]].concat(),
            &media(),
        )
    }

    #[test]
    fn a_face_below_that_of_the_weights_is_uncertain_for_people_and_machines() {
        for (threshold, label) in [(0.5, "happy"), (0.65, "uncertain")] {
            let text = printed_with(threshold, 0.01, &[]);
            let face = text.lines().nth(1).unwrap();
            assert!(face.starts_with(&format!("  {label}, ")), "{text}");
            let picture = json_lines(&printed_with(threshold, 0.01, &["--json"])).remove(0);
            let face = &picture["faces"][0];
            assert_eq!(face["emotion"], label);
            assert_eq!(face["uncertain"], label == "uncertain");
            let threshold_of_picture = picture["threshold"].as_f64().unwrap();
            assert!((threshold_of_picture - f64::from(threshold)).abs() < 1e-5);
            assert!((face["confidence"].as_f64().unwrap() - 0.6).abs() < 0.01);
        }
        let named = printed_with(0.65, 0.01, &["--threshold", "0"]);
        assert!(
            named.lines().nth(1).unwrap().starts_with("  happy, "),
            "{named}"
        );
    }

    #[test]
    fn a_covered_face_is_uncertain_and_has_a_low_quality() {
        let quality = |cover| {
            let picture = json_lines(&printed_with(0.3, cover, &["--json"])).remove(0);
            let face = &picture["faces"][0];
            assert_eq!(face["uncertain"], cover > 0.5, "{face}");
            face["quality"].as_f64().unwrap()
        };
        let (free, covered) = (quality(0.01), quality(0.9));
        assert!(free > 0.5 && covered < 0.11, "{free} {covered}");
    }
}

#[test]
fn the_most_probable_emotion_stands_first_for_people() {
    let arguments = ["predict", "--crop", "none", "face.pgm"];
    let report = printed(&arguments, folder().path());
    let mut lines = report.lines();
    assert_eq!(lines.next(), Some("face.pgm: 1 face"));
    let face = lines.next().unwrap();
    assert!(face.contains(", 48×48 pixels at 0, 0, quality "), "{face}");
    let percents: Vec<f64> = lines
        .map(|line| line.split_whitespace().nth(1).unwrap().parse().unwrap())
        .collect();
    assert_eq!(percents.len(), 7, "{report}");
    assert!(percents.is_sorted_by(|a, b| a >= b), "{report}");
    assert!(
        (percents.iter().sum::<f64>() - 100.0).abs() < 0.5,
        "{report}"
    );
}

#[test]
fn a_picture_that_cannot_be_read_is_reported_and_the_others_are_looked_at() {
    let folder = folder();
    let arguments = [
        "predict",
        "--crop",
        "none",
        "notes.txt",
        "nothing.png",
        "face.pgm",
    ];
    let output = emotion_trainer(&arguments, folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(output.stdout).starts_with("face.pgm: 1 face\n"));
    let errors = text(output.stderr);
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 3, "{errors}");
    assert!(
        lines[0].starts_with("emotion-trainer: notes.txt: "),
        "{errors}"
    );
    assert!(
        lines[1].starts_with("emotion-trainer: nothing.png: "),
        "{errors}"
    );
    assert_eq!(lines[1].matches("os error").count(), 1, "{errors}");
    assert_eq!(
        lines[2],
        "emotion-trainer: 2 of 3 pictures could not be read"
    );
}

#[test]
fn machines_get_one_object_for_every_picture_also_for_those_that_cannot_be_read() {
    let arguments = [
        "predict",
        "--crop",
        "none",
        "--json",
        "notes.txt",
        "face.pgm",
    ];
    let pictures = json_lines(&text(emotion_trainer(&arguments, folder().path()).stdout));
    let names: Vec<&str> = pictures
        .iter()
        .map(|p| p["image"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["notes.txt", "face.pgm"]);
    assert!(pictures[0]["error"].as_str().unwrap().contains("picture"));
    assert_eq!(pictures[1]["faces"].as_array().unwrap().len(), 1);
}

#[test]
fn a_margin_that_makes_no_sense_is_refused() {
    let output = emotion_trainer(&["predict", "--margin", "-0.5", "face.pgm"], Path::new("."));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(output.stderr).contains("expected a number from -0.25 to 1"));
}

mod with_the_detector {
    use super::*;

    #[test]
    fn the_face_of_the_portrait_is_found_where_it_is() {
        let arguments = ["predict", "--json", "astronaut.png"];
        let picture = &json_lines(&printed(&arguments, &media()))[0];
        let face = &picture["faces"][0];
        let centre = |start: &str, len: &str| {
            let part = |name: &str| face["box"][name].as_i64().unwrap();
            part(start) + part(len) / 2
        };
        assert!((210..260).contains(&centre("x", "width")), "{picture}");
        assert!((100..160).contains(&centre("y", "height")), "{picture}");
        assert!(face["detection"].as_f64().unwrap() > 0.9, "{picture}");
        // In fractions of the picture, the person's right eye at the left.
        let point = |name: &str| face["landmarks"][name].as_f64().unwrap();
        assert!((0.38..0.44).contains(&point("right_eye_x")), "{picture}");
        assert!((0.44..0.52).contains(&point("left_eye_x")), "{picture}");
        assert!(point("nose_y") > point("left_eye_y"), "{picture}");
        let sum: f64 = probabilities(face).iter().map(|(_, p)| p).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{picture}");
    }

    #[test]
    fn the_margin_widens_the_crop_and_not_the_box() {
        let with = |margin: &str| {
            let arguments = ["predict", "--json", "--margin", margin, "astronaut.png"];
            let picture = json_lines(&printed(&arguments, &media())).remove(0);
            picture["faces"][0].clone()
        };
        let (tight, wide) = (with("0"), with("0.3"));
        assert_eq!(tight["box"], wide["box"]);
        assert_ne!(probabilities(&tight), probabilities(&wide));
    }

    #[test]
    fn a_picture_without_faces_says_so_and_is_no_failure() {
        let report = printed(&["predict", "face.pgm"], folder().path());
        assert!(report.starts_with("face.pgm: no face found"), "{report}");
        let json = printed(&["predict", "--json", "face.pgm"], folder().path());
        assert_eq!(json_lines(&json)[0]["faces"], serde_json::json!([]));
    }

    #[test]
    fn weights_of_another_network_find_no_faces() {
        let arguments = ["predict", "--detector", "mini_xception", "face.pgm"];
        let error = text(emotion_trainer(&arguments, folder().path()).stderr);
        assert!(error.contains("expected face_net"), "{error}");
    }

    #[test]
    fn a_detector_that_is_not_there_stops_before_the_first_picture() {
        let arguments = ["predict", "--detector", "faces.safetensors", "face.pgm"];
        let output = emotion_trainer(&arguments, folder().path());
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        assert!(text(output.stderr).contains("faces.safetensors"));
    }
}

#[test]
fn export_writes_a_model_and_says_what_goes_in_and_out() {
    let folder = folder();
    let report = printed(&["export", "--out", "model.onnx"], folder.path());
    assert!(report.starts_with("model.onnx: "), "{report}");
    assert!(report.contains("faces [N, 1, 48, 48]"), "{report}");
    assert!(report.contains("logits [N, 7]"), "{report}");
    let model = std::fs::read(folder.path().join("model.onnx")).unwrap();
    let contains = |text: &str| {
        model
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(contains("temperature") && contains(r#"["angry","disgust""#));
}

#[test]
fn the_export_of_a_detector_says_what_each_of_its_values_is() {
    let folder = folder();
    let arguments = ["export", "--weights", "face_net", "--out", "model.onnx"];
    let report = printed(&arguments, folder.path());
    assert!(report.contains("picture [N, 1, 256, 256]"), "{report}");
    assert!(report.contains("places [N, 6720]"), "{report}");
    assert!(report.contains("strides of 8, 16 and 32"), "{report}");
}

#[test]
fn export_to_a_folder_that_is_not_there_is_an_error_with_the_path() {
    let arguments = ["export", "--format", "onnx", "--out", "nowhere/model.onnx"];
    let output = emotion_trainer(&arguments, folder().path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(output.stderr).contains("cannot write nowhere/model.onnx"));
}

#[test]
fn weights_that_are_not_there_are_an_error_with_their_path_and_the_built_in_names() {
    let arguments = [
        "export",
        "--weights",
        "none.safetensors",
        "--out",
        "model.onnx",
    ];
    let output = emotion_trainer(&arguments, folder().path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(output.stderr).contains(
        "none.safetensors: cannot be read: there is no such file, and the built-in weights are residual_xception"
    ));
}
