//! Whole training runs on small data.

use std::sync::Arc;

use crate::common::{Files, data, faces, finish, resumed, settings, tensors, trained, trainer};
use emotion_models::weights::Architecture;
use emotion_models::{Emotion, Weights};
use emotion_trainer::data::Faces;
use emotion_trainer::data::augment::Augmentation;
use emotion_trainer::emotion::recipe::{Recipe, Settings};
use emotion_trainer::emotion::task::EmotionTask;
use emotion_trainer::run::checkpoint::Checkpoint;
use emotion_trainer::run::folder::RunFolder;
use emotion_trainer::run::network::Network;
use emotion_trainer::run::progress::TrainingProgress;
use emotion_trainer::run::trainer::{Trainer, TrainingOutcome};

#[test]
fn the_same_seed_gives_the_same_weights_on_any_number_of_threads() {
    let first = trained(settings(2), 1);
    assert_eq!(first, trained(settings(2), 1));
    assert_eq!(first, trained(settings(2), 3));
}

#[test]
fn another_seed_gives_other_weights() {
    let mut other = settings(1);
    other.common.seed = 2;
    assert_ne!(trained(settings(1), 2).best, trained(other, 2).best);
}

#[test]
fn a_small_set_is_learnt_by_heart() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Recipe::Seed.settings();
    settings.common.epochs = 12;
    settings.common.batch = 7;
    settings.augmentation = Augmentation::NONE;
    let data = EmotionTask {
        training: faces(21),
        validation: faces(21),
        ..data()
    };
    let mut trainer = Trainer::new(settings, data, RunFolder::new(folder.path())).unwrap();
    let outcome = trainer.run(&TrainingProgress::hidden(), || false).unwrap();
    assert_eq!(outcome, TrainingOutcome::Finished);
    let last = trainer.log().last().unwrap();
    assert!(last.acc == 1.0 && last.loss < 0.15, "{last:?}");
}

#[test]
fn a_loss_that_is_not_a_number_stops_and_leaves_the_last_good_files() {
    let folder = tempfile::tempdir().unwrap();
    finish(trainer(settings(1), folder.path()));
    let Files {
        state, best, log, ..
    } = Files::of(folder.path());
    let good = (state, best, log);

    let checkpoint = RunFolder::new(folder.path()).last();
    let mut poisoned = Checkpoint::<Settings>::load(&checkpoint).unwrap();
    poisoned.run.settings.common.epochs = 2;
    poisoned.run.settings.common.learning_rate = 1e30;
    poisoned.save(&checkpoint).unwrap();
    let mut trainer = resumed(folder.path());
    let error = trainer
        .run(&TrainingProgress::hidden(), || false)
        .unwrap_err()
        .to_string();

    assert!(error.contains("in epoch 2, so training stops"), "{error}");
    assert!(error.contains("still holds epoch 1"), "{error}");
    // What the checkpoint says was changed above; what it holds, and all else, is as before.
    let kept = Files::of(folder.path());
    assert_eq!((kept.state, kept.best, kept.log), good);
}

#[test]
fn the_weights_say_how_they_were_trained() {
    let folder = tempfile::tempdir().unwrap();
    finish(trainer(settings(1), folder.path()));
    let weights = Weights::load(&RunFolder::new(folder.path()).best()).unwrap();
    let metadata = weights.metadata();
    let start = "recipe best, epoch 1 of 1, seed 1, 21 training faces";
    assert!(
        metadata.training.starts_with(start),
        "{}",
        metadata.training
    );
    assert_eq!(metadata.labels, Emotion::names());
}

#[test]
fn a_folder_that_holds_a_run_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    finish(trainer(settings(1), folder.path()));
    let error = Trainer::new(settings(1), data(), RunFolder::new(folder.path()))
        .err()
        .unwrap();
    assert!(error.to_string().contains("--resume"), "{error}");
}

#[test]
fn a_run_is_not_resumed_on_other_data() {
    let folder = tempfile::tempdir().unwrap();
    finish(trainer(settings(1), folder.path()));
    let other = EmotionTask {
        training: faces(20),
        ..data()
    };
    let error = Trainer::resume(other, RunFolder::new(folder.path()))
        .err()
        .unwrap();
    assert!(error.to_string().contains("trained on 21 faces"), "{error}");

    let mut relabelled = Faces::default();
    for index in 0..21 {
        relabelled.push(data().training.pixels(index), Emotion::Neutral);
    }
    let other = EmotionTask {
        training: relabelled.into(),
        ..data()
    };
    let error = Trainer::resume(other, RunFolder::new(folder.path()))
        .err()
        .unwrap();
    let expected = "was trained on other faces, labels or votes than these: pass the same --data, --votes and --unlabelled";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn a_split_without_rows_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let empty = EmotionTask {
        validation: Arc::default(),
        ..data()
    };
    let error = Trainer::new(settings(1), empty, RunFolder::new(folder.path()))
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "the data has no PublicTest rows");
}

