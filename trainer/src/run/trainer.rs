//! The training loop.
//!
//! A run is kept in a folder: the weights of its best epochs, the state to resume from, the log. Each file is replaced
//! atomically, so a killed run leaves usable files. [`Trainer::resume`] continues, even in the middle of an epoch, to
//! the same result as a run that was never stopped.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use emotion_models::weights::WeightsId;
use emotion_models::{Weights, atomic_file};

use crate::run::checkpoint::Checkpoint;
use crate::run::files;
use crate::run::folder::{RunFolder, RunFolderLock};
use crate::run::log::{EpochTotals, Log, LogRow};
use crate::run::network::Network;
use crate::run::progress::TrainingProgress;
use crate::run::settings::RunSettings;
use crate::run::state::Run;
use crate::run::task::{EpochOf, StepOutput, TrainingTask};
use crate::run::train_state::TrainState;

/// How [`Trainer::run`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TrainingOutcome {
    /// All epochs are done, or there was no progress for too long.
    Finished,
    /// It was asked to stop, and can be resumed.
    Stopped,
}

/// Trains a task from the first epoch of a run to the last.
pub struct Trainer<T: TrainingTask> {
    run: Run<T::Settings>,
    task: T,
    folder: RunFolder,
    state: TrainState,
    save_every: Option<Duration>,
    _lock: RunFolderLock,
}

impl<T: TrainingTask> Trainer<T> {
    /// Begins a run with random weights in `folder`.
    ///
    /// # Errors
    ///
    /// When the settings do not fit the data, or the folder holds a run already.
    pub fn new(settings: T::Settings, task: T, folder: RunFolder) -> Result<Self> {
        let trainer = Self::begin(settings, task, folder)?;
        let mut values = trainer.state.trained().parameters.snapshot()?;
        T::init_values(&mut values)?;
        trainer.state.init(&values)?;
        Ok(trainer)
    }

    /// Begins a run with trained weights.
    ///
    /// # Errors
    ///
    /// As [`Trainer::new`], and when the weights are of a network for another task.
    pub fn new_with(
        mut settings: T::Settings,
        weights: &Weights,
        task: T,
        folder: RunFolder,
    ) -> Result<Self> {
        T::adopt(&mut settings, weights)?;
        settings.common_mut().init = Some(WeightsId::of(weights));
        let trainer = Self::begin(settings, task, folder)?;
        let mut values = trainer.state.trained().parameters.snapshot()?;
        T::adopt_values(trainer.settings(), weights, &mut values);
        trainer.state.init(&values)?;
        Ok(trainer)
    }

    fn begin(settings: T::Settings, task: T, folder: RunFolder) -> Result<Self> {
        if folder.last().exists() {
            let path = folder.path().display();
            bail!(
                "{path} holds a training run: continue it with --resume {path}, or choose another --out"
            );
        }
        task.check(&settings)?;
        let run = Run::new(settings, task.data_summary());
        Self::with_run(run, task, folder)
    }

    /// Continues the run in `folder` from its saved state.
    ///
    /// # Errors
    ///
    /// When the folder holds no run, or one on other data.
    pub fn resume(mut task: T, folder: RunFolder) -> Result<Self> {
        let path = folder.last();
        let checkpoint = Checkpoint::load(&path)?;
        let mut run = checkpoint.run.clone();
        task.resume(&run, &path)?;
        run.data = task.data_summary();
        let mut trainer = Self::with_run(run, task, folder)?;
        let restored = trainer.state.restore(trainer.run.steps(), &checkpoint);
        restored.with_context(|| format!("{}", path.display()))?;
        Ok(trainer)
    }

    fn with_run(run: Run<T::Settings>, task: T, folder: RunFolder) -> Result<Self> {
        let state = TrainState::new(&run.settings)?;
        let lock = folder.open()?;
        Ok(Self {
            run,
            task,
            folder,
            state,
            save_every: None,
            _lock: lock,
        })
    }

    /// Also saves the state within epochs, after the first step that ends `period` after the last save.
    pub fn save_every(&mut self, period: Option<Duration>) {
        self.save_every = period;
    }

    /// Settings, data and progress.
    pub fn state(&self) -> &Run<T::Settings> {
        &self.run
    }

    /// The settings.
    pub fn settings(&self) -> &T::Settings {
        &self.run.settings
    }

    /// The finished epochs.
    pub fn log(&self) -> &Log<EpochOf<T>> {
        &self.run.log
    }

    /// The unfinished epoch.
    pub fn totals(&self) -> &EpochTotals {
        &self.run.totals
    }

    /// The best epoch so far.
    pub fn best(&self) -> Option<&EpochOf<T>> {
        self.run.best()
    }

    /// The files of the run.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The network that is validated and saved: the averaged one if there is one.
    pub fn network(&self) -> &Network {
        self.state.network()
    }

