//! Runs that are stopped, killed and resumed.

use std::fs;
use std::time::Duration;

use crate::common::{Files, data, finish, resumed, settings, tensors, trained, trainer};
use emotion_trainer::emotion::recipe::Settings;
use emotion_trainer::run::checkpoint::Checkpoint;
use emotion_trainer::run::folder::RunFolder;
use emotion_trainer::run::progress::TrainingProgress;
use emotion_trainer::run::trainer::{Trainer, TrainingOutcome};

/// Yes from the second question on: a run asks when it begins, so it stops after its first step.
fn after_one_step() -> impl FnMut() -> bool {
    let mut asked = 0;
    move || {
        asked += 1;
        asked > 1
    }
}

#[test]
fn a_run_that_is_stopped_after_each_step_and_resumed_ends_like_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut trainer = trainer(settings(2), path);
    let mut steps = Vec::new();
    while trainer
        .run(&TrainingProgress::hidden(), after_one_step())
        .unwrap()
        == TrainingOutcome::Stopped
    {
        steps.push((trainer.log().len(), trainer.totals().steps));
        drop(trainer);
        trainer = resumed(path);
    }
    // Between the third step of an epoch and its validation, and behind that, it stops too.
    let expected = [(0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)];
    assert_eq!(steps, expected);
    assert_eq!(Files::of(path), trained(settings(2), 2));
}

#[test]
fn a_run_that_was_killed_goes_on_from_what_it_saved_within_the_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let last = RunFolder::new(folder.path()).last();
    let copy = tempfile::tempdir().unwrap();
    let mut trainer = trainer(settings(2), folder.path());
    trainer.save_every(Some(Duration::ZERO));
    let mut asked = 0;
    let outcome = trainer.run(&TrainingProgress::hidden(), || {
        asked += 1;
        // Before the first step, after each of two, and then what is on the disk counts.
        if asked == 3 {
            fs::copy(&last, RunFolder::new(copy.path()).last()).unwrap();
        }
        false
    });
    assert_eq!(outcome.unwrap(), TrainingOutcome::Finished);

    let trainer = resumed(copy.path());
    assert_eq!((trainer.log().len(), trainer.totals().steps), (0, 1));
    finish(trainer);
    assert_eq!(Files::of(copy.path()), Files::of(folder.path()));
}

#[test]
fn a_finished_run_that_is_resumed_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    finish(trainer(settings(1), folder.path()));
    let last = RunFolder::new(folder.path()).last();
    let before = tensors(&last);
    finish(resumed(folder.path()));
    assert_eq!(tensors(&last), before);
}

#[test]
fn what_a_killed_run_left_half_written_goes_when_it_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    finish(trainer(settings(1), folder.path()));
    let leftover = folder.path().join(".writing-a1b2c3");
    fs::write(&leftover, b"half a che").unwrap();
    drop(resumed(folder.path()));
    assert!(!leftover.exists());
}

#[test]
fn a_run_is_not_resumed_while_it_is_at_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut stopped = trainer(settings(1), folder.path());
    let outcome = stopped.run(&TrainingProgress::hidden(), || true).unwrap();
    assert_eq!(outcome, TrainingOutcome::Stopped);
    let second = Trainer::resume(data(), RunFolder::new(folder.path()));
    let error = second.err().unwrap().to_string();
    assert!(error.starts_with("another run is at work in "), "{error}");
    drop(stopped);
    resumed(folder.path());
}

#[test]
fn a_run_from_another_kind_of_file_is_refused_with_the_path() {
    let folder = tempfile::tempdir().unwrap();
    finish(trainer(settings(1), folder.path()));
    let folder = RunFolder::new(folder.path());
    fs::copy(folder.best(), folder.last()).unwrap();
    let error = Checkpoint::<Settings>::load(&folder.last()).unwrap_err();
    let message = format!("{error:#}");
    assert!(
        message.contains(
            "last.ckpt.safetensors is not a checkpoint to resume from: its metadata lack"
        ),
        "{message}"
    );
}
