//! Runs of the detector on small made pictures, from folders to weights.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::Tensor;
use emotion_models::Weights;
use emotion_models::weights::Architecture;
use emotion_trainer::detector::epoch::DetectorEpoch;
use emotion_trainer::detector::images::TrainingSelection;
use emotion_trainer::detector::settings::Settings;
use emotion_trainer::detector::task::DetectorTask;
use emotion_trainer::run::checkpoint::Checkpoint;
use emotion_trainer::run::folder::RunFolder;
use emotion_trainer::run::log::Log;
use emotion_trainer::run::progress::TrainingProgress;
use emotion_trainer::run::trainer::{Trainer, TrainingOutcome};

use crate::common::process::{emotion_trainer, stdout};

/// Writes grey pictures with bright squares as faces: `training` to learn from, then four to validate on.
pub(crate) fn write_pictures(folder: &Path, training: usize) {
    let mut state = 7u32;
    let mut below = |limit: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % limit
    };
    let mut lines = String::new();
    for index in 0..training + 4 {
        let (width, height) = (96, 80);
        let side = 14 + below(26);
        let (left, top) = (below(width - side), below(height - side));
        let pixel = |index: u32| {
            let (x, y) = (index % width, index / width);
            let face = (left..left + side).contains(&x) && (top..top + side).contains(&y);
            if face {
                230
            } else {
                40 + (x * 7 + y * 3) as u8 % 50
            }
        };
        let mut picture = format!("P5 {width} {height} 255\n").into_bytes();
        picture.extend((0..width * height).map(pixel));
        fs::write(folder.join(format!("{index}.pgm")), picture).unwrap();
        let split = if index < training { "train" } else { "val" };
        lines += &format!(
            "{{\"image\":\"{index}.pgm\",\"width\":{width},\"height\":{height},\"split\":\"{split}\",\
             \"boxes\":[[{left},{top},{side},{side}]]}}\n"
        );
    }
    fs::write(folder.join("boxes.jsonl"), lines).unwrap();
}

fn pictures(training: usize) -> DetectorTask {
    let folder = tempfile::tempdir().unwrap();
    write_pictures(folder.path(), training);
    DetectorTask::load(folder.path(), &TrainingSelection::default()).unwrap()
}

/// Three steps in each epoch.
fn settings(epochs: usize) -> Settings {
    let mut settings = Settings::default();
    settings.common.epochs = epochs;
    settings.common.batch = 4;
    settings.sampling.size = 64;
    settings
}

fn trainer(settings: Settings, folder: &Path) -> Trainer<DetectorTask> {
    Trainer::new(settings, pictures(12), RunFolder::new(folder)).unwrap()
}

fn resumed(folder: &Path) -> Trainer<DetectorTask> {
    Trainer::resume(pictures(12), RunFolder::new(folder)).unwrap()
}

fn finish(mut trainer: Trainer<DetectorTask>) {
    let outcome = trainer.run(&TrainingProgress::hidden(), || false).unwrap();
    assert_eq!(outcome, TrainingOutcome::Finished);
}

type Tensors = BTreeMap<String, Vec<f32>>;

fn tensors(file: &Path) -> Tensors {
    let values = |tensor: Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
    let tensors = candle_core::safetensors::load(file, &candle_core::Device::Cpu).unwrap();
    tensors
        .into_iter()
        .map(|(name, tensor)| (name, values(tensor)))
        .collect()
}

/// What a run leaves, but for the times: state, best weights, log.
fn files(folder: &Path) -> (Tensors, Tensors, Vec<DetectorEpoch>) {
    let folder = RunFolder::new(folder);
    let log = fs::read_to_string(folder.log()).unwrap();
    let log: Log<DetectorEpoch> = Log::from_csv(&log).unwrap();
    let untimed = |epoch: &DetectorEpoch| DetectorEpoch {
        seconds: 0.0,
        ..*epoch
    };
    (
        tensors(&folder.last()),
        tensors(&folder.best()),
        log.epochs().iter().map(untimed).collect(),
    )
}