#[test]
fn each_epoch_that_is_the_best_so_far_keeps_its_weights_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(4);
    settings.common.name = Some("mine".to_owned());
    let mut trainer = trainer(settings, folder.path());
    let outcome = trainer.run(&TrainingProgress::hidden(), || false).unwrap();
    assert_eq!(outcome, TrainingOutcome::Finished);

    let mut lowest = f64::INFINITY;
    let mut expected = Vec::new();
    for row in trainer.log().epochs() {
        if row.val_loss_calibrated < lowest {
            lowest = row.val_loss_calibrated;
            let accuracy = row.val_acc;
            expected.push(format!("mine.{:03}-{accuracy:.4}.safetensors", row.epoch));
        }
    }
    let entries = folder.path().read_dir().unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("mine."))
        .collect();
    found.sort();
    assert_eq!(found, expected);

    let newest = folder.path().join(expected.last().unwrap());
    assert_eq!(tensors(&newest), tensors(&trainer.folder().best()));
    let metadata = Weights::load(&newest).unwrap().metadata().clone();
    let temperature = trainer.best().unwrap().temperature;
    assert_eq!(
        (metadata.name.as_str(), f64::from(metadata.temperature)),
        ("mine", temperature)
    );
}

#[test]
fn a_parameter_that_is_not_a_number_is_never_saved() {
    let folder = tempfile::tempdir().unwrap();
    finish(trainer(settings(1), folder.path()));
    let path = RunFolder::new(folder.path()).last();
    let mut poisoned = Checkpoint::<Settings>::load(&path).unwrap();
    poisoned.run.settings.common.epochs = 2;
    let mut moments = poisoned.group("moments");
    for (name, tensor) in &mut moments {
        if name.starts_with("first.") {
            tensor.values.fill(f32::MAX);
        }
    }
    poisoned.insert("moments", moments);
    poisoned.save(&path).unwrap();
    let before = std::fs::read(&path).unwrap();

    // The loss of the step is still a number: it is the step that breaks the parameters.
    let mut asked = 0;
    let stop_after_a_step = || {
        asked += 1;
        asked == 2
    };
    let error = resumed(folder.path())
        .run(&TrainingProgress::hidden(), stop_after_a_step)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("holds a value that is not finite in epoch 2"),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn the_other_network_is_trained_resumed_and_named_too() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        architecture: Architecture::ResidualXception,
        ..settings(1)
    };
    let mut trainer = trainer(settings, folder.path());
    let mut asked = 0;
    let stop = || {
        asked += 1;
        asked == 2
    };
    let outcome = trainer.run(&TrainingProgress::hidden(), stop).unwrap();
    assert_eq!(outcome, TrainingOutcome::Stopped);
    drop(trainer);
    finish(resumed(folder.path()));
    let best = Weights::load(&RunFolder::new(folder.path()).best()).unwrap();
    let metadata = best.metadata();
    assert_eq!(metadata.architecture, Architecture::ResidualXception);
    assert_eq!(metadata.name, "residual_xception");
}

#[test]
fn a_run_may_begin_with_trained_weights_and_goes_on_from_what_they_know() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    finish(trainer(settings(2), &first));
    let weights = Weights::load(&RunFolder::new(&first).best()).unwrap();

    let mut other = settings(1);
    other.common.seed = 9;
    let mut next = Trainer::new_with(other, &weights, data(), RunFolder::new(&second)).unwrap();
    let faces = faces(14);
    let same = Network::of(&weights).unwrap().evaluate(&faces).unwrap();
    assert_eq!(next.network().evaluate(&faces).unwrap(), same);
    let name = next.settings().common.init.as_ref().unwrap().name.clone();
    assert_eq!(name, "mini_xception");

    let mut steps = 0;
    let stopped = next.run(&TrainingProgress::hidden(), || {
        steps += 1;
        steps > 2
    });
    assert_eq!(stopped.unwrap(), TrainingOutcome::Stopped);
    let stepped = next.network().evaluate(&faces).unwrap();
    assert_ne!(stepped, same);
    drop(next);
    assert_eq!(
        resumed(&second).network().evaluate(&faces).unwrap(),
        stepped
    );
}
