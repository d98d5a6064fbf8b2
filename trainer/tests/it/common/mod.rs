//! Small runs that the tests of training share.

pub(crate) mod process;
pub(crate) mod published;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use emotion_models::Emotion;
use emotion_trainer::data::{FACE_SIZE, Faces};
use emotion_trainer::emotion::distillation::Teachers;
use emotion_trainer::emotion::epoch::EmotionEpoch;
use emotion_trainer::emotion::recipe::{Recipe, Settings};
use emotion_trainer::emotion::task::EmotionTask;
use emotion_trainer::run::checkpoint::Checkpoint;
use emotion_trainer::run::folder::RunFolder;
use emotion_trainer::run::log::Log;
use emotion_trainer::run::progress::TrainingProgress;
use emotion_trainer::run::state::Run;
use emotion_trainer::run::task::TrainingTask;
use emotion_trainer::run::trainer::{Trainer, TrainingOutcome};

/// Faces that can be told apart: a bright square whose place is that of the label, on noise.
pub(crate) fn faces(count: usize) -> Arc<Faces> {
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

pub(crate) fn data() -> EmotionTask {
    EmotionTask {
        training: faces(21),
        validation: faces(14),
        teachers: Teachers::default(),
    }
}

/// The recipe with all that has a state: average, decay, a moving learning rate, augmentation.
pub(crate) fn settings(epochs: usize) -> Settings {
    let mut settings = Recipe::Best.settings();
    settings.common.epochs = epochs;
    settings.common.batch = 8;
    settings
}

pub(crate) fn trainer(settings: Settings, folder: &Path) -> Trainer<EmotionTask> {
    Trainer::new(settings, data(), RunFolder::new(folder)).unwrap()
}

pub(crate) fn resumed(folder: &Path) -> Trainer<EmotionTask> {
    Trainer::resume(data(), RunFolder::new(folder)).unwrap()
}

/// Trains to the end.
pub(crate) fn finish(mut trainer: Trainer<impl TrainingTask>) {
    let outcome = trainer.run(&TrainingProgress::hidden(), || false).unwrap();
    assert_eq!(outcome, TrainingOutcome::Finished);
}

/// What a run has left: all but the times, which differ from run to run.
#[derive(Debug, PartialEq)]
pub(crate) struct Files {
    pub(crate) run: Run<Settings>,
    pub(crate) state: Tensors,
    pub(crate) best: Tensors,
    pub(crate) log: Vec<EmotionEpoch>,
}

pub(crate) type Tensors = BTreeMap<String, Vec<f32>>;

impl Files {
    pub(crate) fn of(folder: &Path) -> Self {
        let folder = RunFolder::new(folder);
        let mut run = Checkpoint::load(&folder.last()).unwrap().run;
        run.log = Log::default();
        run.totals.seconds = 0.0;
        let log = std::fs::read_to_string(folder.log()).unwrap();
        let untimed = |epoch: &EmotionEpoch| EmotionEpoch {
            seconds: 0.0,
            ..*epoch
        };
        Self {
            run,
            state: tensors(&folder.last()),
            best: tensors(&folder.best()),
            log: Log::from_csv(&log)
                .unwrap()
                .epochs()
                .iter()
                .map(untimed)
                .collect(),
        }
    }
}

pub(crate) fn tensors(file: &Path) -> Tensors {
    let values = |tensor: Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
    let tensors = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
    tensors
        .into_iter()
        .map(|(name, tensor)| (name, values(tensor)))
        .collect()
}

/// What a run without a stop leaves.
pub(crate) fn trained(settings: Settings, threads: usize) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| finish(trainer(settings, folder.path())));
    Files::of(folder.path())
}
