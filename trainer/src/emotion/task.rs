//! Training of the emotion networks.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use emotion_models::weights::{Head, Normalization, Task, WeightTensors};
use emotion_models::{Emotion, Metadata, Weights};

use crate::data::batch::{FaceBatch, FaceBatches};
use crate::data::targets::mixed;
use crate::data::{CLASSES, Faces, Votes};
use crate::emotion::calibration::fit_temperature;
use crate::emotion::distillation::Teachers;
use crate::emotion::epoch::EmotionEpoch;
use crate::emotion::loss::{cover, cross_entropy, distillation};
use crate::emotion::metrics::{ClassificationMetrics, argmax, soft_cross_entropy, softmax};
use crate::emotion::people::PeopleMetrics;
use crate::emotion::plots;
use crate::emotion::recipe::{FaceDataSummary, Settings};
use crate::hash::fnv1a;
use crate::run::log::{EpochTotals, Log};
use crate::run::network::Network;
use crate::run::settings::RunSettings;
use crate::run::state::Run;
use crate::run::task::{StepOutput, TrainingTask};

/// Share of the cover's loss beside that of the emotions.
const COVER_WEIGHT: f64 = 0.1;

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
            for index in 0..faces.len() {
                hashes.extend(fnv1a(faces.pixels(index)).to_le_bytes());
                hashes.extend(faces.label(index).map(|label| label.label_id() as u8));
                hashes.extend(faces.votes(index).into_iter().flat_map(Votes::counts));
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
        ensure!(
            settings.votes_share == 0.0 || self.training.has_votes(),
            "the run learns from votes: pass the same --votes"
        );
        let has_unlabelled = self.training.len() > self.training.labels().len();
        ensure!(
            settings.distillation.is_some() || !has_unlabelled,
            "faces without labels teach nothing without a teacher: pass one with --teacher, or leave --unlabelled out"
        );
        let distillation = settings.distillation.as_ref();
        let has_views = distillation.is_some_and(|settings| settings.views.is_some());
        ensure!(
            !(has_views && settings.mixing.is_on()),
            "teachers answer mixed faces anew each time: leave --teacher-views out, or turn --mixup and --cutmix off"
        );
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
            "{shown} was trained on {training_faces} faces and validated on {validation_faces}, this data has {} and {}: pass the same --data, --votes and --unlabelled",
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
            "{shown} was trained on other faces, labels or votes than these: pass the same --data, --votes and --unlabelled"
        );
        Ok(())
    }

    fn adopt(settings: &mut Settings, weights: &Weights) -> Result<()> {
        let weights = weights.expect(Task::Classification)?;
        let metadata = weights.expect_floats()?.metadata();
        settings.architecture = metadata.architecture;
        settings.input_size = metadata.input_size;
        Ok(())
    }

    /// Of a network with [`Head::People`], the mean of both heads is the first answer to labels mixed with votes.
    fn adopt_values(settings: &Settings, weights: &Weights, values: &mut WeightTensors) {
        for (name, value) in values {
            let Some(tensor) = weights.tensors().get(name) else {
                continue;
            };
            value.clone_from(tensor);
            let labels = name.strip_prefix(Head::Labels.name());
            let people = labels.map(|rest| format!("{}{rest}", Head::People.name()));
            let Some(people) = people.and_then(|name| weights.tensors().get(&name)) else {
                continue;
            };
            let share = settings.votes_share;
            for (value, people) in value.values.iter_mut().zip(&people.values) {
                *value += share * (people - *value);
            }
        }
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
            Some(distillation) => {
                let teachers = &self.teachers;
                let answer = teachers.answer_batch(&batch, distillation, settings.votes_share)?;
                Some((answer, distillation.weight))
            }
            None => None,
        };
        let outputs = network.train(&batch.faces)?;
        let logits = outputs.narrow(1, 0, CLASSES)?;
        let mut loss = match soft_targets {
            Some((soft, weight)) => distillation(&logits, &batch.targets, &soft, weight)?,
            None => cross_entropy(&logits, &batch.targets)?,
        };
        if settings.heads().contains(&Head::Cover) {
            let covers = outputs.narrow(1, CLASSES, 1)?;
            loss = (loss + (cover(&covers, &batch.covers)? * COVER_WEIGHT)?)?;
        }
        let rows = logits.to_vec2::<f32>()?;
        let rows = rows.iter().zip(&batch.labels);
        let labelled = rows.filter_map(|(logits, label)| Some((argmax(logits), (*label)?)));
        let labelled: Vec<_> = labelled.collect();
        let is_correct = |&&(answer, label): &&(usize, Emotion)| answer == label.label_id();
        Ok(StepOutput {
            loss,
            samples: batch.labels.len(),
            correct: labelled.iter().filter(is_correct).count(),
            labelled: labelled.len(),
        })
    }

    fn validate(&self, run: &Run<Settings>, network: &Network) -> Result<EmotionEpoch> {
        let labels = self.validation.labels();
        let logits = network.evaluate(&self.validation)?;
        let targets = mixed(&self.validation, run.settings.votes_share);
        let temperature = f64::from(fit_temperature(&logits, &targets));
        let loss = |temperature| {
            let rows = logits.iter().zip(&targets);
            let losses = rows.map(|(row, target)| soft_cross_entropy(row, target, temperature));
            losses.sum::<f64>() / logits.len() as f64
        };
        let calibrated = ClassificationMetrics::new(&logits, labels, temperature);
        let probabilities = logits.iter().map(|row| softmax(row, temperature));
        let probabilities: Vec<[f64; CLASSES]> = probabilities
            .map(|row| std::array::from_fn(|class| row[class]))
            .collect();
        let people = PeopleMetrics::new(&probabilities, &self.validation);
        let people = people.as_ref();
        let majority = people.map(PeopleMetrics::majority);
        let totals = &run.totals;
        Ok(EmotionEpoch {
            epoch: run.epoch(),
            acc: totals.accuracy(),
            loss: totals.loss(),
            val_acc: calibrated.accuracy(),
            val_loss: loss(1.0),
            lr: totals.lr,
            seconds: totals.seconds,
            temperature,
            val_loss_calibrated: loss(temperature),
            val_ece: calibrated.reliability().expected_calibration_error(),
            val_macro_f1: calibrated.macro_f1(),
            val_people_acc: majority.map(ClassificationMetrics::accuracy),
            val_people_macro_recall: majority.map(ClassificationMetrics::macro_recall),
            val_people_neutral_recall: majority
                .and_then(|metrics| metrics.recall(Emotion::Neutral)),
            val_people_loss: people.map(PeopleMetrics::loss),
            val_people_ece: people
                .map(|metrics| metrics.reliability().expected_calibration_error()),
            threshold: people.and_then(PeopleMetrics::threshold),
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
            heads: settings.heads(),
            input_size: settings.input_size,
            normalization: Normalization::SymmetricUnit,
            temperature: epoch.temperature as f32,
            threshold: epoch.threshold.map(|threshold| threshold as f32),
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
