//! Faces on their way into the network: augmented in the background, a few batches ahead of the
//! training step, and prepared by the same code that the plugin runs.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use emotion_models::Emotion;
use emotion_models::preprocess::{GreyImage, Preprocessor, Region};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::augment::{Augmentation, Augmenter};
use super::mixing::{MixedBatch, Mixing};
use super::prefetch::Prefetched;
use super::targets::{CLASSES, LabelTargets, TargetSettings};
use super::{FACE_SIZE, Faces};
use crate::emotion::recipe::Settings;
use crate::random::{Purpose, generator};

/// How the batches of one epoch are made.
#[derive(Debug, Clone, Copy)]
pub struct BatchPlan {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch, counted from 1; with the seed and the row it decides the augmentation.
    pub epoch: usize,
    /// Faces in a batch; the last one may hold fewer.
    pub batch: usize,
    /// Width and height that the network takes, in pixels.
    pub input_size: usize,
    /// How far faces are changed.
    pub augmentation: Augmentation,
    /// How faces are mixed.
    pub mixing: Mixing,
    /// How labels and votes become targets.
    pub labelling: TargetSettings,
    /// Whether anybody is taught who wants to see the faces as they were taken.
    pub has_teachers: bool,
}

/// One step's worth of training data.
#[derive(Debug)]
pub struct FaceBatch {
    /// `[N, input_size, input_size, 1]`, in [-1, 1].
    pub faces: Tensor,
    /// The same faces in the light that they were taken in, for teachers, who know better then; none if that is `faces`.
    pub as_taken: Option<Tensor>,
    /// `[N, 7]`: the probability that each class should get, times the weight of the face in the
    /// loss. A row sums to that weight: 1 if classes are not balanced, else 1 in the mean.
    pub targets: Tensor,
    /// The N labels; of mixed faces those of the larger parts.
    pub labels: Vec<Emotion>,
}

/// The batches of one epoch in shuffled order; each face occurs once.
pub type FaceBatches = Prefetched<Result<FaceBatch>>;

impl FaceBatches {
    /// Starts to prepare batches of `faces` in the background.
    pub fn of(faces: Arc<Faces>, plan: BatchPlan) -> Self {
        Self::of_rest(faces, plan, 0)
    }

    /// The same without the first `steps` batches.
    pub fn of_rest(faces: Arc<Faces>, plan: BatchPlan, steps: usize) -> Self {
        Self::start(move |outlet| {
            let targets = LabelTargets::new(&faces, plan.labelling);
            let mut order: Vec<usize> = (0..faces.len()).collect();
            let mut generator = generator(plan.seed, Purpose::Shuffle, plan.epoch as u64);
            order.shuffle(&mut generator);
            for (index, rows) in order.chunks(plan.batch).enumerate().skip(steps) {
                if !outlet.put(plan.prepare(&faces, &targets, index, rows)) {
                    break;
                }
            }
        })
    }
}

impl BatchPlan {
    /// The plan of an epoch, counted from 1, of a run with these settings.
    pub fn new(settings: &Settings, epoch: usize) -> Self {
        Self {
            seed: settings.seed,
            epoch,
            batch: settings.batch,
            input_size: settings.input_size,
            augmentation: settings.augmentation,
            mixing: settings.mixing,
            labelling: TargetSettings {
                smoothing: settings.label_smoothing,
                votes_share: settings.votes_share,
                class_balance: settings.class_balance,
            },
            has_teachers: settings.distillation.is_some(),
        }
    }

    /// The batch of this index in the epoch, which consists of these rows.
    fn prepare(
        &self,
        faces: &Faces,
        targets: &LabelTargets<'_>,
        index: usize,
        rows: &[usize],
    ) -> Result<FaceBatch> {
        let made = |augmentation| -> Result<_> {
            let mut values = self.augmented(faces, rows, augmentation);
            let mut targets: Vec<_> = rows.iter().map(|&row| targets.of(row)).collect();
            let mut labels: Vec<_> = rows.iter().map(|&row| faces.labels()[row]).collect();
            if self.mixing.is_on() {
                let mixture = MixedBatch {
                    faces: &mut values,
                    size: self.input_size,
                    targets: &mut targets,
                    labels: &mut labels,
                };
                self.mixing
                    .run(mixture, &mut self.generator(Purpose::Mixing, index));
            }
            Ok((
                tensor(values, rows.len(), self.input_size)?,
                targets,
                labels,
            ))
        };
        let as_taken = Augmentation {
            exposure: 0.0,
            ..self.augmentation
        };
        let as_taken = (self.has_teachers && as_taken != self.augmentation)
            .then(|| made(as_taken))
            .transpose()?;
        let (values, targets, labels) = made(self.augmentation)?;
        Ok(FaceBatch {
            faces: values,
            as_taken: as_taken.map(|(values, ..)| values),
            targets: Tensor::from_vec(
                targets.into_flattened(),
                (rows.len(), CLASSES),
                &Device::Cpu,
            )?,
            labels,
        })
    }

    /// `input_size`² values for each of the rows.
    fn augmented(&self, faces: &Faces, rows: &[usize], augmentation: Augmentation) -> Vec<f32> {
        let length = self.input_size * self.input_size;
        let mut values = vec![0.0; rows.len() * length];
        let tools = || {
            (
                Augmenter::new(augmentation, FACE_SIZE),
                Preprocessor::new(self.input_size),
            )
        };
        values.par_chunks_exact_mut(length).zip(rows).for_each_init(
            tools,
            |(augmenter, preprocessor), (out, &row)| {
                let [mut generator, mut for_exposure] = [Purpose::Augmentation, Purpose::Exposure]
                    .map(|purpose| self.generator(purpose, row));
                let face = augmenter.run(faces.pixels(row), &mut generator, &mut for_exposure);
                prepare(preprocessor, face, out);
            },
        );
        values
    }

    fn generator(&self, purpose: Purpose, index: usize) -> ChaCha8Rng {
        generator(self.seed, purpose, (self.epoch as u64) << 32 | index as u64)
    }
}

/// The faces of `rows` as `preprocessor` makes them and not augmented, `[N, input_size, input_size, 1]`, one after the other.
pub fn prepared(faces: &Faces, rows: Range<usize>, preprocessor: &Preprocessor) -> Vec<f32> {
    let length = preprocessor.size().pow(2);
    let mut values = vec![0.0; rows.len() * length];
    values.par_chunks_exact_mut(length).zip(rows).for_each_init(
        || preprocessor.clone(),
        |preprocessor, (out, row)| prepare(preprocessor, faces.pixels(row), out),
    );
    values
}

/// The tensor `[count, input_size, input_size, 1]` of prepared faces.
///
/// # Errors
///
/// When `values` has another length.
pub fn tensor(values: Vec<f32>, count: usize, input_size: usize) -> Result<Tensor> {
    Tensor::from_vec(values, (count, input_size, input_size, 1), &Device::Cpu)
}

fn prepare(preprocessor: &mut Preprocessor, pixels: &[u8], out: &mut [f32]) {
    let image = GreyImage::new(pixels, FACE_SIZE, FACE_SIZE, FACE_SIZE)
        .expect("a face has FACE_SIZE² pixels");
    let prepared = preprocessor.run(&image, Region::whole(&image), out);
    prepared.expect("the region is the face and the output is of the input's size");
}

#[cfg(test)]
mod tests;
