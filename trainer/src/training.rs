//! The training loop.
//!
//! A run lives in a folder: the weights of the best epoch, the state after the last one, the log.
//! Each file is replaced whole at the end of an epoch, so a killed run leaves files that can be
//! used, and [`Trainer::resume`] goes on to the same result as a run that was never stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use candle_core::Tensor;
use emotion_models::weights::{Architecture, Normalization};
use emotion_models::{Emotion, Metadata, Weights};

use crate::average::Average;
use crate::calibration::fit_temperature;
use crate::checkpoint::{Checkpoint, Folder, Run};
use crate::data::Faces;
use crate::data::batch::{Batches, Plan};
use crate::files;
use crate::log::{Epoch, Log};
use crate::metrics::{Evaluation, argmax};
use crate::network::Network;
use crate::optimizer::Adam;
use crate::progress::Progress;
use crate::recipe::Settings;

// Groups of tensors in a checkpoint.
const TRAINED: &str = "trained";
const AVERAGED: &str = "averaged";
const MOMENTS: &str = "moments";

/// The faces of a run.
#[derive(Debug, Clone)]
pub struct Data {
    /// What parameters are fitted to.
    pub training: Arc<Faces>,
    /// What chooses the epoch to keep and its temperature.
    pub validation: Arc<Faces>,
}

/// A run, from its first epoch to its last.
pub struct Trainer {
    run: Run,
    data: Data,
    folder: Folder,
    trained: Network,
    average: Option<(Network, Average)>,
    optimizer: Adam,
}

impl Trainer {
    /// A run that begins, to be kept in `folder`.
    ///
    /// # Errors
    ///
    /// When there is nothing to train on, or the folder holds a run already.
    pub fn new(settings: Settings, data: Data, folder: Folder) -> Result<Self> {
        if folder.last().exists() {
            let path = folder.path().display();
            bail!(
                "{path} holds a training run: go on with --resume {path}, or choose another --out"
            );
        }
        std::fs::create_dir_all(folder.path())
            .with_context(|| format!("cannot create {}", folder.path().display()))?;
        let run = Run::new(settings, data.training.len(), data.validation.len());
        Self::with_run(run, data, folder)
    }

    /// A run that goes on after the last epoch in `folder`.
    ///
    /// # Errors
    ///
    /// When the folder holds no run, or one on other data.
    pub fn resume(data: Data, folder: Folder) -> Result<Self> {
        let path = folder.last();
        let checkpoint = Checkpoint::load(&path)?;
        let run = checkpoint.run.clone();
        let found = (data.training.len(), data.validation.len());
        ensure!(
            found == (run.training_faces, run.validation_faces),
            "{} was trained on {} faces and validated on {}, this data has {} and {}: pass the same --data",
            path.display(),
            run.training_faces,
            run.validation_faces,
            found.0,
            found.1,
        );
        let mut trainer = Self::with_run(run, data, folder)?;
        trainer
            .restore(&checkpoint)
            .with_context(|| format!("{}", path.display()))?;
        Ok(trainer)
    }

    fn with_run(run: Run, data: Data, folder: Folder) -> Result<Self> {
        for (faces, split) in [
            (&data.training, "Training"),
            (&data.validation, "PublicTest"),
        ] {
            ensure!(!faces.is_empty(), "the data has no {split} rows");
        }
        let settings = &run.settings;
        let network = || Network::new(settings.input_size, settings.seed);
        let trained = network()?;
        let average = match settings.average {
            Some(decay) => {
                let averaged = network()?;
                let average = Average::new(&averaged.parameters, &trained.parameters, decay)?;
                Some((averaged, average))
            }
            None => None,
        };
        let optimizer = Adam::new(trained.parameters.trainable(), settings.optimizer);
        Ok(Self {
            run,
            data,
            folder,
            trained,
            average,
            optimizer,
        })
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let steps = (self.run.log.len() * self.steps_per_epoch()) as u64;
        self.trained
            .parameters
            .restore(&checkpoint.group(TRAINED))?;
        self.optimizer.restore(steps, &checkpoint.group(MOMENTS))?;
        if let Some((averaged, average)) = &mut self.average {
            averaged.parameters.restore(&checkpoint.group(AVERAGED))?;
            average.set_updates(steps);
        }
        Ok(())
    }

