//! Teachers with two heads, faces without labels, and covers.

use std::path::Path;

use emotion_models::inference::Precision;
use emotion_models::weights::{Architecture, Head, WeightTensors};
use emotion_models::{Classifier, Emotion, Metadata, Weights};
use emotion_tests::data as path_of;
use emotion_trainer::data::{FACE_SIZE, Faces, Votes, batch};
use emotion_trainer::emotion::distillation::{Distillation, Teachers};
use emotion_trainer::emotion::recipe::{Recipe, Settings};
use emotion_trainer::emotion::task::EmotionTask;
use emotion_trainer::emotion::unlabelled;
use emotion_trainer::formats::pytorch;
use emotion_trainer::run::folder::RunFolder;
use emotion_trainer::run::network::Network;
use emotion_trainer::run::trainer::Trainer;
use image::GrayImage;

use crate::common::published::{expected_logits, prepared, private_faces};
use crate::common::{Files, data, faces, finish, settings};

/// Untrained weights with a head for labels and one for people.
fn two_heads() -> Weights {
    let metadata = Metadata {
        heads: vec![Head::Labels, Head::People],
        temperature: 1.0,
        ..Weights::built_in("mini_xception")
            .unwrap()
            .metadata()
            .clone()
    };
    let network = Network::new(metadata.architecture, FACE_SIZE, &metadata.heads, 9).unwrap();
    Weights::new("teacher", metadata, network.parameters.snapshot().unwrap()).unwrap()
}

fn saved(folder: &Path) -> Teachers {
    let path = folder.join("teacher.safetensors");
    two_heads().save(&path).unwrap();
    Teachers::load(&[path]).unwrap()
}

fn distillation(teachers: &Teachers, views: Option<usize>) -> Distillation {
    Distillation {
        teachers: teachers.ids(),
        weight: 0.9,
        temperature: 1.0,
        flip: false,
        views,
    }
}

#[test]
fn a_teachers_two_answers_are_mixed_by_the_share_of_the_votes() {
    let folder = tempfile::tempdir().unwrap();
    let teachers = saved(folder.path());
    let face: Vec<f32> = (0..FACE_SIZE * FACE_SIZE)
        .map(|index| (index % 7) as f32 / 3.5 - 1.0)
        .collect();
    let answer = |share| {
        let face = batch::tensor(face.clone(), 1, FACE_SIZE).unwrap();
        let soft = teachers
            .answer(&face, &distillation(&teachers, None), share)
            .unwrap();
        soft.probabilities.to_vec2::<f32>().unwrap().remove(0)
    };
    let [labels, quarter, people] = [0.0, 0.25, 1.0].map(answer);
    assert_ne!(labels, people);
    for ((found, label), person) in quarter.iter().zip(&labels).zip(&people) {
        assert!((found - (0.75 * label + 0.25 * person)).abs() < 1e-6);
    }
    let mut classifier = Classifier::with_precision(&two_heads(), Precision::F32).unwrap();
    let scores = classifier.classify(&face).unwrap().remove(0);
    assert_eq!(scores.probabilities(), labels);
}

#[test]
fn a_run_with_views_is_resumed_to_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let teachers = saved(folder.path());
    let settings = Settings {
        distillation: Some(distillation(&teachers, Some(2))),
        ..quiet(Recipe::Robust.settings(), 4)
    };
    let task = || EmotionTask {
        teachers: Teachers::load(&teachers.files()).unwrap(),
        ..data()
    };
    let [whole, halved] = ["whole", "halved"].map(|name| folder.path().join(name));
    finish(Trainer::new(settings.clone(), task(), RunFolder::new(&whole)).unwrap());

    let mut begun = Trainer::new(settings, task(), RunFolder::new(&halved)).unwrap();
    let mut asked = 0;
    let stop = || {
        asked += 1;
        asked == 10
    };
    let _ = begun
        .run(
            &emotion_trainer::run::progress::TrainingProgress::hidden(),
            stop,
        )
        .unwrap();
    drop(begun);
    finish(Trainer::resume(task(), RunFolder::new(&halved)).unwrap());
    assert_eq!(Files::of(&halved), Files::of(&whole));
}

#[test]
fn teachers_with_views_do_not_go_with_mixed_faces() {
    let folder = tempfile::tempdir().unwrap();
    let teachers = saved(folder.path());
    let settings = Settings {
        distillation: Some(distillation(&teachers, Some(2))),
        ..settings(1)
    };
    let task = EmotionTask { teachers, ..data() };
    let run = RunFolder::new(folder.path().join("run"));
    let error = Trainer::new(settings, task, run).err().unwrap().to_string();
    assert!(error.contains("turn --mixup and --cutmix off"), "{error}");
}

#[test]
fn covers_are_learnt_by_a_head_of_their_own_that_the_weights_name() {
    let folder = tempfile::tempdir().unwrap();
    let settings = quiet(Recipe::Robust.settings(), 1);
    finish(Trainer::new(settings, data(), RunFolder::new(folder.path())).unwrap());
    let weights = Weights::load(&RunFolder::new(folder.path()).best()).unwrap();
    assert_eq!(weights.metadata().heads, [Head::Labels, Head::Cover]);
    // Its values have moved away from the initial ones, also the bias, which decay alone would leave at 0.
    let network = Network::new(
        Architecture::MiniXception,
        FACE_SIZE,
        &weights.metadata().heads,
        1,
    );
    let initial = network.unwrap().parameters.snapshot().unwrap();
    assert_ne!(initial["cover.weight"], weights.tensors()["cover.weight"]);
    assert_ne!(weights.tensors()["cover.bias"].values, [0.0]);
}

