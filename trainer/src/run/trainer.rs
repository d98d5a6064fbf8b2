//! The training loop.
//!
//! A run lives in a folder: the weights of its best epochs, the state to go on from, the log. Each
//! file is replaced whole, so a killed run leaves files that can be used, and [`Trainer::resume`]
//! goes on, from the middle of an epoch too, to the same result as a run that was never stopped.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use emotion_models::{Weights, atomic_file};

use crate::run::checkpoint::Checkpoint;
use crate::run::files;
use crate::run::folder::{RunFolder, RunFolderLock};
use crate::run::log::{EpochTotals, LogRow};
use crate::run::network::Network;
use crate::run::progress::Progress;
use crate::run::state::{Common, Run, RunSettings};
use crate::run::task::{LogOf, StepOutput, TrainingTask};
use crate::run::train_state::TrainState;

/// A row of the log of what is trained.
type RowOf<S> = <<S as TrainingTask>::Settings as RunSettings>::Epoch;

/// How [`Trainer::run`] came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TrainingOutcome {
    /// All epochs are done, or no progress was made for too long.
    Finished,
    /// It was asked to stop, and can be resumed.
    Stopped,
}

/// A run, from its first epoch to its last.
pub struct Trainer<S: TrainingTask> {
    run: Run<S::Settings>,
    subject: S,
    folder: RunFolder,
    learner: TrainState,
    save_every: Option<Duration>,
    _lock: RunFolderLock,
}

impl<S: TrainingTask> Trainer<S> {
    /// A run that begins, to be kept in `folder`.
    ///
    /// # Errors
    ///
    /// When the settings do not fit what it trains on, or the folder holds a run already.
    pub fn new(settings: S::Settings, subject: S, folder: RunFolder) -> Result<Self> {
        let trainer = Self::begin(settings, subject, folder)?;
        let mut values = trainer.learner.trained().parameters.snapshot()?;
        S::first_values(&mut values)?;
        trainer.learner.begin_with(&values)?;
        Ok(trainer)
    }

    /// A run that begins with trained weights instead of random ones.
    ///
    /// # Errors
    ///
    /// As [`Trainer::new`], and when the weights are of a network for something else.
    pub fn new_with(
        mut settings: S::Settings,
        weights: &Weights,
        subject: S,
        folder: RunFolder,
    ) -> Result<Self> {
        S::begin_with(&mut settings, weights)?;
        let trainer = Self::begin(settings, subject, folder)?;
        trainer.learner.begin_with(weights.tensors())?;
        Ok(trainer)
    }

    fn begin(settings: S::Settings, subject: S, folder: RunFolder) -> Result<Self> {
        if folder.last().exists() {
            let path = folder.path().display();
            bail!(
                "{path} holds a training run: go on with --resume {path}, or choose another --out"
            );
        }
        subject.check(&settings)?;
        let run = Run::new(settings, subject.data_summary());
        Self::with_run(run, subject, folder)
    }

    /// A run that goes on where the state in `folder` was saved.
    ///
    /// # Errors
    ///
    /// When the folder holds no run, or one on other data.
    pub fn resume(mut subject: S, folder: RunFolder) -> Result<Self> {
        let path = folder.last();
        let checkpoint = Checkpoint::load(&path)?;
        let mut run = checkpoint.run.clone();
        subject.resume(&run, &path)?;
        run.data_summary = subject.data_summary();
        let mut trainer = Self::with_run(run, subject, folder)?;
        let restored = trainer.learner.restore(trainer.run.steps(), &checkpoint);
        restored.with_context(|| format!("{}", path.display()))?;
        Ok(trainer)
    }