    /// How it trains.
    pub fn settings(&self) -> &Settings {
        &self.run.settings
    }

    /// The epochs so far.
    pub fn log(&self) -> &Log {
        &self.run.log
    }

    /// The best epoch so far.
    pub fn best(&self) -> Option<&Epoch> {
        self.run.log.best(self.run.settings.choice)
    }

    /// The files of the run.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The network whose accuracy counts: the averaged one if there is one.
    pub fn network(&self) -> &Network {
        self.average
            .as_ref()
            .map_or(&self.trained, |(averaged, _)| averaged)
    }

    /// Whether all epochs are done, or the validation loss has not fallen for too long.
    pub fn is_finished(&self) -> bool {
        let Settings {
            epochs, early_stop, ..
        } = self.run.settings;
        let waited = self.run.log.epochs_without_progress();
        self.run.log.len() >= epochs || early_stop.is_some_and(|patience| waited >= patience)
    }

    /// Trains until the run is finished.
    ///
    /// # Errors
    ///
    /// As [`Trainer::epoch`].
    pub fn run(&mut self, progress: &Progress) -> Result<()> {
        while !self.is_finished() {
            self.epoch(progress)?;
        }
        Ok(())
    }

    /// Trains one epoch, validates, and saves.
    ///
    /// # Errors
    ///
    /// When the loss is no longer a number, or a file cannot be written. The files then hold what
    /// they held before.
    pub fn epoch(&mut self, progress: &Progress) -> Result<()> {
        let started = Instant::now();
        let epoch = self.run.log.len() + 1;
        progress.epoch_begins(epoch, self.steps_per_epoch(), self.time_after(epoch));

        let (loss, acc, lr) = self.fit(epoch, progress)?;
        let logits = self.network().evaluate(&self.data.validation)?;
        let validation = Evaluation::new(&logits, self.data.validation.labels(), 1.0);
        if !validation.loss().is_finite() {
            bail!(self.diverged(epoch, "the validation loss", validation.loss()));
        }
        let row = Epoch {
            epoch,
            acc,
            loss,
            val_acc: validation.accuracy(),
            val_loss: validation.loss(),
            lr,
            seconds: started.elapsed().as_secs_f64(),
        };
        self.run.log.push(row);
        let is_best = self.best().is_some_and(|best| best.epoch == epoch);
        progress.epoch_ended(&row, is_best);
        if is_best {
            let temperature = fit_temperature(&logits, self.data.validation.labels());
            self.weights(&row, temperature)?.save(&self.folder.best())?;
        }
        files::replace(&self.folder.log(), self.run.log.to_csv()?.as_bytes())?;
        self.checkpoint()?.save(&self.folder.last())
    }

    /// Mean loss, accuracy and the last learning rate of one pass over the training faces.
    fn fit(&mut self, epoch: usize, progress: &Progress) -> Result<(f64, f64, f64)> {
        let settings = self.run.settings.clone();
        let plan = Plan {
            seed: settings.seed,
            epoch,
            batch: settings.batch,
            input_size: settings.input_size,
            augmentation: settings.augmentation,
            label_smoothing: settings.label_smoothing,
        };
        let steps = (settings.epochs * self.steps_per_epoch()) as u64;
        let losses = self.run.log.validation_losses();
        let (mut seen, mut right, mut loss_sum, mut rate) = (0, 0, 0.0, 0.0);
        for batch in Batches::start(Arc::clone(&self.data.training), plan) {
            let batch = batch?;
            let logits = self.trained.forward(&batch.faces, true)?;
            let loss = cross_entropy(&logits, &batch.targets)?;
            let value = f64::from(loss.to_scalar::<f32>()?);
            if !value.is_finite() {
                bail!(self.diverged(epoch, "the loss", value));
            }
            let step = self.optimizer.steps();
            rate = settings
                .schedule
                .learning_rate(settings.learning_rate, step, steps, &losses);
            self.optimizer.step(&loss.backward()?, rate)?;
            if let Some((_, average)) = &mut self.average {
                average.update()?;
            }
            seen += batch.labels.len();
            right += recognised(&logits.to_vec2()?, &batch.labels);
            loss_sum += value * batch.labels.len() as f64;
            progress.stepped(loss_sum / seen as f64, right as f64 / seen as f64);
        }
        Ok((loss_sum / seen as f64, right as f64 / seen as f64, rate))
    }

