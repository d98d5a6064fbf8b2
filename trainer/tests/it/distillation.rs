//! Whole runs with teachers.

use std::path::{Path, PathBuf};

use crate::common::{Files, data, faces, finish, settings, tensors};
use emotion_models::preprocess::Preprocessor;
use emotion_models::{Emotion, Metadata, Weights};
use emotion_trainer::data::{Faces, batch};
use emotion_trainer::emotion::distillation::{Distillation, Teachers};
use emotion_trainer::emotion::recipe::Settings;
use emotion_trainer::emotion::task::EmotionTask;
use emotion_trainer::run::folder::RunFolder;
use emotion_trainer::run::network::Network;
use emotion_trainer::run::progress::TrainingProgress;
use emotion_trainer::run::trainer::{Trainer, TrainingOutcome};

const SIZE: usize = 48;

/// Weights that nobody trained.
fn weights(folder: &Path, seed: u64, change: impl FnOnce(&mut Metadata)) -> PathBuf {
    let mut metadata = emotion_models::Classifier::built_in("mini_xception")
        .unwrap()
        .metadata()
        .clone();
    metadata.name = format!("teacher-{seed}");
    metadata.input_size = SIZE;
    change(&mut metadata);
    let network = Network::new(
        metadata.architecture,
        metadata.input_size,
        &metadata.heads,
        seed,
    )
    .unwrap();
    let path = folder.join(format!("{}.safetensors", metadata.name));
    let parameters = network.parameters.snapshot().unwrap();
    let weights = Weights::new("teacher", metadata, parameters).unwrap();
    weights.save(&path).unwrap();
    path
}

fn how(teachers: &Teachers) -> Distillation {
    Distillation {
        teachers: teachers.ids(),
        weight: 0.7,
        temperature: 2.0,
        flip: false,
        views: None,
    }
}

fn taught(files: &[PathBuf], epochs: usize) -> (Settings, EmotionTask) {
    let teachers = Teachers::load(files).unwrap();
    let settings = Settings {
        distillation: Some(how(&teachers)),
        ..settings(epochs)
    };
    let data = EmotionTask { teachers, ..data() };
    (settings, data)
}

fn probabilities(teachers: &Teachers, how: &Distillation) -> Vec<Vec<f32>> {
    let faces = batch::preprocessed(&faces(4), 0..4, &Preprocessor::new(SIZE));
    let faces = batch::tensor(faces, 4, SIZE).unwrap();
    let soft = teachers.answer(&faces, how, 0.0).unwrap();
    soft.probabilities.to_vec2().unwrap()
}

fn assert_close(found: &[Vec<f32>], expected: &[Vec<f32>]) {
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!(
            (found - expected).abs() < 1e-6,
            "{found}, expected {expected}"
        );
    }
}

fn with_one_label(faces: &Faces) -> Faces {
    let mut relabelled = Faces::default();
    for index in 0..faces.len() {
        relabelled.push(faces.pixels(index), Emotion::Neutral);
    }
    relabelled
}

#[test]
fn several_teachers_answer_by_the_mean_of_their_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let files = [1, 2].map(|seed| weights(folder.path(), seed, |_| ()));
    let [first, second] = files.clone().map(|file| {
        let teacher = Teachers::load(&[file]).unwrap();
        probabilities(&teacher, &how(&teacher))
    });
    let both = Teachers::load(&files).unwrap();
    let mean: Vec<Vec<f32>> = first
        .iter()
        .zip(&second)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a + b) / 2.0).collect())
        .collect();
    assert_ne!(first, second);
    assert_close(&probabilities(&both, &how(&both)), &mean);
}

#[test]
fn a_teachers_own_temperature_multiplies_the_one_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let plain = weights(folder.path(), 1, |metadata| metadata.temperature = 1.0);
    let plain = Teachers::load(&[plain]).unwrap();
    let sure = weights(folder.path(), 1, |metadata| metadata.temperature = 3.0);
    let sure = Teachers::load(&[sure]).unwrap();
    let at = |temperature| Distillation {
        temperature,
        ..how(&plain)
    };
    assert_close(
        &probabilities(&sure, &at(2.0)),
        &probabilities(&plain, &at(6.0)),
    );
}

#[test]
fn teachers_that_see_the_mirror_image_too_answer_alike_for_both() {
    let folder = tempfile::tempdir().unwrap();
    let teachers = Teachers::load(&[weights(folder.path(), 1, |_| ())]).unwrap();
    let flip = Distillation {
        flip: true,
        ..how(&teachers)
    };
    let face = batch::preprocessed(&faces(1), 0..1, &Preprocessor::new(SIZE));
    let mirrored: Vec<f32> = face
        .chunks(SIZE)
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    let answer = |face: Vec<f32>, how: &Distillation| {
        let face = batch::tensor(face, 1, SIZE).unwrap();
        let soft = teachers.answer(&face, how, 0.0).unwrap();
        soft.probabilities.to_vec2::<f32>().unwrap()
    };
    let once = how(&teachers);
    assert_ne!(answer(face.clone(), &once), answer(mirrored.clone(), &once));
    assert_close(&answer(face, &flip), &answer(mirrored, &flip));
}

