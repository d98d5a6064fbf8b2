//! Teachers: trained networks whose probabilities a smaller one learns besides the labels
//! (Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network").
//!
//! They see the faces of each batch as the student does, augmented, so that what they say
//! fits the picture, but in the light that they were taken in. Each one's own temperature counts, so that a teacher that is too sure of itself
//! is not heard more than the others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use emotion_models::{Emotion, Metadata, Scores, Weights};
use serde::{Deserialize, Serialize};

use crate::run::network::Network;
use crate::run::weights_id::WeightsId;

/// How much is learnt from whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distillation {
    /// The teachers.
    pub teachers: Vec<WeightsId>,
    /// α, the teachers' share of the loss; the labels have the rest.
    pub weight: f64,
    /// T, by which the logits of teachers and student are divided.
    pub temperature: f64,
    /// Whether teachers answer by the mean over the face and its mirror image.
    pub flip: bool,
}

/// Teachers ready to answer; none by default. A clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Teachers(Arc<[Teacher]>);

#[derive(Debug)]
struct Teacher {
    file: PathBuf,
    identity: WeightsId,
    metadata: Metadata,
    network: Network,
}

/// What teachers say about a batch.
#[derive(Debug, Clone)]
pub struct SoftTargets {
    /// `[N, 7]`, the mean of the teachers' `softmax(logits / temperature)`.
    pub probabilities: Tensor,
    /// Their mean entropy in nats, the least cross-entropy that a student can have.
    pub entropy: f64,
    /// T.
    pub temperature: f64,
}

impl Teachers {
    /// Reads weights files.
    ///
    /// # Errors
    ///
    /// When a file is unusable, or its network does not tell FER-2013's emotions apart.
    pub fn load(files: &[PathBuf]) -> Result<Self> {
        let teachers = files.iter().map(|file| Teacher::load(file));
        Ok(Self(teachers.collect::<Result<_>>()?))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who they are, in order.
    pub fn identities(&self) -> Vec<WeightsId> {
        let identity = |teacher: &Teacher| teacher.identity.clone();
        self.0.iter().map(identity).collect()
    }

    /// Where they were read from, in order.
    pub fn files(&self) -> Vec<PathBuf> {
        self.0.iter().map(|teacher| teacher.file.clone()).collect()
    }

    /// Checks that these are the teachers of a run, and take its faces.
    ///
    /// # Errors
    ///
    /// When they are others, or take faces of another size, with what to do.
    pub fn check(&self, expected: &[WeightsId], input_size: usize) -> Result<()> {
        let found = self.identities();
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

    /// What they say about prepared faces `[N, size, size, 1]`.
    ///
    /// # Errors
    ///
    /// When `faces` has another shape than they take, or there are no teachers.
    pub fn answer(&self, faces: &Tensor, how: &Distillation) -> Result<SoftTargets> {
        let width = faces.dim(2)?;
        let faces = faces.flatten_all()?.to_vec1::<f32>()?;
        let mirrored = how.flip.then(|| mirrored(&faces, width));
        let mut sum = SoftSum::default();
        for teacher in self.0.iter() {
            let temperature = f64::from(teacher.metadata.temperature) * how.temperature;
            for faces in [Some(&faces), mirrored.as_ref()].into_iter().flatten() {
                sum.add(&teacher.network.logits(faces)?, temperature);
            }
        }
        sum.mean(how.temperature)
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
            "{shown}: the teacher tells {} apart, expected {}: choose one that was trained on the same emotions",
            metadata.labels.join(", "),
            Emotion::names().join(", "),
        );
        let identity = WeightsId::of(&weights)?;
        let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        Ok(Self {
            file,
            identity,
            network: Network::of(&weights)?,
            metadata,
        })
    }
}

impl SoftTargets {
    /// What one teacher with these logits `[N][C]` says.
    #[cfg(test)]
    pub(crate) fn of_logits(logits: &[Vec<f32>], temperature: f64) -> Result<Self> {
        let mut sum = SoftSum::default();
        sum.add(logits, temperature);
        sum.mean(temperature)
    }
}

/// Probabilities `[N][C]` of several answers, added up.
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

/// Faces of rows of `width` values, each row back to front.
fn mirrored(faces: &[f32], width: usize) -> Vec<f32> {
    let rows = faces.chunks_exact(width);
    rows.flat_map(|row| row.iter().rev().copied()).collect()
}

fn list(identities: &[WeightsId]) -> String {
    let shown: Vec<String> = identities.iter().map(WeightsId::to_string).collect();
    if shown.is_empty() {
        "no teacher".to_owned()
    } else {
        shown.join(", ")
    }
}
