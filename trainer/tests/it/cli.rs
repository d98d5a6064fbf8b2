//! The program as people run it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use emotion_models::Weights;

use crate::common::process::{emotion_trainer, stdout};

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

/// Seven steps in each of six epochs.
fn train(folder: &Path, out: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-trainer"));
    let options = ["--data", "fer2013.csv", "--epochs", "6", "--batch", "2"];
    command.arg("train").args(options).args(["--out", out]);
    command.current_dir(folder);
    command
}

/// Sends `signal` to a run as soon as its first epoch has ended; what it said then, and its end.
fn stopped_by(signal: &str, mut run: Command) -> (String, ExitStatus) {
    let mut run = run.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(run.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.starts_with("epoch 1/6") {
            let id = run.id().to_string();
            let sent = Command::new("kill").args(["-s", signal, &id]).status();
            assert!(sent.unwrap().success());
        }
        said += &format!("{line}\n");
    }
    (said, run.wait().unwrap())
}

/// The log without the seconds, and the values of the weights.
fn results(run: &Path) -> (Vec<Vec<String>>, BTreeMap<String, Vec<f32>>) {
    let log = fs::read_to_string(run.join("log.csv")).unwrap();
    let untimed = |row: &str| {
        let cells = row
            .split(',')
            .enumerate()
            .filter(|(column, _)| *column != 6);
        cells.map(|(_, cell)| cell.to_owned()).collect()
    };
    let weights = Weights::load(&run.join("best.safetensors")).unwrap();
    let tensors = weights.tensors().iter();
    let weights = tensors.map(|(name, tensor)| (name.clone(), tensor.values.clone()));
    (log.lines().map(untimed).collect(), weights.collect())
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = folder.read_dir().unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[cfg(unix)]
#[test]
fn a_run_that_a_signal_stops_is_resumed_to_the_result_of_one_that_was_not_stopped() {
    let folder = folder_with(&csv());
    let folder = folder.path();
    assert!(train(folder, "whole").output().unwrap().status.success());
    for (signal, status) in [("INT", Some(130)), ("TERM", Some(130)), ("KILL", None)] {
        let mut run = train(folder, signal);
        // A millisecond or so: after nearly every step.
        run.args(["--save-every", "0.00002"]);
        let (said, ended) = stopped_by(signal, run);
        assert_eq!(ended.code(), status, "{signal}: {said}");
        if status.is_some() {
            let line = format!("\nemotion-trainer train --data fer2013.csv --resume {signal}\n");
            assert!(said.contains(&line), "{said}");
        }
        let resume = ["train", "--data", "fer2013.csv", "--resume", signal];
        let report = stdout(&emotion_trainer(&resume, folder));
        assert!(report.starts_with("best of 6 epochs is "), "{report}");
        assert_eq!(
            results(&folder.join(signal)),
            results(&folder.join("whole"))
        );
        assert_eq!(names(&folder.join(signal)), names(&folder.join("whole")));
    }
}

// The limit on the size of files stands for a full disk: a write fails when half is done.
#[cfg(unix)]
#[test]
fn a_checkpoint_that_does_not_fit_the_disk_leaves_the_files_as_they_were() {
    let folder = folder_with(&csv());
    let run = folder.path().join("run");
    let (said, ended) = stopped_by("INT", train(folder.path(), "run"));
    assert_eq!(ended.code(), Some(130), "{said}");
    let contents = || {
        let content = |name: &String| fs::read(run.join(name)).unwrap();
        let contents: Vec<_> = names(&run).iter().map(content).collect();
        (names(&run), contents)
    };
    let before = contents();

    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", limited, "sh", env!("CARGO_BIN_EXE_emotion-trainer")])
        .args(["train", "--data", "fer2013.csv", "--resume", "run"])
        .args(["--save-every", "0.00002"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("cannot write run/last.ckpt"), "{message}");
    assert!(contents() == before, "{message}");
}

#[test]
fn weights_to_begin_with_are_named_at_once_and_must_be_of_the_wanted_network() {
    let folder = folder_with(&csv());
    let train = |options: &[&str]| {
        let common = ["train", "--data", "fer2013.csv", "--init", "mini_xception"];
        emotion_trainer(&[&common, options].concat(), folder.path())
    };
    let output = train(&["--arch", "residual_xception"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    let expected = "--init mini_xception holds a mini_xception, --arch says residual_xception";
    assert!(message.contains(expected), "{message}");

    let output = train(&["--epochs", "1", "--out", "run"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("\ninitial weights: mini_xception ("),
        "{message}"
    );
    assert!(output.status.success());
}
