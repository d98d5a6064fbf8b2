//! The folder of a run and the names of its files.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use emotion_models::atomic_file;

use crate::run::log::LogRow;

/// The files of a run in their folder.
#[derive(Debug, Clone)]
pub struct RunFolder(PathBuf);

/// Exclusive access to a folder, until it is dropped or the program ends.
#[derive(Debug)]
pub struct RunFolderLock {
    _folder: File,
}

impl RunFolder {
    /// The run in `folder`, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Creates the folder if it is missing, locks out other runs, and removes unfinished files of a killed run.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written to, or another run uses it.
    pub fn open(&self) -> Result<RunFolderLock> {
        let path = self.path();
        let shown = path.display();
        fs::create_dir_all(path).with_context(|| format!("cannot create {shown}"))?;
        let folder = File::open(path).with_context(|| format!("cannot open {shown}"))?;
        // Some file systems have no locks; training works without.
        if let Err(TryLockError::WouldBlock) = folder.try_lock() {
            bail!("another run is at work in {shown}: wait for it, or choose another --out");
        }
        atomic_file::remove_unfinished(path).with_context(|| format!("cannot tidy {shown}"))?;
        Ok(RunFolderLock { _folder: folder })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Weights of the best epoch.
    pub fn best(&self) -> PathBuf {
        self.0.join("best.safetensors")
    }

    /// Weights after an epoch that was the best so far: `NAME.EPOCH-SCORE.safetensors`.
    pub fn improved(&self, name: &str, row: &impl LogRow) -> PathBuf {
        let (epoch, score) = (row.epoch(), row.score());
        self.0
            .join(format!("{name}.{epoch:03}-{score:.4}.safetensors"))
    }

    /// The state to resume from.
    pub fn last(&self) -> PathBuf {
        self.0.join("last.ckpt.safetensors")
    }

    /// The log.
    pub fn log(&self) -> PathBuf {
        self.0.join("log.csv")
    }

    /// The curves of the log.
    pub fn curves(&self) -> PathBuf {
        self.0.join("curves.svg")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::epoch::EmotionEpoch;

    #[test]
    fn weights_are_called_by_name_epoch_and_accuracy() {
        let row = EmotionEpoch {
            epoch: 48,
            val_acc: 0.636_38,
            ..EmotionEpoch::default()
        };
        assert_eq!(
            RunFolder::new("runs/a").improved("mini_xception", &row),
            Path::new("runs/a/mini_xception.048-0.6364.safetensors")
        );
    }

    #[test]
    fn a_folder_takes_one_run_at_a_time() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(temporary.path().join("runs/a"));
        let lock = folder.open().unwrap();
        let error = folder.open().unwrap_err().to_string();
        assert!(error.starts_with("another run is at work in "), "{error}");
        drop(lock);
        folder.open().unwrap();
    }
}
