//! The training loop.
//!
//! A run lives in a folder: the weights of its best epochs, the state to go on from, the log. Each
//! file is replaced whole, so a killed run leaves files that can be used, and [`Trainer::resume`]
//! goes on, from the middle of an epoch too, to the same result as a run that was never stopped.

mod data;

pub use data::Data;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use emotion_models::{Emotion, Metadata, Weights};

use crate::calibration::fit_temperature;
use crate::checkpoint::{Checkpoint, Run};
use crate::data::batch::{Batch, Batches, Plan};
use crate::distillation::Teachers;
use crate::folder::{Folder, Lock};
use crate::identity::Identity;
use crate::learner::Learner;
use crate::log::{Epoch, Log, Tally};
use crate::loss::{cross_entropy, distillation};
use crate::metrics::{Evaluation, argmax};
use crate::network::Network;
use crate::progress::Progress;
use crate::recipe::Settings;
use crate::{files, plots};

/// How [`Trainer::run`] came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// All epochs are done, or no progress was made for too long.
    Finished,
    /// It was asked to stop, and can be resumed.
    Stopped,
}

/// A run, from its first epoch to its last.
pub struct Trainer {
    run: Run,
    data: Data,
    folder: Folder,
    learner: Learner,
    save_every: Option<Duration>,
    _lock: Lock,
}

impl Trainer {
    /// A run that begins, to be kept in `folder`.
    ///
    /// # Errors
    ///
    /// When there is nothing to train on, the teachers are not those of the settings, or the folder
    /// holds a run already.
    pub fn new(settings: Settings, data: Data, folder: Folder) -> Result<Self> {
        if folder.last().exists() {
            let path = folder.path().display();
            bail!(
                "{path} holds a training run: go on with --resume {path}, or choose another --out"
            );
        }
        let mut run = Run::new(settings, data.training.len(), data.validation.len());
        run.data = Some(data.fingerprint());
        run.teacher_files = data.teachers.files();
        Self::with_run(run, data, folder)
    }

    /// A run that begins with trained weights instead of random ones, and has their network and
    /// input size.
    ///
    /// # Errors
    ///
    /// As [`Trainer::new`].
    pub fn new_with(
        mut settings: Settings,
        weights: &Weights,
        data: Data,
        folder: Folder,
    ) -> Result<Self> {
        let Metadata {
            architecture,
            input_size,
            ..
        } = *weights.metadata();
        settings.architecture = architecture;
        settings.input_size = input_size;
        settings.init = Some(Identity::of(weights)?);
        let mut trainer = Self::new(settings, data, folder)?;
        trainer.learner.begin_with(weights)?;
        Ok(trainer)
    }

    /// A run that goes on where the state in `folder` was saved. Without teachers in `data`, those of
    /// the run are read again from where they were.
    ///
    /// # Errors
    ///
    /// When the folder holds no run, or one on other data or from other teachers.
    pub fn resume(mut data: Data, folder: Folder) -> Result<Self> {
        let path = folder.last();
        let shown = path.display();
        let checkpoint = Checkpoint::load(&path)?;
        let mut run = checkpoint.run.clone();
        let found = (data.training.len(), data.validation.len());
        ensure!(
            found == (run.training_faces, run.validation_faces),
            "{shown} was trained on {} faces and validated on {}, this data has {} and {}: pass the same --data",
            run.training_faces,
            run.validation_faces,
            found.0,
            found.1,
        );
        let faces = Some(data.fingerprint());
        let known = run.data.is_none() || run.data == faces;
        if data.teachers.is_empty() {
            data.teachers = Teachers::load(&run.teacher_files)
                .with_context(|| format!("{shown}: pass its teachers with --teacher"))?;
        }
        run.data = faces;
        run.teacher_files = data.teachers.files();
        let mut trainer = Self::with_run(run, data, folder.clone())?;
        ensure!(
            known,
            "{shown} was trained on other faces, labels or votes than these: pass the same --data and --votes"
        );
        let restored = trainer.learner.restore(trainer.run.steps(), &checkpoint);
        restored.with_context(|| format!("{shown}"))?;
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
        let (needed, found) = (settings.votes_share > 0.0, data.training.has_votes());
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
        data.teachers.check(teachers, settings.input_size)?;
        let learner = Learner::new(settings)?;
        let lock = folder.open()?;
        Ok(Self {
            run,
            data,
            folder,
            learner,
            save_every: None,
            _lock: lock,
        })
    }

