//! Training of the emotion networks.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use emotion_models::weights::{Normalization, Task, WeightTensors};
use emotion_models::{Emotion, Metadata, Weights};

use crate::data::Faces;
use crate::data::batch::{FaceBatch, FaceBatches};
use crate::emotion::calibration::fit_temperature;
use crate::emotion::distillation::Teachers;
use crate::emotion::epoch::EmotionEpoch;
use crate::emotion::loss::{cross_entropy, distillation};
use crate::emotion::metrics::{ClassificationMetrics, argmax};
use crate::emotion::plots;
use crate::emotion::recipe::{FaceDataSummary, Settings};
use crate::hash::fnv1a;
use crate::run::log::{EpochTotals, Log};
use crate::run::network::Network;
use crate::run::settings::RunSettings;
use crate::run::state::Run;
use crate::run::task::{StepOutput, TrainingTask};

/// Faces with their emotions, and teachers.
#[derive(Debug, Clone)]
pub struct EmotionTask {
    /// Parameters are fitted to these.
    pub training: Arc<Faces>,
    /// These choose the epoch to keep and its temperature.
    pub validation: Arc<Faces>,
    /// Networks to learn from besides the labels.
    pub teachers: Teachers,
}

impl EmotionTask {
    /// A hash of faces, labels and votes.
    fn fingerprint(&self) -> String {
        let mut hashes = Vec::new();
        for faces in [&self.training, &self.validation] {
            for (index, label) in faces.labels().iter().enumerate() {
                hashes.extend(fnv1a(faces.pixels(index)).to_le_bytes());
                hashes.push(label.label_id() as u8);
                for share in faces.votes(index).into_iter().flatten() {
                    hashes.extend(share.to_le_bytes());
                }
            }
        }
        format!("{:016x}", fnv1a(&hashes))
    }
}

impl TrainingTask for EmotionTask {
    type Settings = Settings;
    type Batch = FaceBatch;

    fn data_summary(&self) -> FaceDataSummary {
        FaceDataSummary {
            data: self.fingerprint(),
            teacher_files: self.teachers.files(),
            training_faces: self.training.len(),
            validation_faces: self.validation.len(),
        }
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        for (faces, split) in [
            (&self.training, "Training"),
            (&self.validation, "PublicTest"),
        ] {
            ensure!(!faces.is_empty(), "the data has no {split} rows");
        }
        let (needed, found) = (settings.votes_share > 0.0, self.training.has_votes());
        ensure!(
            found || !needed,
            "the run learns from votes: pass the same --votes"
        );
        ensure!(
            needed || !found,
            "the run learns from labels alone: leave --votes out"
        );
        let distillation = settings.distillation.as_ref();
        let teachers = distillation.map_or(&[][..], |distillation| &distillation.teachers);
        self.teachers.check(teachers, settings.input_size)
    }

    /// Without teachers, those of the run are loaded from their old place.
    fn resume(&mut self, run: &Run<Settings>, file: &Path) -> Result<()> {
        let shown = file.display();
        let FaceDataSummary {
            data,
            teacher_files,
            training_faces,
            validation_faces,
        } = &run.data;
        let found = (self.training.len(), self.validation.len());
        ensure!(
            found == (*training_faces, *validation_faces),
            "{shown} was trained on {training_faces} faces and validated on {validation_faces}, this data has {} and {}: pass the same --data",
            found.0,
            found.1,
        );
        if self.teachers.is_empty() {
            self.teachers = Teachers::load(teacher_files)
                .with_context(|| format!("{shown}: pass its teachers with --teacher"))?;
        }
        self.check(&run.settings)?;
        ensure!(
            *data == self.fingerprint(),
            "{shown} was trained on other faces, labels or votes than these: pass the same --data and --votes"
        );
        Ok(())
    }

    fn adopt(settings: &mut Settings, weights: &Weights) -> Result<()> {
        let metadata = weights.expect(Task::Classification)?.metadata();
        settings.architecture = metadata.architecture;
        settings.input_size = metadata.input_size;
        Ok(())
    }

    fn batches(&self, settings: &Settings, epoch: usize, skipped: usize) -> FaceBatches {
        let faces = Arc::clone(&self.training);
        FaceBatches::new(faces, settings.batch_plan(epoch), skipped)
    }

    fn forward(
        &self,
        settings: &Settings,
        network: &Network,
        batch: FaceBatch,
    ) -> Result<StepOutput> {
        let soft_targets = match &settings.distillation {
            Some(settings) => {
                let faces = batch.teacher_faces.as_ref().unwrap_or(&batch.faces);
                Some((self.teachers.answer(faces, settings)?, settings.weight))
            }
            None => None,
        };
        let logits = network.train(&batch.faces)?;
        let loss = match soft_targets {
            Some((soft, weight)) => distillation(&logits, &batch.targets, &soft, weight)?,
            None => cross_entropy(&logits, &batch.targets)?,
        };
        let rows = logits.to_vec2::<f32>()?;
        let rows = rows.iter().zip(&batch.labels);
        Ok(StepOutput {
            loss,
            samples: batch.labels.len(),
            correct: rows
                .filter(|(logits, label)| argmax(logits) == label.label_id())
                .count(),
        })
    }

    fn validate(&self, run: &Run<Settings>, network: &Network) -> Result<EmotionEpoch> {
        let labels = self.validation.labels();
        let logits = network.evaluate(&self.validation)?;
        let validation = ClassificationMetrics::new(&logits, labels, 1.0);
        let temperature = f64::from(fit_temperature(&logits, labels));
        let calibrated = ClassificationMetrics::new(&logits, labels, temperature);
        let totals = &run.totals;
        Ok(EmotionEpoch {
            epoch: run.epoch(),
            acc: totals.accuracy(),
            loss: totals.loss(),
            val_acc: validation.accuracy(),
            val_loss: validation.loss(),
            lr: totals.lr,
            seconds: totals.seconds,
            temperature,
            val_loss_calibrated: calibrated.loss(),
            val_ece: calibrated.reliability().expected_calibration_error(),
            val_macro_f1: calibrated.macro_f1(),
        })
    }

    fn weights(
        run: &Run<Settings>,
        epoch: &EmotionEpoch,
        values: WeightTensors,
    ) -> Result<(Metadata, WeightTensors)> {
        let settings = &run.settings;
        let metadata = Metadata {
            name: settings.name().to_owned(),
            architecture: settings.architecture,
            labels: Emotion::names(),
            input_size: settings.input_size,
            normalization: Normalization::SymmetricUnit,
            temperature: epoch.temperature as f32,
            training: format!(
                "recipe {}, epoch {} of {}, seed {}, {} training faces, accuracy {:.4} \
                 and loss {:.4} on {} validation faces; {}",
                settings.recipe.name(),
                epoch.epoch,
                settings.common.epochs,
                settings.common.seed,
                run.data.training_faces,
                epoch.val_acc,
                epoch.val_loss,
                run.data.validation_faces,
                serde_json::to_string(settings)?,
            ),
        };
        Ok((metadata, values))
    }

    fn progress_text(totals: &EpochTotals) -> String {
        let percent = 100.0 * totals.accuracy();
        format!("loss {:.4} acc {percent:.1} %", totals.loss())
    }

    fn curves(log: &Log<EmotionEpoch>, title: &str) -> Result<String> {
        plots::curves(log, title)
    }
}
