//! Whole training runs on small data.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use emotion_models::{Emotion, Weights};
use emotion_trainer::checkpoint::Folder;
use emotion_trainer::data::augment::Augmentation;
use emotion_trainer::data::{FACE_SIZE, Faces};
use emotion_trainer::progress::Progress;
use emotion_trainer::recipe::{Recipe, Settings};
use emotion_trainer::training::{Data, Trainer};

/// Faces that can be told apart: a bright square whose place is that of the label, on noise.
fn faces(count: usize) -> Arc<Faces> {
    let mut faces = Faces::default();
    let mut state = 1u32;
    for index in 0..count {
        let label = Emotion::ALL[index % Emotion::ALL.len()];
        let (left, top) = (
            4 + 14 * (label.label_id() % 3),
            4 + 14 * (label.label_id() / 3),
        );
        let mut pixel = |position: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (position % FACE_SIZE, position / FACE_SIZE);
            let inside = (left..left + 12).contains(&x) && (top..top + 12).contains(&y);
            (state >> 26) as u8 + if inside { 160 } else { 0 }
        };
        let pixels: Vec<u8> = (0..FACE_SIZE * FACE_SIZE).map(&mut pixel).collect();
        faces.push(&pixels, label);
    }
    Arc::new(faces)
}

fn data() -> Data {
    Data {
        training: faces(21),
        validation: faces(14),
    }
}

/// The recipe with all that has a state: average, decay, a moving learning rate, augmentation.
fn settings(epochs: usize) -> Settings {
    Settings {
        epochs,
        batch: 8,
        ..Recipe::Best.settings()
    }
}

fn trainer(settings: Settings, folder: &Path) -> Trainer {
    Trainer::new(settings, data(), Folder::new(folder)).unwrap()
}

/// The parameters of the best epoch, and the log without the times.
fn result(folder: &Path) -> (BTreeMap<String, Vec<f32>>, Vec<String>) {
    let folder = Folder::new(folder);
    let weights = Weights::load(&folder.best()).unwrap();
    let values = weights.tensors().iter().map(|(name, tensor)| {
        (
            name.clone(),
            tensor.flatten_all().unwrap().to_vec1().unwrap(),
        )
    });
    let log = std::fs::read_to_string(folder.log()).unwrap();
    let rows = log
        .lines()
        .map(|row| row.rsplit_once(',').unwrap().0.to_owned())
        .collect();
    (values.collect(), rows)
}

fn trained(settings: Settings, threads: usize) -> (BTreeMap<String, Vec<f32>>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| trainer(settings, folder.path()).run(&Progress::hidden()))
        .unwrap();
    result(folder.path())
}

#[test]
fn the_same_seed_gives_the_same_weights_on_any_number_of_threads() {
    let first = trained(settings(2), 1);
    assert_eq!(first, trained(settings(2), 1));
    assert_eq!(first, trained(settings(2), 3));
}

#[test]
fn another_seed_gives_other_weights() {
    let other = Settings {
        seed: 2,
        ..settings(1)
    };
    assert_ne!(trained(settings(1), 2).0, trained(other, 2).0);
}

#[test]
fn a_run_that_was_stopped_and_resumed_ends_like_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut stopped = trainer(settings(4), folder.path());
    stopped.epoch(&Progress::hidden()).unwrap();
    stopped.epoch(&Progress::hidden()).unwrap();
    drop(stopped);
    let mut resumed = Trainer::resume(data(), Folder::new(folder.path())).unwrap();
    resumed.run(&Progress::hidden()).unwrap();
    assert_eq!(result(folder.path()), trained(settings(4), 2));
}

#[test]
fn a_small_set_is_learnt_by_heart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        epochs: 12,
        batch: 7,
        augmentation: Augmentation::NONE,
        ..Recipe::Seed.settings()
    };
    let data = Data {
        training: faces(21),
        validation: faces(21),
    };
    let mut trainer = Trainer::new(settings, data, Folder::new(folder.path())).unwrap();
    trainer.run(&Progress::hidden()).unwrap();
    let last = trainer.log().last().unwrap();
    assert!(last.acc == 1.0 && last.loss < 0.15, "{last:?}");
}

#[test]
fn a_loss_that_is_not_a_number_stops_and_leaves_the_last_good_files() {
    let folder = tempfile::tempdir().unwrap();
    trainer(settings(1), folder.path())
        .run(&Progress::hidden())
        .unwrap();
    let good = result(folder.path());

    let checkpoint = Folder::new(folder.path()).last();
    let mut poisoned = emotion_trainer::checkpoint::Checkpoint::load(&checkpoint).unwrap();
    poisoned.run.settings.epochs = 2;
    poisoned.run.settings.learning_rate = 1e30;
    poisoned.save(&checkpoint).unwrap();
    let mut trainer = Trainer::resume(data(), Folder::new(folder.path())).unwrap();
    let error = trainer.run(&Progress::hidden()).unwrap_err().to_string();

    assert!(error.contains("in epoch 2, so training stops"), "{error}");
    assert!(error.contains("still holds epoch 1"), "{error}");
    assert_eq!(result(folder.path()), good);
}

#[test]
fn the_weights_say_how_they_were_trained() {
    let folder = tempfile::tempdir().unwrap();
    trainer(settings(1), folder.path())
        .run(&Progress::hidden())
        .unwrap();
    let weights = Weights::load(&Folder::new(folder.path()).best()).unwrap();
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
    trainer(settings(1), folder.path())
        .run(&Progress::hidden())
        .unwrap();
    let error = Trainer::new(settings(1), data(), Folder::new(folder.path()))
        .err()
        .unwrap();
    assert!(error.to_string().contains("--resume"), "{error}");
}

#[test]
fn a_run_is_not_resumed_on_other_data() {
    let folder = tempfile::tempdir().unwrap();
    trainer(settings(1), folder.path())
        .run(&Progress::hidden())
        .unwrap();
    let other = Data {
        training: faces(20),
        ..data()
    };
    let error = Trainer::resume(other, Folder::new(folder.path()))
        .err()
        .unwrap();
    assert!(error.to_string().contains("trained on 21 faces"), "{error}");
}

#[test]
fn a_split_without_rows_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Data {
        validation: Arc::default(),
        ..data()
    };
    let error = Trainer::new(settings(1), empty, Folder::new(folder.path()))
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "the data has no PublicTest rows");
}
