//! `last.ckpt.safetensors`: everything that a run needs to continue as if it had never stopped.
//!
//! Besides tensors it holds the settings, the log and the totals of the unfinished epoch. The order of the samples, the
//! augmentation and the learning rate follow from seed, epoch and log.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use emotion_models::weights::{WeightTensor, WeightTensors};
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::run::files;
use crate::run::log::{EpochTotals, Log};
use crate::run::settings::RunSettings;
use crate::run::state::Run;

// Keys of the metadata.
const RUN: &str = "run";
const LOG: &str = "log";
const TOTALS: &str = "tally";

#[derive(Deserialize)]
struct Format {
    format: String,
}

/// A run and its tensors in named groups.
#[derive(Debug)]
pub struct Checkpoint<S: RunSettings> {
    /// Everything except tensors.
    pub run: Run<S>,
    tensors: WeightTensors,
}

impl<S: RunSettings> Checkpoint<S> {
    /// A checkpoint without tensors.
    pub fn new(run: Run<S>) -> Self {
        Self {
            run,
            tensors: WeightTensors::new(),
        }
    }

    /// Adds tensors as `GROUP/NAME`.
    pub fn insert(&mut self, group: &str, tensors: WeightTensors) {
        let named = |(name, tensor)| (format!("{group}/{name}"), tensor);
        self.tensors.extend(tensors.into_iter().map(named));
    }

    /// The tensors of a group by their names; empty when there is no such group.
    pub fn group(&self, group: &str) -> WeightTensors {
        let of_group = |(name, tensor): (&String, &WeightTensor)| {
            let name = name.strip_prefix(group)?.strip_prefix('/')?;
            Some((name.to_owned(), tensor.clone()))
        };
        self.tensors.iter().filter_map(of_group).collect()
    }

    /// Name of a tensor that holds NaN or infinity, if there is one.
    pub fn not_finite(&self) -> Option<&str> {
        let is_finite = |tensor: &WeightTensor| tensor.values.iter().all(|v| v.is_finite());
        let mut tensors = self.tensors.iter();
        let (name, _) = tensors.find(|(_, tensor)| !is_finite(tensor))?;
        Some(name)
    }

    /// Replaces the file at `path` atomically.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the old file is then untouched.
    pub fn save(&self, path: &Path) -> Result<()> {
        let metadata = HashMap::from([
            (RUN.to_owned(), serde_json::to_string(&self.run)?),
            (LOG.to_owned(), self.run.log.to_csv()?),
            (TOTALS.to_owned(), self.run.totals.to_csv()?),
        ]);
        let bytes = safetensors::serialize(&self.tensors, Some(metadata))?;
        files::write(path, bytes)
    }

    /// Reads the checkpoint in the file at `path`.
    ///
    /// # Errors
    ///
    /// When the file is missing, damaged or of another format.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&bytes)
            .with_context(|| format!("{} is not a checkpoint to resume from", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let (Some(run), Some(log), Some(totals)) =
            (metadata.get(RUN), metadata.get(LOG), metadata.get(TOTALS))
        else {
            bail!(
                "its metadata lack `{RUN}`, `{LOG}` or `{TOTALS}`: it was not written by a training run"
            );
        };
        // Checked first, because another format may have other settings.
        let Format { format } = serde_json::from_str(run)?;
        ensure!(
            format == S::FORMAT,
            "expected format `{}`, found `{format}`: resume with the command and the version that wrote it",
            S::FORMAT
        );
        let mut run: Run<S> = serde_json::from_str(run)?;
        run.log = Log::from_csv(log)?;
        run.totals = EpochTotals::from_csv(totals)?;
        let views = SafeTensors::deserialize(bytes)?;
        let mut tensors = WeightTensors::new();
        for (name, view) in views.iter() {
            let tensor = WeightTensor::from_view(&view);
            let tensor = tensor.with_context(|| format!("{name} is {}", view.dtype()))?;
            tensors.insert(name.to_owned(), tensor);
        }
        Ok(Self { run, tensors })
    }
}

#[cfg(test)]
mod tests;