    /// Trains until the run is finished, or until `stop` returns true. It is called before each epoch and after each
    /// step.
    ///
    /// # Errors
    ///
    /// When the loss or a parameter becomes NaN or infinite, or a file cannot be written. The files are then unchanged.
    pub fn run(
        &mut self,
        progress: &TrainingProgress,
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

    /// Trains the rest of an epoch, validates, and saves.
    fn epoch(
        &mut self,
        progress: &TrainingProgress,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<TrainingOutcome> {
        let epoch = self.run.epoch();
        let steps = (self.run.totals.steps, self.run.steps_per_epoch());
        progress.epoch_begins(epoch, steps, self.time_after(epoch));
        if self.steps(progress, stop)? == TrainingOutcome::Stopped {
            return Ok(TrainingOutcome::Stopped);
        }

        let started = Instant::now();
        progress.validating();
        let mut row = self.task.validate(&self.run, self.network())?;
        if !row.validation_loss().is_finite() {
            bail!(self.diverged(&format!("the validation loss is {}", row.validation_loss())));
        }
        row.add_time(started.elapsed());
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

    /// Trains the remaining steps of an epoch.
    fn steps(
        &mut self,
        progress: &TrainingProgress,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<TrainingOutcome> {
        let losses = self.run.log.validation_losses();
        let (settings, done) = (&self.run.settings, self.run.totals.steps);
        let batches = self.task.batches(settings, self.run.epoch(), done);
        let (mut stepped, mut saved) = (Instant::now(), Instant::now());
        for batch in batches {
            self.step(batch?, &losses)?;
            self.run.totals.seconds += stepped.elapsed().as_secs_f64();
            stepped = Instant::now();
            progress.stepped(T::progress_text(&self.run.totals));
            if stop() {
                return Ok(TrainingOutcome::Stopped);
            }
            let is_due = |period| saved.elapsed() >= period;
            if self.save_every.is_some_and(is_due) {
                self.save()?;
                saved = Instant::now();
            }
        }
        Ok(TrainingOutcome::Finished)
    }

    /// One step, after epochs with these validation losses.
    fn step(&mut self, batch: T::Batch, losses: &[f64]) -> Result<()> {
        let settings = &self.run.settings;
        let StepOutput {
            loss,
            samples,
            labelled,
            correct,
        } = self.task.forward(settings, self.state.trained(), batch)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            bail!(self.diverged(&format!("the loss is {value}")));
        }
        let common = settings.common();
        let steps = (common.epochs * self.run.steps_per_epoch()) as u64;
        let (peak, step) = (common.learning_rate, self.run.steps());
        let rate = common.schedule.learning_rate(peak, step, steps, losses);
        self.state.step(&loss, rate)?;
        let totals = &mut self.run.totals;
        totals.steps += 1;
        totals.samples += samples;
        totals.labelled += labelled;
        totals.correct += correct;
        totals.loss_sum += value * samples as f64;
        totals.lr = rate;
        Ok(())
    }

    /// Estimated time of the epochs after this one; none in the first epoch, or if the run may stop early.
    fn time_after(&self, epoch: usize) -> Option<Duration> {
        let settings = &self.run.settings;
        let left = settings.common().epochs.checked_sub(epoch)?;
        if left == 0 || settings.early_stop().is_some() {
            return None;
        }
        let seconds = self.run.log.mean_seconds()?;
        Some(Duration::from_secs_f64(seconds * left as f64))
    }

    fn diverged(&self, what: &str) -> String {
        let kept = match self.best() {
            Some(best) => format!(
                "{} still holds epoch {} with {}",
                self.folder.best().display(),
                best.epoch(),
                best.score_text()
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

    fn save_weights(&self, row: &EpochOf<T>) -> Result<()> {
        let path = self.folder.improved(self.run.settings.name(), row);
        let file = path.display().to_string();
        let values = self.network().parameters.snapshot()?;
        let (metadata, values) = T::weights(&self.run, row, values)?;
        Weights::new(&file, metadata, values)?.save(&path)?;
        let best = self.folder.best();
        atomic_file::link(&best, &path).with_context(|| format!("cannot write {}", best.display()))
    }

    fn save_log(&self) -> Result<()> {
        let log = self.log();
        let curves = T::curves(log, self.run.settings.name())?;
        files::write(&self.folder.log(), log.to_csv()?)?;
        files::write(&self.folder.curves(), curves)
    }

    /// Saves the state to resume from.
    fn save(&self) -> Result<()> {
        let mut checkpoint = Checkpoint::new(self.run.clone());
        self.state.store(&mut checkpoint)?;
        if let Some(name) = checkpoint.not_finite() {
            bail!(self.diverged(&format!("{name} holds a value that is not finite")));
        }
        checkpoint.save(&self.folder.last())
    }
}
