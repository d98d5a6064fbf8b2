//! Teachers: trained networks whose probabilities a smaller one learns besides the labels (Hinton, Vinyals and Dean 2015,
//! "Distilling the Knowledge in a Neural Network").
//!
//! They classify the augmented faces of each batch, like the student, but without changes of exposure. The logits of each
//! teacher are divided by its own temperature first, so that an overconfident one has no more influence than the others.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use emotion_models::inference::Precision;
use emotion_models::{Classifier, Emotion, Metadata, Scores, Weights};
use serde::{Deserialize, Serialize};

use crate::run::weights_id::WeightsId;

/// Settings of the distillation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distillation {
    /// The teachers.
    pub teachers: Vec<WeightsId>,
    /// α, the share of the teachers in the loss; the labels have the rest.
    pub weight: f64,
    /// T, by which the logits of teachers and student are divided.
    pub temperature: f64,
    /// Whether teachers average over the face and its mirror image.
    pub flip: bool,
}

/// The loaded teachers; none by default. A clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Teachers(Arc<[Teacher]>);

#[derive(Debug)]
struct Teacher {
    file: PathBuf,
    id: WeightsId,
    metadata: Metadata,
    /// In f32, so that the targets do not depend on the machine.
    classifier: Mutex<Classifier>,
}

/// The answers of the teachers to a batch.
#[derive(Debug, Clone)]
pub struct SoftTargets {
    /// `[N, 7]`, the mean of the teachers' `softmax(logits / temperature)`.
    pub probabilities: Tensor,
    /// Their mean entropy in nats, the lower bound of the student's cross-entropy.
    pub entropy: f64,
    /// T.
    pub temperature: f64,
}

impl Teachers {
    /// Reads weights files.
    ///
    /// # Errors
    ///
    /// When a file is unusable, or its labels are not FER-2013's emotions.
    pub fn load(files: &[PathBuf]) -> Result<Self> {
        let teachers = files.iter().map(|file| Teacher::load(file));
        Ok(Self(teachers.collect::<Result<_>>()?))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids of their weights, in order.
    pub fn ids(&self) -> Vec<WeightsId> {
        self.0.iter().map(|teacher| teacher.id.clone()).collect()
    }

    /// Their files, in order.
    pub fn files(&self) -> Vec<PathBuf> {
        self.0.iter().map(|teacher| teacher.file.clone()).collect()
    }

    /// Checks that these are the teachers of a run, and that they take faces of its size.
    ///
    /// # Errors
    ///
    /// When they are not, with the remedy.
    pub fn check(&self, expected: &[WeightsId], input_size: usize) -> Result<()> {
        let found = self.ids();
        ensure!(
            found == expected,
            "the run learns from {}, found {}: pass the same files with --teacher",
            list(expected),
            list(&found)
        );
        for Teacher { file, metadata, .. } in self.0.iter() {
            let size = metadata.input_size;
            ensure!(
                size == input_size,
                "{}: the teacher takes faces of {size}×{size} pixels, this run trains on \
                 {input_size}×{input_size}: choose a teacher of that size",
                file.display(),
            );
        }
        Ok(())
    }

    /// Their mean answer to preprocessed faces `[N, size, size, 1]`.
    ///
    /// # Errors
    ///
    /// When `faces` has another shape than they take, or there are no teachers.
    pub fn answer(&self, faces: &Tensor, settings: &Distillation) -> Result<SoftTargets> {
        let width = faces.dim(2)?;
        let faces = faces.flatten_all()?.to_vec1::<f32>()?;
        let mirrored = settings.flip.then(|| mirrored(&faces, width));
        let mut sum = SoftSum::default();
        for teacher in self.0.iter() {
            let temperature = f64::from(teacher.metadata.temperature) * settings.temperature;
            for faces in [Some(&faces), mirrored.as_ref()].into_iter().flatten() {
                let classifier = teacher.classifier.lock();
                let mut classifier = classifier.unwrap_or_else(PoisonError::into_inner);
                sum.add(&classifier.logits(faces)?, temperature);
            }
        }
        sum.mean(settings.temperature)
    }
}

impl Teacher {
    fn load(file: &Path) -> Result<Self> {
        let shown = file.display().to_string();
        let bytes =
            std::fs::read(file).with_context(|| format!("{shown}: cannot read the teacher"))?;
        let weights = Weights::from_bytes(&shown, &bytes)?;
        let metadata = weights.metadata().clone();
        ensure!(
            metadata.labels == Emotion::names(),
            "{shown}: the teacher has the labels {}, expected {}: choose one that was trained on the same emotions",
            metadata.labels.join(", "),
            Emotion::names().join(", "),
        );
        let classifier = Classifier::with_precision(&weights, Precision::F32)?
            .with_threads(rayon::current_num_threads());
        let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        Ok(Self {
            file,
            id: WeightsId::of(&weights),
            classifier: Mutex::new(classifier),
            metadata,
        })
    }
}

impl SoftTargets {
    /// The answer of one teacher with these logits `[N][C]`.
    #[cfg(test)]
    pub(crate) fn of_logits(logits: &[Vec<f32>], temperature: f64) -> Result<Self> {
        let mut sum = SoftSum::default();
        sum.add(logits, temperature);
        sum.mean(temperature)
    }
}

/// The sum of the probabilities `[N][C]` of several answers.
#[derive(Default)]
struct SoftSum {
    rows: Vec<Vec<f32>>,
    answers: usize,
}

impl SoftSum {
    fn add(&mut self, logits: &[Vec<f32>], temperature: f64) {
        self.answers += 1;
        if self.rows.is_empty() {
            self.rows = logits.iter().map(|row| vec![0.0; row.len()]).collect();
        }
        for (sums, logits) in self.rows.iter_mut().zip(logits) {
            let scores = Scores::from_logits(logits, temperature as f32);
            for (sum, probability) in sums.iter_mut().zip(scores.probabilities()) {
                *sum += probability;
            }
        }
    }

    fn mean(self, temperature: f64) -> Result<SoftTargets> {
        let answers = self.answers as f32;
        let rows = self.rows.into_iter();
        let rows: Vec<Vec<f32>> = rows
            .map(|row| row.into_iter().map(|sum| sum / answers).collect())
            .collect();
        let probabilities = rows.iter().flatten().map(|&p| f64::from(p));
        let surprise = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let entropy: f64 = probabilities.map(surprise).sum();
        Ok(SoftTargets {
            entropy: entropy / rows.len() as f64,
            probabilities: Tensor::new(rows, &Device::Cpu)?,
            temperature,
        })
    }
}

/// Faces with each row of `width` values reversed.
fn mirrored(faces: &[f32], width: usize) -> Vec<f32> {
    let rows = faces.chunks_exact(width);
    rows.flat_map(|row| row.iter().rev().copied()).collect()
}

fn list(ids: &[WeightsId]) -> String {
    let shown: Vec<String> = ids.iter().map(WeightsId::to_string).collect();
    if shown.is_empty() {
        "no teacher".to_owned()
    } else {
        shown.join(", ")
    }
}
