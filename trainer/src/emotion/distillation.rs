//! Teachers: trained networks whose probabilities a smaller one learns besides the labels (Hinton, Vinyals and Dean 2015,
//! "Distilling the Knowledge in a Neural Network").
//!
//! They classify the faces of each batch, moved like the student's, but not covered, relit or degraded. The logits of each
//! teacher are divided by its own temperature first, so that an overconfident one has no more influence than the others. A
//! teacher with [`Head::People`] gives the mean of its two answers, weighted as labels and votes are in the targets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use emotion_models::inference::Precision;
use emotion_models::weights::{Head, WeightsId};
use emotion_models::{Classifier, Emotion, Metadata, Scores, Weights};
use serde::{Deserialize, Serialize};

use crate::data::batch::FaceBatch;

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
    /// Movements that each face makes in turn, so that teachers classify each of them once; none: another one each epoch.
    pub views: Option<usize>,
}

/// The loaded teachers; none by default. A clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Teachers {
    teachers: Arc<[Teacher]>,
    answers: Arc<Mutex<KeptAnswers>>,
}

/// Probabilities by view and row.
type KeptAnswers = HashMap<(usize, usize), Vec<f32>>;

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
        Ok(Self {
            teachers: teachers.collect::<Result<_>>()?,
            answers: Arc::default(),
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.teachers.is_empty()
    }

    /// The ids of their weights, in order.
    pub fn ids(&self) -> Vec<WeightsId> {
        let teachers = self.teachers.iter();
        teachers.map(|teacher| teacher.id.clone()).collect()
    }

    /// Their files, in order.
    pub fn files(&self) -> Vec<PathBuf> {
        let teachers = self.teachers.iter();
        teachers.map(|teacher| teacher.file.clone()).collect()
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
        for Teacher { file, metadata, .. } in self.teachers.iter() {
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

    /// Their mean answer to a batch; `people_share` is the share of [`Head::People`] in the answer of a teacher that has it.
    /// With views, it is kept for the next time.
    ///
    /// # Errors
    ///
    /// As [`Teachers::answer`].
    pub fn answer_batch(
        &self,
        batch: &FaceBatch,
        settings: &Distillation,
        people_share: f32,
    ) -> Result<SoftTargets> {
        let faces = batch.teacher_faces.as_ref().unwrap_or(&batch.faces);
        if settings.views.is_none() {
            return self.answer(faces, settings, people_share);
        }
        let keys = || batch.rows.iter().map(|&row| (batch.view, row));
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Option<Vec<_>> = keys().map(|key| answers.get(&key).cloned()).collect();
        let rows = match known {
            Some(rows) => rows,
            None => {
                let rows = self.probabilities(faces, settings, people_share)?;
                answers.extend(keys().zip(rows.iter().cloned()));
                rows
            }
        };
        SoftTargets::new(rows, settings.temperature)
    }

    /// Their mean answer to preprocessed faces `[N, size, size, 1]`; `people_share` is the share of [`Head::People`] in the
    /// answer of a teacher that has it.
    ///
    /// # Errors
    ///
    /// When `faces` has another shape than they take, or there are no teachers.
    pub fn answer(
        &self,
        faces: &Tensor,
        settings: &Distillation,
        people_share: f32,
    ) -> Result<SoftTargets> {
        let rows = self.probabilities(faces, settings, people_share)?;
        SoftTargets::new(rows, settings.temperature)
    }

    /// The rows of [`Teachers::answer`].
    fn probabilities(
        &self,
        faces: &Tensor,
        settings: &Distillation,
        people_share: f32,
    ) -> Result<Vec<Vec<f32>>> {
        let width = faces.dim(2)?;
        let faces = faces.flatten_all()?.to_vec1::<f32>()?;
        let mirrored = settings.flip.then(|| mirrored(&faces, width));
        let mut sum = SoftSum::default();
        for teacher in self.teachers.iter() {
            let temperature = f64::from(teacher.metadata.temperature) * settings.temperature;
            for faces in [Some(&faces), mirrored.as_ref()].into_iter().flatten() {
                let classifier = teacher.classifier.lock();
                let mut classifier = classifier.unwrap_or_else(PoisonError::into_inner);
                let outputs = classifier.outputs(faces)?;
                sum.add(&outputs, |row| {
                    let scores = |head| {
                        let range = teacher.metadata.outputs(head)?;
                        Some(Scores::from_logits(&row[range], temperature as f32))
                    };
                    let labels = scores(Head::Labels).into_iter();
                    match scores(Head::People) {
                        Some(people) => {
                            let shares = [1.0 - people_share, people_share];
                            labels.chain([people]).zip(shares).collect()
                        }
                        None => labels.zip([1.0]).collect(),
                    }
                });
            }
        }
        Ok(sum.mean())
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
        sum.add(logits, |row| {
            vec![(Scores::from_logits(row, temperature as f32), 1.0)]
        });
        Self::new(sum.mean(), temperature)
    }
}

/// The sum of the probabilities `[N][C]` of several answers.
#[derive(Default)]
struct SoftSum {
    rows: Vec<Vec<f32>>,
    answers: usize,
}

impl SoftSum {
    /// Adds an answer; `scores` gives the probabilities in a row of outputs, each with its share.
    fn add(&mut self, outputs: &[Vec<f32>], scores: impl Fn(&[f32]) -> Vec<(Scores, f32)>) {
        self.answers += 1;
        self.rows.resize(outputs.len(), Vec::new());
        for (sums, row) in self.rows.iter_mut().zip(outputs) {
            for (scores, share) in scores(row) {
                sums.resize(scores.probabilities().len(), 0.0);
                for (sum, probability) in sums.iter_mut().zip(scores.probabilities()) {
                    *sum += share * probability;
                }
            }
        }
    }

    fn mean(self) -> Vec<Vec<f32>> {
        let answers = self.answers as f32;
        let rows = self.rows.into_iter();
        rows.map(|row| row.into_iter().map(|sum| sum / answers).collect())
            .collect()
    }
}

impl SoftTargets {
    /// Those of probabilities `[N][C]`.
    fn new(rows: Vec<Vec<f32>>, temperature: f64) -> Result<Self> {
        let probabilities = rows.iter().flatten().map(|&p| f64::from(p));
        let surprise = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let entropy: f64 = probabilities.map(surprise).sum();
        Ok(Self {
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
