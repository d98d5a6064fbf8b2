//! `last.ckpt.safetensors`: what a run needs to go on as if it had never stopped.
//!
//! Besides the tensors that is only the settings, the log and the totals of the epoch that has begun.
//! The order of the rows, the augmentation and the learning rate follow from seed, epoch and log.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::run::files;
use crate::run::log::{EpochTotals, Log};
use crate::run::state::{Run, RunSettings};

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
    /// What is not tensors.
    pub run: Run<S>,
    tensors: HashMap<String, Tensor>,
}

impl<S: RunSettings> Checkpoint<S> {
    /// A checkpoint without tensors.
    pub fn new(run: Run<S>) -> Self {
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

    /// Name of a tensor that holds NaN or infinity, if there is one.
    ///
    /// # Errors
    ///
    /// When a tensor is not f32.
    pub fn not_finite(&self) -> Result<Option<&str>> {
        for (name, tensor) in &self.tensors {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            if !values.iter().all(|value| value.is_finite()) {
                return Ok(Some(name));
            }
        }
        Ok(None)
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
            (TOTALS.to_owned(), self.run.totals.to_csv()?),
        ]);
        let bytes = safetensors::serialize(&self.tensors, Some(metadata))?;
        files::write(path, bytes)
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
        let metadata = header.metadata().clone().unwrap_or_default();
        let (Some(run), Some(log)) = (metadata.get(RUN), metadata.get(LOG)) else {
            bail!("its metadata lack `{RUN}` or `{LOG}`: it was not written by a training run");
        };
        // Before all else: another format may have other settings.
        let Format { format } = serde_json::from_str(run)?;
        ensure!(
            S::FORMATS.contains(&format.as_str()),
            "expected format `{}`, found `{format}`: resume with the command and the version that wrote it",
            S::FORMATS[0]
        );
        let mut run: Run<S> = serde_json::from_str(run)?;
        run.renew_format();
        run.log = Log::from_csv(log)?;
        run.totals = EpochTotals::from_csv(metadata.get(TOTALS).map_or("", String::as_str))?;
        let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
        Ok(Self { run, tensors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::epoch::EmotionEpoch;
    use crate::emotion::recipe::{FaceDataSummary, Recipe, Settings};

    const FORMAT: &str = Settings::FORMATS[0];

    fn checkpoint() -> Checkpoint<Settings> {
        let source = FaceDataSummary {
            data: None,
            teacher_files: Vec::new(),
            training_faces: 10,
            validation_faces: 5,
        };
        let mut run = Run::new(Recipe::Seed.settings(), source);
        // Thirds are what a lossy detour through text would change.
        let third = 1.0 / 3.0;
        run.log.push(EmotionEpoch {
            epoch: 1,
            acc: third,
            loss: third.exp(),
            val_acc: third,
            val_loss: third.sin(),
            lr: third.sqrt(),
            seconds: third,
            temperature: Some(third.exp2()),
            val_loss_calibrated: Some(third.ln_1p()),
            val_ece: Some(third.atan()),
            val_macro_f1: Some(third.cbrt()),
        });
        run.totals = EpochTotals {
            steps: 1,
            samples: 3,
            loss_sum: third,
            ..EpochTotals::default()
        };
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
        let error = Checkpoint::<Settings>::load(&path).unwrap_err().to_string();
        assert!(
            error.ends_with("last.ckpt.safetensors is not a checkpoint to resume from"),
            "{error}"
        );
    }

    /// What the first version wrote: no totals, and nothing about architecture, name or teachers.
    fn checkpoint_1(format: &str) -> Vec<u8> {
        let run = r#"{"format":"FORMAT","settings":{"recipe":"best","seed":1,"input_size":48,
            "epochs":60,"early_stop":null,"batch":64,"learning_rate":0.004,
            "schedule":{"one_cycle":{"warmup":0.3}},
            "optimizer":{"beta1":0.9,"beta2":0.999,"epsilon":1e-8,"weight_decay":0.0001},
            "label_smoothing":0.0,"average":0.999,
            "augmentation":{"rotation_degrees":10.0,"shift":0.1,"zoom":0.1,"flip":true},
            "choice":"accuracy"},"training_faces":100,"validation_faces":10}"#
            .replace("FORMAT", format);
        let log = "epoch,acc,loss,val_acc,val_loss,lr,seconds\n1,0.5,1.25,0.5,1.5,0.001,2.0\n";
        let metadata = [(RUN, run), (LOG, log.to_owned())];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
        let tensor = Tensor::new(&[1.0f32], &Device::Cpu).unwrap();
        safetensors::serialize([("trained/a", tensor)], Some(HashMap::from(metadata))).unwrap()
    }

    fn parse(bytes: &[u8]) -> Result<Checkpoint<Settings>> {
        Checkpoint::parse(bytes)
    }

    #[test]
    fn a_checkpoint_of_the_first_format_is_at_the_end_of_an_epoch() {
        let Checkpoint { run, .. } = parse(&checkpoint_1(Settings::FORMATS[1])).unwrap();
        assert_eq!((run.log.len(), run.totals), (1, EpochTotals::default()));
        assert_eq!(run.settings.name(), "mini_xception");
        assert_eq!((run.steps_per_epoch(), run.steps()), (2, 2));
    }

    #[test]
    fn a_checkpoint_of_a_later_format_is_refused_with_both_formats() {
        let later = "emotion-trainer checkpoint 3";
        let error = parse(&checkpoint_1(later)).unwrap_err();
        let expected = format!("expected format `{FORMAT}`, found `{later}`");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }

    #[test]
    fn a_value_that_is_not_finite_is_named() {
        let mut checkpoint = checkpoint();
        assert_eq!(checkpoint.not_finite().unwrap(), None);
        let tensor = Tensor::new(&[1.0, f32::NAN], &Device::Cpu).unwrap();
        checkpoint.insert("moments", HashMap::from([("first.a".to_owned(), tensor)]));
        assert_eq!(checkpoint.not_finite().unwrap(), Some("moments/first.a"));
    }
}