fn error<T>(result: anyhow::Result<T>) -> String {
    format!("{:#}", result.err().expect("an error"))
}

#[test]
fn a_run_that_is_stopped_after_each_step_and_resumed_ends_like_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, halted] = ["whole", "halted"].map(|name| folder.path().join(name));
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    pool(1).install(|| finish(trainer(settings(2), &whole)));

    let mut run = trainer(settings(2), &halted);
    let mut steps = Vec::new();
    loop {
        let mut asked = 0;
        let after_a_step = || {
            asked += 1;
            asked > 1
        };
        if run.run(&TrainingProgress::hidden(), after_a_step).unwrap() == TrainingOutcome::Finished
        {
            break;
        }
        steps.push((run.log().len(), run.totals().steps));
        drop(run);
        run = resumed(&halted);
    }
    let expected = [(0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)];
    assert_eq!(steps, expected);
    assert_eq!(files(&halted), files(&whole));
}

#[test]
fn the_loss_falls() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(12);
    settings.common.batch = 8;
    settings.common.learning_rate = 5e-3;
    settings.sampling.faces = (16.0, 40.0);
    settings.sampling.mosaic = (0.0, 2);
    let mut trainer = Trainer::new(settings, pictures(64), RunFolder::new(folder.path())).unwrap();
    let outcome = trainer.run(&TrainingProgress::hidden(), || false).unwrap();
    assert_eq!(outcome, TrainingOutcome::Finished);
    let losses: Vec<f64> = trainer
        .log()
        .epochs()
        .iter()
        .map(|epoch| epoch.loss)
        .collect();
    assert!(losses[11] < 0.5 * losses[0], "{losses:?}");
}

#[test]
fn the_weights_are_those_of_the_average_calibrated_and_say_how_they_were_trained() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = trainer(settings(1), folder.path());
    let outcome = trainer.run(&TrainingProgress::hidden(), || false).unwrap();
    assert_eq!(outcome, TrainingOutcome::Finished);
    let best = *trainer.best().unwrap();
    let state: Checkpoint<Settings> = Checkpoint::load(&trainer.folder().last()).unwrap();
    let mut expected = state.group("averaged");
    best.calibration().apply(&mut expected).unwrap();

    let weights = Weights::load(&trainer.folder().best()).unwrap();
    assert_eq!(*weights.tensors(), expected);
    let metadata = weights.metadata();
    assert_eq!(metadata.architecture, Architecture::FaceNet);
    let labels = ["face".to_owned()];
    assert_eq!(
        (metadata.labels.as_slice(), metadata.input_size),
        (&labels[..], 64)
    );
    let start = "epoch 1 of 1, seed 1, 12 training pictures, average precision";
    assert!(
        metadata.training.starts_with(start),
        "{}",
        metadata.training
    );
}

#[test]
fn a_run_is_not_resumed_on_other_pictures_or_boxes() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    finish(trainer(settings(1), &run));
    let data = tempfile::tempdir().unwrap();
    let resume = || {
        Trainer::resume(
            DetectorTask::load(data.path(), &TrainingSelection::default()).unwrap(),
            RunFolder::new(&run),
        )
    };

    write_pictures(data.path(), 13);
    let message = error(resume());
    assert!(
        message.contains("was trained on 12 pictures and validated on 4, this data has 13 and 4: pass the same --data"),
        "{message}"
    );

    write_pictures(data.path(), 12);
    drop(resume().unwrap());
    let lines = data.path().join("boxes.jsonl");
    let text = fs::read_to_string(&lines).unwrap();
    let moved = text.replacen(",\"boxes\"", ",\"ignore\":[[1,1,9,9]],\"boxes\"", 1);
    fs::write(&lines, moved).unwrap();
    let message = error(resume());
    assert!(
        message.contains("was trained on other pictures or boxes"),
        "{message}"
    );
}