    /// How long the epochs after this one take; unknown in the first, or if the run may stop early.
    fn time_after(&self, epoch: usize) -> Option<Duration> {
        let Settings {
            epochs, early_stop, ..
        } = self.run.settings;
        let epochs = epochs
            .checked_sub(epoch)
            .filter(|&left| left > 0 && early_stop.is_none())?;
        Some(Duration::from_secs_f64(
            self.run.log.mean_seconds()? * epochs as f64,
        ))
    }

    fn steps_per_epoch(&self) -> usize {
        self.data.training.len().div_ceil(self.run.settings.batch)
    }

    fn diverged(&self, epoch: usize, what: &str, value: f64) -> String {
        let kept = match self.best() {
            Some(best) => format!(
                "{} still holds epoch {} with {:.2} % validation accuracy",
                self.folder.best().display(),
                best.epoch,
                100.0 * best.val_acc
            ),
            None => "nothing has been saved".to_owned(),
        };
        let rate = self.run.settings.learning_rate;
        format!(
            "{what} is {value} in epoch {epoch}, so training stops; {kept}. \
             Begin again with a learning rate below {rate} (--lr)"
        )
    }

    fn weights(&self, row: &Epoch, temperature: f32) -> Result<Weights> {
        let Run {
            settings,
            training_faces,
            validation_faces,
            ..
        } = &self.run;
        let metadata = Metadata {
            name: Architecture::MiniXception.name().to_owned(),
            architecture: Architecture::MiniXception,
            labels: Emotion::names(),
            input_size: settings.input_size,
            normalization: Normalization::SymmetricUnit,
            temperature,
            training: format!(
                "recipe {}, epoch {} of {}, seed {}, {training_faces} training faces, accuracy {:.4} \
                 and loss {:.4} on {validation_faces} validation faces; {}",
                settings.recipe.name(),
                row.epoch,
                settings.epochs,
                settings.seed,
                row.val_acc,
                row.val_loss,
                serde_json::to_string(settings)?,
            ),
        };
        let file = self.folder.best().display().to_string();
        Ok(Weights::new(
            &file,
            metadata,
            self.network().parameters.snapshot()?,
        )?)
    }

    fn checkpoint(&self) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::new(self.run.clone());
        checkpoint.insert(TRAINED, self.trained.parameters.snapshot()?);
        checkpoint.insert(MOMENTS, self.optimizer.state()?);
        if let Some((averaged, _)) = &self.average {
            checkpoint.insert(AVERAGED, averaged.parameters.snapshot()?);
        }
        Ok(checkpoint)
    }
}

/// Mean cross-entropy of logits `[N, 7]` against target probabilities `[N, 7]`.
fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let log_probabilities = candle_nn::ops::log_softmax(logits, 1)?;
    let count = logits.dim(0)? as f64;
    Ok(((log_probabilities * targets)?.sum_all()? * (-1.0 / count))?)
}

fn recognised(logits: &[Vec<f32>], labels: &[Emotion]) -> usize {
    let is_right = |(logits, label): &(&Vec<f32>, &Emotion)| argmax(logits) == label.label_id();
    logits.iter().zip(labels).filter(is_right).count()
}