    /// Saves the state within epochs too, after the first step that ends so long after the last save.
    pub fn save_every(&mut self, period: Option<Duration>) {
        self.save_every = period;
    }

    /// How it trains.
    pub fn settings(&self) -> &Settings {
        &self.run.settings
    }

    /// Numbers of training and validation faces.
    pub fn faces(&self) -> (usize, usize) {
        (self.run.training_faces, self.run.validation_faces)
    }

    /// The epochs so far.
    pub fn log(&self) -> &Log {
        &self.run.log
    }

    /// The epoch that has begun, as far as it has come.
    pub fn tally(&self) -> &Tally {
        &self.run.tally
    }

    /// The best epoch so far.
    pub fn best(&self) -> Option<&Epoch> {
        self.run.best()
    }

    /// The files of the run.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The network whose accuracy counts: the averaged one if there is one.
    pub fn network(&self) -> &Network {
        self.learner.network()
    }

    /// Trains until the run is finished, or until `stop` answers yes: it is asked before each epoch
    /// and after each step.
    ///
    /// # Errors
    ///
    /// When the loss or a parameter is no longer a number, or a file cannot be written. The files
    /// then hold what they held before.
    pub fn run(&mut self, progress: &Progress, mut stop: impl FnMut() -> bool) -> Result<Outcome> {
        while !self.run.is_finished() {
            if stop() || self.epoch(progress, &mut stop)? == Outcome::Stopped {
                self.save()?;
                return Ok(Outcome::Stopped);
            }
        }
        Ok(Outcome::Finished)
    }

    /// Trains one epoch or what is left of it, validates, and saves.
    fn epoch(&mut self, progress: &Progress, stop: &mut dyn FnMut() -> bool) -> Result<Outcome> {
        let epoch = self.run.log.len() + 1;
        let steps = (self.run.tally.steps, self.run.steps_per_epoch());
        progress.epoch_begins(epoch, steps, self.time_after(epoch));
        if self.fit(epoch, progress, stop)? == Outcome::Stopped {
            return Ok(Outcome::Stopped);
        }

        let started = Instant::now();
        progress.validating();
        let labels = self.data.validation.labels();
        let logits = self.network().evaluate(&self.data.validation)?;
        let validation = Evaluation::new(&logits, labels, 1.0);
        if !validation.loss().is_finite() {
            bail!(self.diverged(
                epoch,
                &format!("the validation loss is {}", validation.loss())
            ));
        }
        let temperature = f64::from(fit_temperature(&logits, labels));
        let calibrated = Evaluation::new(&logits, labels, temperature);
        let tally = std::mem::take(&mut self.run.tally);
        let row = Epoch {
            epoch,
            acc: tally.accuracy(),
            loss: tally.loss(),
            val_acc: validation.accuracy(),
            val_loss: validation.loss(),
            lr: tally.lr,
            seconds: tally.seconds + started.elapsed().as_secs_f64(),
            temperature: Some(temperature),
            val_loss_calibrated: Some(calibrated.loss()),
            val_ece: Some(calibrated.reliability().expected_calibration_error()),
            val_macro_f1: Some(calibrated.macro_f1()),
        };
        self.run.log.push(row);
        let is_best = self.best().is_some_and(|best| best.epoch == epoch);
        progress.epoch_ended(&row, is_best);
        if is_best {
            self.save_weights(&row)?;
        }
        self.save_log()?;
        self.save()?;
        Ok(Outcome::Finished)
    }