#[test]
fn data_without_faces_to_validate_on_are_refused() {
    let data = tempfile::tempdir().unwrap();
    write_pictures(data.path(), 3);
    let lines = data.path().join("boxes.jsonl");
    let text = fs::read_to_string(&lines).unwrap();
    let faceless: Vec<String> = text
        .lines()
        .map(|line| match line.split_once("\"boxes\"") {
            Some((start, _)) if line.contains("val") => format!("{start}\"boxes\":[]}}"),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(&lines, faceless.join("\n")).unwrap();
    let pictures = DetectorTask::load(data.path(), &TrainingSelection::default()).unwrap();
    let folder = RunFolder::new(data.path().join("run"));
    let message = error(Trainer::new(settings(1), pictures, folder));
    assert!(
        message.contains("expected faces to validate on, found none on 4 pictures"),
        "{message}"
    );
}

#[test]
fn the_command_trains_draws_goes_on_with_its_weights_and_refuses_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_pictures(folder, 8);
    let common = [
        "train-detector",
        "--data",
        ".",
        "--batch",
        "4",
        "--input-size",
        "64",
    ];
    let train = |options: &[&str]| emotion_trainer(&[&common, options].concat(), folder);

    let first = train(&["--epochs", "2", "--out", "first"]);
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(
        said.contains("8 training pictures with 8 faces, 4 validation pictures with 4; samples of 64×64 pixels"),
        "{said}"
    );
    assert!(said.contains("\nepoch 2/2  loss "), "{said}");
    assert!(stdout(&first).starts_with("best of 2 epochs is "));
    let log = fs::read_to_string(folder.join("first/log.csv")).unwrap();
    let columns = "epoch,loss,val_ap50,val_recall,val_precision,val_landmark_error,lr,seconds,val_threshold,slope,offset\n";
    assert!(log.starts_with(columns), "{log}");
    let drawn = fs::read_to_string(folder.join("first/curves.svg")).unwrap();
    assert!(drawn.contains("learning rate"));
    let again = emotion_trainer(&["curves", "first/log.csv", "--title", "face_net"], folder);
    assert_eq!(stdout(&again), "first/curves.svg\n");
    assert_eq!(
        fs::read_to_string(folder.join("first/curves.svg")).unwrap(),
        drawn
    );

    let second = train(&[
        "--epochs",
        "1",
        "--out",
        "second",
        "--init",
        "first/best.safetensors",
    ]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("\ninitial weights: face_net ("), "{said}");
    assert!(second.status.success(), "{said}");

    let calibrate = [
        "calibrate-detector",
        "--data",
        ".",
        "--weights",
        "first/best.safetensors",
    ];
    let calibrated = emotion_trainer(&[&calibrate[..], &["--out", "fitted"]].concat(), folder);
    assert!(stdout(&calibrated).contains("boxes on 4 pictures: logit × "));
    let fitted = Weights::load(&folder.join("fitted")).unwrap();
    let training = &fitted.metadata().training;
    assert!(
        training.ends_with("; calibrated on 4 pictures"),
        "{training}"
    );

    for (options, expected) in [
        (
            &["--out", "third", "--init", "mini_xception"][..],
            "mini_xception: holds a mini_xception, expected face_net",
        ),
        (
            &["--out", "first"],
            "first holds a training run: continue it with --resume first",
        ),
    ] {
        let output = train(options);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected), "{said}");
    }
    let wrong = ["train", "--data", ".", "--resume", "first"];
    assert!(!emotion_trainer(&wrong, folder).status.success());

    let lines = fs::read_to_string(folder.join("boxes.jsonl")).unwrap();
    fs::write(folder.join("boxes.jsonl"), lines + "{\"image\": 3}\n").unwrap();
    let output = train(&["--out", "fourth"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("boxes.jsonl, line 13: expected an object"),
        "{said}"
    );
}