#[test]
fn a_run_from_two_heads_begins_with_their_mean() {
    let weights = two_heads();
    let begun = |votes_share| -> WeightTensors {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            votes_share,
            ..settings(1)
        };
        let mut training = (*faces(21)).clone();
        training.set_votes(vec![Some(Votes::new([1; 10])); 21]);
        let task = EmotionTask {
            training: training.into(),
            ..data()
        };
        let run = RunFolder::new(folder.path());
        let trainer = Trainer::new_with(settings, &weights, task, run).unwrap();
        trainer.network().parameters.snapshot().unwrap()
    };
    let tensors = weights.tensors();
    let [labels, mixed] = [0.0, 0.25].map(begun);
    assert_eq!(labels["head.weight"], tensors["head.weight"]);
    assert_eq!(mixed["conv1.weight"], tensors["conv1.weight"]);
    assert!(!mixed.contains_key("people.weight"));
    let values = |name: &str| tensors[name].values[5];
    let expected = 0.75 * values("head.weight") + 0.25 * values("people.weight");
    assert!((mixed["head.weight"].values[5] - expected).abs() < 1e-6);
}

#[test]
fn unlabelled_faces_are_cut_out_of_the_training_pictures_and_need_a_teacher() {
    let folder = tempfile::tempdir().unwrap();
    let picture = GrayImage::from_fn(100, 80, |x, _| image::Luma([(2 * x) as u8]));
    picture.save(folder.path().join("a.png")).unwrap();
    let lines = [
        r#"{"image":"a.png","width":100,"height":80,"split":"train","boxes":[[10,10,48,48],[70,10,12,12]]}"#,
        r#"{"image":"a.png","width":100,"height":80,"split":"val","boxes":[[10,10,48,48]]}"#,
    ];
    std::fs::write(folder.path().join("boxes.jsonl"), lines.join("\n")).unwrap();
    let mut training = (*faces(21)).clone();
    // The second box is too small, the second picture is for validation.
    assert_eq!(unlabelled::append(&mut training, folder.path()).unwrap(), 1);
    assert_eq!((training.len(), training.labels().len()), (22, 21));
    assert_eq!(training.label(21), None);
    let row: Vec<u8> = (10..58).map(|x| 2 * x).collect();
    assert_eq!(training.pixels(21)[..FACE_SIZE], row);

    let task = EmotionTask {
        training: training.into(),
        ..data()
    };
    let begun = |settings, task: &EmotionTask| {
        let run = RunFolder::new(folder.path().join("run"));
        Trainer::new(settings, task.clone(), run)
    };
    let error = begun(settings(1), &task).err().unwrap().to_string();
    assert!(error.contains("teach nothing without a teacher"), "{error}");
    let teachers = saved(folder.path());
    let settings = Settings {
        distillation: Some(distillation(&teachers, None)),
        ..settings(1)
    };
    finish(begun(settings, &EmotionTask { teachers, ..task }).unwrap());
}

#[test]
fn a_folder_without_faces_large_enough_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#"{"image":"a.png","width":100,"height":80,"boxes":[[70,10,12,12]]}"#;
    std::fs::write(folder.path().join("boxes.jsonl"), line).unwrap();
    let error = unlabelled::append(&mut Faces::default(), folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("faces of at least 22 pixels"),
        "{error}"
    );
}

/// The given recipe for a few faces, without pairs of faces.
fn quiet(recipe: Settings, epochs: usize) -> Settings {
    Settings {
        common: settings(epochs).common,
        ..recipe
    }
}

#[test]
#[ignore = "needs EMOTION_DATA: teacher/ and fer2013/"]
fn the_teachers_logits_of_both_heads_are_those_that_pytorch_gave() {
    let file = path_of("teacher/residual_se_large.safetensors");
    let weights = pytorch::import(&file, Architecture::ResidualXceptionLarge, "teacher").unwrap();
    assert_eq!(weights.metadata().heads, [Head::Labels, Head::People]);
    let expected = expected_logits("teacher/logits.csv");
    assert_eq!(expected.len(), 64);
    let mut classifier = Classifier::with_precision(&weights, Precision::F32).unwrap();
    for (face, expected) in private_faces(64).iter().zip(&expected) {
        let found = classifier
            .outputs(&prepared(face, FACE_SIZE))
            .unwrap()
            .remove(0);
        let pairs = found.iter().zip(expected);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-2, "{found:?}, expected {expected:?}");
    }
}

#[test]
fn a_network_for_other_emotions_or_of_another_shape_is_not_imported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    two_heads().save(&path).unwrap();
    let import = |architecture| pytorch::import(&path, architecture, "net");
    let imported = import(Architecture::MiniXception).unwrap();
    assert_eq!(imported.metadata().heads, [Head::Labels, Head::People]);
    assert_eq!(imported.tensors(), two_heads().tensors());
    let error = import(Architecture::ResidualXception)
        .unwrap_err()
        .to_string();
    assert!(error.contains("expected"), "{error}");

    let metadata = Metadata {
        labels: Emotion::names().into_iter().rev().collect(),
        ..two_heads().metadata().clone()
    };
    let other = Weights::new("other", metadata, two_heads().tensors().clone()).unwrap();
    other.save(&path).unwrap();
    let error = import(Architecture::MiniXception).unwrap_err().to_string();
    assert!(error.contains("in this order"), "{error}");
}
