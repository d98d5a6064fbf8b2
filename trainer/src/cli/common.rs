//! Options of both kinds of training.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Arg, Args};

use super::values::{Minutes, below_one, minutes, name, not_negative, positive};
use crate::run::schedule::Schedule;
use crate::run::settings::CommonSettings;

/// Where and how a run is executed.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder for best.safetensors, last.ckpt.safetensors, log.csv and curves.svg [default:
    /// runs/NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,

    /// Continue the run in this folder, to the result that it would have had without a stop
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,

    /// Minutes after which the state is saved within an epoch too, 0 for never
    #[arg(long, value_name = "MINUTES", value_parser = minutes, default_value = "5")]
    pub save_every: Minutes,

    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// Settings of a new run; the commands add their defaults to the help.
#[derive(Debug, Args)]
#[group(id = "common settings", conflicts_with = "resume")]
pub struct CommonArgs {
    /// Weights to begin with instead of random ones, a file or the name of built-in ones; they need
    /// fewer epochs and a lower --lr
    #[arg(long, value_name = "FILE|NAME")]
    pub init: Option<PathBuf>,

    /// Name of the weights, in results and in file names
    #[arg(long, value_parser = name)]
    pub name: Option<String>,

    /// Epochs to train
    #[arg(long, value_name = "N")]
    pub epochs: Option<NonZeroUsize>,

    /// Samples in a step
    #[arg(long, value_name = "N")]
    pub batch: Option<NonZeroUsize>,

    /// Highest learning rate
    #[arg(long, value_parser = positive)]
    pub lr: Option<f64>,

    /// Schedule of the learning rate
    #[arg(long, value_enum)]
    pub schedule: Option<ScheduleName>,

    /// Seed of all random numbers [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Decoupled weight decay
    #[arg(long, value_name = "LAMBDA", value_parser = not_negative)]
    pub weight_decay: Option<f64>,

    /// Decay of the exponential moving average of the weights, 0 for no average
    #[arg(long, value_name = "DECAY", value_parser = below_one)]
    pub ema: Option<f64>,
}

impl CommonArgs {
    /// Changes the settings that are given.
    pub(super) fn apply(&self, settings: &mut CommonSettings) {
        settings.name.clone_from(&self.name);
        set(&mut settings.epochs, self.epochs.map(NonZeroUsize::get));
        set(&mut settings.batch, self.batch.map(NonZeroUsize::get));
        set(&mut settings.learning_rate, self.lr);
        let schedule = self.schedule.map(ScheduleName::schedule);
        set(&mut settings.schedule, schedule);
        set(&mut settings.seed, self.seed);
        set(&mut settings.optimizer.weight_decay, self.weight_decay);
        let average = self.ema.map(|decay| (decay > 0.0).then_some(decay));
        set(&mut settings.average, average);
    }
}

/// Changes a setting if its option is given.
pub(super) fn set<T>(setting: &mut T, option: Option<T>) {
    if let Some(value) = option {
        *setting = value;
    }
}

/// Adds the default of an option, from pairs of option and default, to its help.
pub(super) fn with_default(arg: Arg, defaults: &[(&str, &str)]) -> Arg {
    let default = defaults.iter().find(|(option, _)| arg.get_id() == option);
    let help = default
        .zip(arg.get_help())
        .map(|((_, default), help)| format!("{help} [{default}]"));
    match help {
        Some(help) => arg.help(help),
        None => arg,
    }
}

/// A schedule with its usual constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ScheduleName {
    /// Up over 0.3 of the steps and down to nearly 0, both along half a cosine
    OneCycle,
    /// Up over 0.05 of the steps in a line, down to 0 along half a cosine
    Cosine,
    /// A tenth each time 12 epochs bring no lower validation loss
    Plateau,
    /// Always the same
    Constant,
}

impl ScheduleName {
    fn schedule(self) -> Schedule {
        match self {
            ScheduleName::OneCycle => Schedule::ONE_CYCLE,
            ScheduleName::Cosine => Schedule::COSINE,
            ScheduleName::Plateau => Schedule::PLATEAU,
            ScheduleName::Constant => Schedule::Constant,
        }
    }
}
