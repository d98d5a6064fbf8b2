//! Trainings that are killed at random instants go on to the result that they would have had.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use emotion_models::Weights;
use emotion_tests::killed::{Killer, kills};
use emotion_trainer::run::folder::RunFolder;

use crate::common::process::emotion_trainer;
use crate::common::{Files, tensors};
use crate::detector_training::write_pictures;

/// Rows of fer2013.csv with a bright square whose place is that of the label.
fn write_rows(file: &Path) {
    let mut text = "emotion,pixels,Usage\n".to_owned();
    for row in 0..35 {
        let (label, usage) = (row % 7, if row < 21 { "Training" } else { "PublicTest" });
        let pixel = |at: usize| match (at % 48 / 16, at / 48 / 16) == (label % 3, label / 3) {
            true => 200 + (at + row) % 50,
            false => (at * 7 + row * 13) % 60,
        };
        let pixels: Vec<String> = (0..48 * 48).map(|at| pixel(at).to_string()).collect();
        text += &format!("{label},{},{usage}\n", pixels.join(" "));
    }
    fs::write(file, text).unwrap();
}

/// Runs `training` in `folder` to its end once without a disturbance, and once killed again and again. Gives both folders.
fn killed_and_undisturbed(folder: &Path, training: &[&str]) -> [RunFolder; 2] {
    let started = Instant::now();
    let undisturbed = [training, &["--out", "undisturbed"]].concat();
    let output = emotion_trainer(&undisturbed, folder);
    assert!(output.status.success(), "{output:?}");

    let run = RunFolder::new(folder.join("killed"));
    let (command, data) = (training[0], training[2]);
    let mut killer = Killer::new(5, started.elapsed());
    let start = |run: &RunFolder| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_emotion-trainer"));
        program.current_dir(folder);
        match run.last().exists() {
            true => program.args([command, "--data", data, "--resume", "killed"]),
            false => program.args(training).args(["--out", "killed"]),
        };
        program
    };
    for _ in 0..kills() {
        let has_ended = killer.run(&mut start(&run));
        if run.best().exists() {
            Weights::load(&run.best()).expect("weights are whole under their name");
        }
        if has_ended {
            fs::remove_dir_all(folder.join("killed")).unwrap();
        }
    }
    let output = start(&run).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let names = fs::read_dir(folder.join("killed")).unwrap();
    let left: Vec<_> = names
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".writing"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    [run, RunFolder::new(folder.join("undisturbed"))]
}

#[test]
fn a_training_that_is_killed_at_any_moment_ends_like_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    write_rows(&folder.path().join("rows.csv"));
    let training = [
        "train", "--data", "rows.csv", "--epochs", "8", "--batch", "8",
    ];
    killed_and_undisturbed(folder.path(), &training);
    let [killed, undisturbed] =
        ["killed", "undisturbed"].map(|name| Files::of(&folder.path().join(name)));
    assert_eq!(killed, undisturbed);
}

#[test]
fn so_does_a_training_of_the_detector() {
    let folder = tempfile::tempdir().unwrap();
    write_pictures(folder.path(), 8);
    let training = [
        "train-detector",
        "--data",
        ".",
        "--epochs",
        "4",
        "--input-size",
        "64",
        "--max-face",
        "64",
        "--batch",
        "4",
    ];
    let [killed, undisturbed] = killed_and_undisturbed(folder.path(), &training);
    assert_eq!(tensors(&killed.best()), tensors(&undisturbed.best()));
}
