//! Batches of faces, augmented in the background a few batches ahead of the training step, and preprocessed by the code
//! that the plugin runs.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use emotion_models::Emotion;
use emotion_models::preprocess::{GreyImage, Preprocessor, Region};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::augment::{Augmentation, Augmenter};
use super::faces::{CLASSES, FACE_SIZE, Faces};
use super::mixing::{MixedBatch, Mixing};
use super::prefetch::Prefetched;
use super::targets::{LabelTargets, TargetSettings};
use crate::random::{Purpose, generator};

/// How the batches of one epoch are made.
#[derive(Debug, Clone, Copy)]
pub struct BatchPlan {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Faces in a batch; the last one may hold fewer.
    pub batch: usize,
    /// Width and height of the network's input, in pixels.
    pub input_size: usize,
    /// How far faces are changed.
    pub augmentation: Augmentation,
    /// How faces are mixed.
    pub mixing: Mixing,
    /// How labels and votes become targets.
    pub targets: TargetSettings,
    /// Whether teachers need the faces as they were before they arrived at a camera.
    pub has_teachers: bool,
    /// Movements that each face makes in turn; none: another one each epoch.
    pub views: Option<usize>,
}

/// One step's worth of training data.
#[derive(Debug)]
pub struct FaceBatch {
    /// `[N, input_size, input_size, 1]`, in [-1, 1].
    pub faces: Tensor,
    /// The same faces, only moved, on which teachers are more accurate; none if equal to `faces`.
    pub teacher_faces: Option<Tensor>,
    /// The N faces as rows of the data.
    pub rows: Vec<usize>,
    /// The number of their movement, counted from 0.
    pub view: usize,
    /// `[N, 7]`: the target probability of each class, times the weight of the face in the loss. A row sums to that weight:
    /// 1 if classes are not balanced, else 1 in the mean.
    pub targets: Tensor,
    /// `[N, 2]`: the target probabilities that a face is covered and that it is not; both 0 where it is unknown.
    pub covers: Tensor,
    /// The N labels, if there are any; of mixed faces, the label of the larger part.
    pub labels: Vec<Option<Emotion>>,
}

/// The batches of one epoch in shuffled order; each face occurs once.
pub type FaceBatches = Prefetched<Result<FaceBatch>>;

impl FaceBatches {
    /// Starts to prepare the batches of `faces` in the background, without the first `skipped` ones.
    pub fn new(faces: Arc<Faces>, plan: BatchPlan, skipped: usize) -> Self {
        Self::start(move |sender| {
            let targets = LabelTargets::new(&faces, plan.targets);
            let mut order: Vec<usize> = (0..faces.len()).collect();
            let mut generator = generator(plan.seed, Purpose::Shuffle, plan.epoch as u64);
            order.shuffle(&mut generator);
            for (index, rows) in order.chunks(plan.batch).enumerate().skip(skipped) {
                if !sender.send(plan.prepare(&faces, &targets, index, rows)) {
                    break;
                }
            }
        })
    }
}

impl BatchPlan {
    /// The batch at `index` in the epoch, made of `rows`.
    fn prepare(
        &self,
        faces: &Faces,
        targets: &LabelTargets<'_>,
        index: usize,
        rows: &[usize],
    ) -> Result<FaceBatch> {
        let augmented = |augmentation| -> Result<_> {
            let (mut values, covered) = self.augmented(faces, rows, augmentation);
            let mut targets: Vec<_> = rows
                .iter()
                .zip(covered)
                .map(|(&row, covered)| targets.of(row, covered))
                .collect();
            let mut labels: Vec<_> = rows.iter().map(|&row| faces.label(row)).collect();
            if self.mixing.is_on() {
                let batch = MixedBatch {
                    faces: &mut values,
                    size: self.input_size,
                    targets: &mut targets,
                    labels: &mut labels,
                };
                let mut generator = self.generator(Purpose::Mixing, index);
                self.mixing.run(batch, &mut generator);
            }
            let faces = tensor(values, rows.len(), self.input_size)?;
            Ok((faces, targets, labels))
        };
        let moved = self.augmentation.only_moved();
        let teacher_faces = if self.has_teachers && moved != self.augmentation {
            Some(augmented(moved)?.0)
        } else {
            None
        };
        let (values, targets, labels) = augmented(self.augmentation)?;
        let shape = (rows.len(), CLASSES + 2);
        let targets = Tensor::from_vec(targets.into_flattened(), shape, &Device::Cpu)?;
        Ok(FaceBatch {
            faces: values,
            teacher_faces,
            rows: rows.to_vec(),
            view: self.view(),
            covers: targets.narrow(1, CLASSES, 2)?,
            targets: targets.narrow(1, 0, CLASSES)?,
            labels,
        })
    }

    /// `input_size`² values for each of the rows, and whether the face is covered.
    fn augmented(
        &self,
        faces: &Faces,
        rows: &[usize],
        augmentation: Augmentation,
    ) -> (Vec<f32>, Vec<bool>) {
        let length = self.input_size * self.input_size;
        let mut values = vec![0.0; rows.len() * length];
        let values_of_rows = values.par_chunks_exact_mut(length).zip(rows);
        let covered = values_of_rows.map_init(
            || {
                let augmenter = Augmenter::new(augmentation, FACE_SIZE);
                (augmenter, Preprocessor::new(self.input_size))
            },
            |(augmenter, preprocessor), (out, &row)| {
                let face = augmenter.run(faces.pixels(row), |purpose| self.generator(purpose, row));
                preprocess(preprocessor, face.pixels, face.size, out);
                face.is_covered
            },
        );
        let covered = covered.collect();
        (values, covered)
    }

    fn view(&self) -> usize {
        let view = self.epoch - 1;
        self.views.map_or(view, |views| view % views)
    }

    fn generator(&self, purpose: Purpose, index: usize) -> ChaCha8Rng {
        let epoch = if purpose == Purpose::Movement {
            self.view()
        } else {
            self.epoch
        };
        generator(self.seed, purpose, (epoch as u64) << 32 | index as u64)
    }
}

/// The faces of `rows`, preprocessed but not augmented: `[N, input_size, input_size, 1]`.
pub fn preprocessed(faces: &Faces, rows: Range<usize>, preprocessor: &Preprocessor) -> Vec<f32> {
    let length = preprocessor.size().pow(2);
    let mut values = vec![0.0; rows.len() * length];
    values.par_chunks_exact_mut(length).zip(rows).for_each_init(
        || preprocessor.clone(),
        |preprocessor, (out, row)| preprocess(preprocessor, faces.pixels(row), FACE_SIZE, out),
    );
    values
}

/// The tensor `[count, input_size, input_size, 1]` of preprocessed faces.
///
/// # Errors
///
/// When `values` has another length.
pub fn tensor(values: Vec<f32>, count: usize, input_size: usize) -> Result<Tensor> {
    Tensor::from_vec(values, (count, input_size, input_size, 1), &Device::Cpu)
}

/// Preprocesses a face of `size`² pixels.
fn preprocess(preprocessor: &mut Preprocessor, pixels: &[u8], size: usize, out: &mut [f32]) {
    let image = GreyImage::new(pixels, size, size, size).expect("a face has size² pixels");
    preprocessor
        .run(&image, Region::whole(&image), out)
        .expect("the region is the face and the output has the size of the input");
}

#[cfg(test)]
mod tests;