#[test]
fn labels_count_by_the_share_of_the_loss_that_teachers_leave_them() {
    let folder = tempfile::tempdir().unwrap();
    let teacher = weights(folder.path(), 1, |_| ());
    let (settings, data) = taught(&[teacher], 1);
    let relabelled = EmotionTask {
        training: with_one_label(&data.training).into(),
        ..data.clone()
    };
    let student = |weight: f64, data: &EmotionTask| {
        let distillation = settings.distillation.clone();
        let settings = Settings {
            distillation: distillation.map(|how| Distillation { weight, ..how }),
            ..settings.clone()
        };
        let run = folder.path().join("run");
        finish(Trainer::new(settings, data.clone(), RunFolder::new(&run)).unwrap());
        let state = Files::of(&run).state;
        std::fs::remove_dir_all(run).unwrap();
        state
    };
    assert_eq!(student(1.0, &data), student(1.0, &relabelled));
    assert_ne!(student(0.5, &data), student(0.5, &relabelled));
}

#[test]
fn a_run_with_teachers_is_resumed_in_mid_epoch_and_finds_them_itself() {
    let folder = tempfile::tempdir().unwrap();
    let teacher = weights(folder.path(), 1, |_| ());
    let (settings, data) = taught(&[teacher], 1);
    let [whole, halved] = ["whole", "halved"].map(|name| folder.path().join(name));
    let begin =
        |path: &Path| Trainer::new(settings.clone(), data.clone(), RunFolder::new(path)).unwrap();
    finish(begin(&whole));

    let mut asked = 0;
    let stop = || {
        asked += 1;
        asked == 3
    };
    let outcome = begin(&halved)
        .run(&TrainingProgress::hidden(), stop)
        .unwrap();
    assert_eq!(outcome, TrainingOutcome::Stopped);
    finish(Trainer::resume(crate::common::data(), RunFolder::new(&halved)).unwrap());
    assert_eq!(Files::of(&halved), Files::of(&whole));
    assert_ne!(
        tensors(&RunFolder::new(&whole).best()),
        crate::common::trained(crate::common::settings(1), 2).best
    );
}

#[test]
fn a_run_is_not_resumed_with_another_teacher() {
    let folder = tempfile::tempdir().unwrap();
    let [teacher, other] = [1, 2].map(|seed| weights(folder.path(), seed, |_| ()));
    let run = folder.path().join("run");
    let (settings, data) = taught(std::slice::from_ref(&teacher), 1);
    finish(Trainer::new(settings, data, RunFolder::new(&run)).unwrap());

    let (_, data) = taught(std::slice::from_ref(&other), 1);
    let error = Trainer::resume(data, RunFolder::new(&run)).err().unwrap();
    let error = error.to_string();
    assert!(error.contains("the run learns from teacher-1 ("), "{error}");
    assert!(error.contains("found teacher-2 ("), "{error}");

    // Also when the file has other contents under the same name.
    std::fs::rename(&other, &teacher).unwrap();
    let error = Trainer::resume(crate::common::data(), RunFolder::new(&run))
        .err()
        .unwrap();
    assert!(error.to_string().contains("found teacher-2 ("), "{error}");

    std::fs::remove_file(&teacher).unwrap();
    let error = Trainer::resume(crate::common::data(), RunFolder::new(&run))
        .err()
        .unwrap();
    let error = format!("{error:#}");
    assert!(
        error.contains("pass its teachers with --teacher"),
        "{error}"
    );
    assert!(error.contains("teacher-1.safetensors"), "{error}");
}

#[test]
fn teachers_of_other_emotions_or_another_size_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let renamed = weights(folder.path(), 1, |metadata| {
        metadata.labels[6] = "contempt".to_owned();
    });
    let error = Teachers::load(&[renamed]).unwrap_err().to_string();
    assert!(
        error.contains("surprise, contempt, expected angry"),
        "{error}"
    );

    let large = weights(folder.path(), 2, |metadata| metadata.input_size = 64);
    let (settings, data) = taught(&[large], 1);
    let error = Trainer::new(settings, data, RunFolder::new(folder.path().join("run")))
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("takes faces of 64×64 pixels, this run trains on 48×48"),
        "{error}"
    );
}