    fn with_run(run: Run<S::Settings>, subject: S, folder: RunFolder) -> Result<Self> {
        let learner = TrainState::new(&run.settings.common())?;
        let lock = folder.open()?;
        Ok(Self {
            run,
            subject,
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

    /// How it trains, on what, and how far it has come.
    pub fn state(&self) -> &Run<S::Settings> {
        &self.run
    }

    /// How it trains.
    pub fn settings(&self) -> &S::Settings {
        &self.run.settings
    }

    /// The epochs so far.
    pub fn log(&self) -> &LogOf<S::Settings> {
        &self.run.log
    }

    /// The epoch that has begun, as far as it has come.
    pub fn totals(&self) -> &EpochTotals {
        &self.run.totals
    }

    /// The best epoch so far.
    pub fn best(&self) -> Option<&RowOf<S>> {
        self.run.best()
    }

    /// The files of the run.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The network whose results count: the averaged one if there is one.
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
    pub fn run(
        &mut self,
        progress: &Progress,
        mut stop: impl FnMut() -> bool,
    ) -> Result<TrainingOutcome> {
        while !self.run.is_finished() {
            if stop() || self.epoch(progress, &mut stop)? == TrainingOutcome::Stopped {
                self.save()?;
                return Ok(TrainingOutcome::Stopped);
            }
        }
        Ok(TrainingOutcome::Finished)
    }

    /// Trains one epoch or what is left of it, validates, and saves.
    fn epoch(
        &mut self,
        progress: &Progress,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<TrainingOutcome> {
        let epoch = self.run.epoch();
        let steps = (self.run.totals.steps, self.run.steps_per_epoch());
        progress.epoch_begins(epoch, steps, self.time_after(epoch));
        if self.fit(progress, stop)? == TrainingOutcome::Stopped {
            return Ok(TrainingOutcome::Stopped);
        }

        let started = Instant::now();
        progress.validating();
        let mut row = self.subject.validate(&self.run, self.network())?;
        if !row.validation_loss().is_finite() {
            bail!(self.diverged(&format!("the validation loss is {}", row.validation_loss())));
        }
        row.took(started.elapsed());
        self.run.totals = EpochTotals::default();
        self.run.log.push(row);
        let is_best = self.best().is_some_and(|best| best.epoch() == epoch);
        progress.epoch_ended(&row, is_best);
        if is_best {
            self.save_weights(&row)?;
        }
        self.save_log()?;
        self.save()?;
        Ok(TrainingOutcome::Finished)
    }

    /// The steps of an epoch that are left, tallied.
    fn fit(
        &mut self,
        progress: &Progress,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<TrainingOutcome> {
        let losses = self.run.log.validation_losses();
        let Run {
            settings, totals, ..
        } = &self.run;
        let batches = self
            .subject
            .batches(settings, self.run.epoch(), totals.steps);
        let (mut stepped, mut saved) = (Instant::now(), Instant::now());
        for batch in batches {
            self.step(batch?, &losses)?;
            self.run.totals.seconds += stepped.elapsed().as_secs_f64();
            stepped = Instant::now();
            progress.stepped(S::figures(&self.run.totals));
            if stop() {
                return Ok(TrainingOutcome::Stopped);
            }
            if self
                .save_every
                .is_some_and(|period| saved.elapsed() >= period)
            {
                self.save()?;
                saved = Instant::now();
            }
        }
        Ok(TrainingOutcome::Finished)
    }

    /// One step, after epochs with these validation losses.
    fn step(&mut self, batch: S::Batch, losses: &[f64]) -> Result<()> {
        let settings = &self.run.settings;
        let StepOutput {
            loss,
            samples,
            recognised,
        } = self
            .subject
            .forward(settings, self.learner.trained(), batch)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            bail!(self.diverged(&format!("the loss is {value}")));
        }
        let Common {
            schedule,
            learning_rate: peak,
            epochs,
            ..
        } = settings.common();
        let steps = (epochs * self.run.steps_per_epoch()) as u64;
        let rate = schedule.learning_rate(peak, self.run.steps(), steps, losses);
        self.learner.step(&loss, rate)?;
        let totals = &mut self.run.totals;
        totals.steps += 1;
        totals.samples += samples;
        totals.recognised += recognised;
        totals.loss_sum += value * samples as f64;
        totals.lr = rate;
        Ok(())
    }

    /// How long the epochs after this one take; unknown in the first, or if the run may stop early.
    fn time_after(&self, epoch: usize) -> Option<Duration> {
        let Common {
            epochs, early_stop, ..
        } = self.run.settings.common();
        let epochs = epochs
            .checked_sub(epoch)
            .filter(|&left| left > 0 && early_stop.is_none())?;
        Some(Duration::from_secs_f64(
            self.run.log.mean_seconds()? * epochs as f64,
        ))
    }

    fn diverged(&self, what: &str) -> String {
        let kept = match self.best() {
            Some(best) => format!(
                "{} still holds epoch {} with {}",
                self.folder.best().display(),
                best.epoch(),
                best.score_in_words()
            ),
            None => "no weights have been saved".to_owned(),
        };
        let epoch = self.run.epoch();
        let rate = self.run.settings.common().learning_rate;
        format!(
            "{what} in epoch {epoch}, so training stops; {kept}. \
             Begin again with a learning rate below {rate} (--lr)"
        )
    }

    fn save_weights(&self, row: &RowOf<S>) -> Result<()> {
        let path = self.folder.improved(self.run.settings.common().name, row);
        let file = path.display().to_string();
        let values = self.network().parameters.snapshot()?;
        let (metadata, values) = S::weights(&self.run, row, values)?;
        Weights::new(&file, metadata, values)?.save(&path)?;
        let best = self.folder.best();
        atomic_file::link(&best, &path).with_context(|| format!("cannot write {}", best.display()))
    }

    fn save_log(&self) -> Result<()> {
        let log = self.log();
        let curves = S::curves(log, self.run.settings.common().name)?;
        files::write(&self.folder.log(), log.to_csv()?)?;
        files::write(&self.folder.curves(), curves)
    }

    /// Saves the state to go on from.
    fn save(&self) -> Result<()> {
        let mut checkpoint = Checkpoint::new(self.run.clone());
        self.learner.store(&mut checkpoint)?;
        if let Some(name) = checkpoint.not_finite()? {
            bail!(self.diverged(&format!("{name} holds a value that is no number")));
        }
        checkpoint.save(&self.folder.last())
    }
}
