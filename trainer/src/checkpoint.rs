//! `last.ckpt.safetensors`: what a run needs to go on as if it had never stopped.
//!
//! Besides the tensors that is only the settings and the log. The order of the rows, the augmentation
//! and the learning rate follow from seed, epoch and log; the number of steps from the epochs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use crate::log::Log;
use crate::recipe::Settings;

const FORMAT: &str = "emotion-trainer checkpoint 1";
// Keys of the metadata.
const RUN: &str = "run";
const LOG: &str = "log";

/// The part of a checkpoint that is not tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    format: String,
    /// How the run trains.
    pub settings: Settings,
    /// The epochs so far. CSV keeps their numbers exactly, JSON as it is read here might not.
    #[serde(skip)]
    pub log: Log,
    /// Number of faces that it trains on.
    pub training_faces: usize,
    /// Number of faces that it validates on.
    pub validation_faces: usize,
}

impl Run {
    /// A run that has not begun.
    pub fn new(settings: Settings, training_faces: usize, validation_faces: usize) -> Self {
        let (format, log) = (FORMAT.to_owned(), Log::default());
        Self {
            format,
            settings,
            log,
            training_faces,
            validation_faces,
        }
    }
}

/// A run and its tensors in named groups.
#[derive(Debug)]
pub struct Checkpoint {
    /// What is not tensors.
    pub run: Run,
    tensors: HashMap<String, Tensor>,
}

impl Checkpoint {
    /// A checkpoint without tensors.
    pub fn new(run: Run) -> Self {
        Self {
            run,
            tensors: HashMap::new(),
        }
    }

    /// Adds tensors as `GROUP/NAME`.
    pub fn insert(&mut self, group: &str, tensors: HashMap<String, Tensor>) {
        let named = |(name, tensor)| (format!("{group}/{name}"), tensor);
        self.tensors.extend(tensors.into_iter().map(named));
    }

    /// The tensors of a group by their names; empty when there is no such group.
    pub fn group(&self, group: &str) -> HashMap<String, Tensor> {
        let of_group = |(name, tensor): (&String, &Tensor)| {
            let name = name.strip_prefix(group)?.strip_prefix('/')?;
            Some((name.to_owned(), tensor.clone()))
        };
        self.tensors.iter().filter_map(of_group).collect()
    }

    /// Replaces the file at `path` in one step.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the one before is then untouched.
    pub fn save(&self, path: &Path) -> Result<()> {
        let metadata = HashMap::from([
            (RUN.to_owned(), serde_json::to_string(&self.run)?),
            (LOG.to_owned(), self.run.log.to_csv()?),
        ]);
        let bytes = safetensors::serialize(&self.tensors, Some(metadata))?;
        crate::files::replace(path, &bytes)
    }

    /// Reads the checkpoint in the file at `path`.
    ///
    /// # Errors
    ///
    /// When the file is missing, damaged or of another kind.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&bytes)
            .with_context(|| format!("{} is not a checkpoint to resume from", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let entry = |key| {
            header
                .metadata()
                .as_ref()
                .and_then(|metadata| metadata.get(key))
        };
        let (Some(run), Some(log)) = (entry(RUN), entry(LOG)) else {
            bail!("its metadata lack `{RUN}` or `{LOG}`: it was not written by a training run");
        };
        let mut run: Run = serde_json::from_str(run)?;
        run.log = Log::from_csv(log)?;
        ensure!(
            run.format == FORMAT,
            "expected format `{FORMAT}`, found `{}`",
            run.format
        );
        let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
        Ok(Self { run, tensors })
    }
}

/// The files of a run in their folder.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The run in `folder`, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Weights of the best epoch.
    pub fn best(&self) -> PathBuf {
        self.0.join("best.safetensors")
    }

    /// State after the last epoch.
    pub fn last(&self) -> PathBuf {
        self.0.join("last.ckpt.safetensors")
    }

    /// The log.
    pub fn log(&self) -> PathBuf {
        self.0.join("log.csv")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Epoch;
    use crate::recipe::Recipe;

    fn checkpoint() -> Checkpoint {
        let mut run = Run::new(Recipe::Seed.settings(), 10, 5);
        // Thirds are what a lossy detour through text would change.
        let third = 1.0 / 3.0;
        run.log.push(Epoch {
            epoch: 1,
            acc: third,
            loss: third.exp(),
            val_acc: third,
            val_loss: third.sin(),
            lr: third.sqrt(),
            seconds: third,
        });
        let mut checkpoint = Checkpoint::new(run);
        let tensor = Tensor::new(&[1.0f32, third as f32], &Device::Cpu).unwrap();
        checkpoint.insert(
            "network",
            HashMap::from([("conv.weight".to_owned(), tensor)]),
        );
        checkpoint
    }

    #[test]
    fn a_saved_checkpoint_comes_back_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.ckpt.safetensors");
        checkpoint().save(&path).unwrap();
        let loaded = Checkpoint::load(&path).unwrap();
        assert_eq!(loaded.run, checkpoint().run);
        let weights = loaded.group("network")["conv.weight"]
            .to_vec1::<f32>()
            .unwrap();
        assert_eq!(weights, [1.0, (1.0 / 3.0) as f32]);
        assert!(loaded.group("average").is_empty());
    }

    #[test]
    fn a_truncated_checkpoint_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.ckpt.safetensors");
        checkpoint().save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let error = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(
            error.ends_with("last.ckpt.safetensors is not a checkpoint to resume from"),
            "{error}"
        );
    }
}