    /// The steps of an epoch that are left, tallied.
    fn fit(
        &mut self,
        epoch: usize,
        progress: &Progress,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Outcome> {
        let losses = self.run.log.validation_losses();
        let faces = Arc::clone(&self.data.training);
        let plan = Plan::new(&self.run.settings, epoch);
        let batches = Batches::of_rest(faces, plan, self.run.tally.steps);
        let (mut stepped, mut saved) = (Instant::now(), Instant::now());
        for batch in batches {
            self.step(&batch?, epoch, &losses)?;
            self.run.tally.seconds += stepped.elapsed().as_secs_f64();
            stepped = Instant::now();
            progress.stepped(self.run.tally.loss(), self.run.tally.accuracy());
            if stop() {
                return Ok(Outcome::Stopped);
            }
            if self
                .save_every
                .is_some_and(|period| saved.elapsed() >= period)
            {
                self.save()?;
                saved = Instant::now();
            }
        }
        Ok(Outcome::Finished)
    }

    /// One step, after epochs with these validation losses.
    fn step(&mut self, batch: &Batch, epoch: usize, losses: &[f64]) -> Result<()> {
        let Settings {
            distillation: how,
            schedule,
            learning_rate: peak,
            epochs,
            ..
        } = &self.run.settings;
        let soft = how
            .as_ref()
            .map(|how| self.data.teachers.answer(&batch.faces, how));
        let logits = self.learner.forward(&batch.faces)?;
        let loss = match (soft.transpose()?, how) {
            (Some(soft), Some(how)) => distillation(&logits, &batch.targets, &soft, how.weight)?,
            _ => cross_entropy(&logits, &batch.targets)?,
        };
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            bail!(self.diverged(epoch, &format!("the loss is {value}")));
        }
        let steps = (epochs * self.run.steps_per_epoch()) as u64;
        let rate = schedule.learning_rate(*peak, self.run.steps(), steps, losses);
        self.learner.step(&loss, rate)?;
        let tally = &mut self.run.tally;
        tally.steps += 1;
        tally.faces += batch.labels.len();
        tally.recognised += recognised(&logits.to_vec2()?, &batch.labels);
        tally.loss_sum += value * batch.labels.len() as f64;
        tally.lr = rate;
        Ok(())
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

    fn diverged(&self, epoch: usize, what: &str) -> String {
        let kept = match self.best() {
            Some(best) => format!(
                "{} still holds epoch {} with {:.2} % validation accuracy",
                self.folder.best().display(),
                best.epoch,
                100.0 * best.val_acc
            ),
            None => "no weights have been saved".to_owned(),
        };
        let rate = self.run.settings.learning_rate;
        format!(
            "{what} in epoch {epoch}, so training stops; {kept}. \
             Begin again with a learning rate below {rate} (--lr)"
        )
    }

    fn save_weights(&self, row: &Epoch) -> Result<()> {
        let path = self.folder.improved(self.settings().name(), row);
        let file = path.display().to_string();
        let parameters = self.network().parameters.snapshot()?;
        Weights::new(&file, self.run.metadata(row)?, parameters)?.save(&path)?;
        files::replace_by_link(&self.folder.best(), &path)
    }

    fn save_log(&self) -> Result<()> {
        let log = self.log();
        let curves = plots::curves(log, self.settings().name())?;
        files::replace(&self.folder.log(), log.to_csv()?.as_bytes())?;
        files::replace(&self.folder.curves(), curves.as_bytes())
    }

    /// Saves the state to go on from.
    fn save(&self) -> Result<()> {
        let mut checkpoint = Checkpoint::new(self.run.clone());
        self.learner.store(&mut checkpoint)?;
        if let Some(name) = checkpoint.not_finite()? {
            let epoch = self.run.log.len() + 1;
            bail!(self.diverged(epoch, &format!("{name} holds a value that is no number")));
        }
        checkpoint.save(&self.folder.last())
    }
}

fn recognised(logits: &[Vec<f32>], labels: &[Emotion]) -> usize {
    let is_right = |(logits, label): &(&Vec<f32>, &Emotion)| argmax(logits) == label.label_id();
    logits.iter().zip(labels).filter(is_right).count()
}
