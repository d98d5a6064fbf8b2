//! The program as people run it.

use std::path::Path;
use std::process::{Command, Output};

fn emotion_trainer(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emotion-trainer"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Two faces of each emotion in each split.
fn csv() -> String {
    let mut csv = "emotion,pixels,Usage\n".to_owned();
    for usage in ["Training", "PublicTest", "PrivateTest"] {
        for face in 0..14 {
            let pixel = |position: usize| ((position * (face + 3)) % 251).to_string();
            let pixels: Vec<String> = (0..48 * 48).map(pixel).collect();
            csv += &format!("{},{},{usage}\n", face % 7, pixels.join(" "));
        }
    }
    csv
}

fn folder_with(csv: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fer2013.csv"), csv).unwrap();
    folder
}

#[test]
fn summary_prints_the_totals_of_the_published_network() {
    let output = emotion_trainer(&["summary"], Path::new("."));
    assert!(stdout(&output).contains("Total parameters: 58,423\nTrainable parameters: 56,951\n"));
}

#[test]
fn evaluate_prints_one_json_object_for_the_built_in_weights() {
    let folder = folder_with(&csv());
    let arguments = [
        "evaluate",
        "--weights",
        "mini_xception",
        "--data",
        "fer2013.csv",
        "--json",
    ];
    let text = stdout(&emotion_trainer(&arguments, folder.path()));
    let result: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(result["count"], 14);
    assert!((0.0..=1.0).contains(&result["accuracy"].as_f64().unwrap()));
    let recall = result["recall"].as_object().unwrap();
    let labels: Vec<_> = recall.keys().map(String::as_str).collect();
    assert_eq!(
        labels,
        [
            "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"
        ]
    );
}

#[test]
fn trained_weights_can_be_evaluated_and_have_the_accuracy_that_training_reported() {
    let folder = folder_with(&csv());
    let train = [
        "train",
        "--data",
        "fer2013.csv",
        "--out",
        "run",
        "--epochs",
        "2",
    ];
    let report = stdout(&emotion_trainer(&train, folder.path()));
    let log = std::fs::read_to_string(folder.path().join("run/log.csv")).unwrap();
    assert_eq!(log.lines().count(), 3, "{log}");

    let weights = "run/best.safetensors";
    let evaluate = [
        "evaluate",
        "--weights",
        weights,
        "--data",
        "fer2013.csv",
        "--split",
        "public",
        "--json",
    ];
    let text = stdout(&emotion_trainer(&evaluate, folder.path()));
    let result: serde_json::Value = serde_json::from_str(&text).unwrap();
    let percent = format!(
        "{:.2} % accuracy",
        100.0 * result["accuracy"].as_f64().unwrap()
    );
    assert!(
        report.contains(&percent),
        "{report}, evaluate says {percent}"
    );
}

#[test]
fn a_broken_row_stops_with_file_and_line_on_stderr_and_nothing_on_stdout() {
    let broken = csv().replacen("PublicTest", "Public", 1);
    let folder = folder_with(&broken);
    let output = emotion_trainer(&["train", "--data", "fer2013.csv"], folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("fer2013.csv, line 16: Usage is `Public`, expected"),
        "{message}"
    );
}

#[test]
fn weights_that_are_not_there_are_an_error_with_their_path() {
    let folder = folder_with(&csv());
    let arguments = [
        "evaluate",
        "--weights",
        "none.safetensors",
        "--data",
        "fer2013.csv",
    ];
    let output = emotion_trainer(&arguments, folder.path());
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("none.safetensors: cannot be read"),
        "{message}"
    );
}
