//! The folder for results. Results grow in a hidden folder inside it and get their names together when they are complete.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use emotion_models::atomic_file;

use super::inputs::InputFile;

const HIDDEN: &str = ".emotion-tag";
/// The suffix of the summary, whose presence means that the results of a file are complete.
pub const SUMMARY: &str = "summary.json";

/// The folder for results, locked for this process.
#[derive(Debug)]
pub struct ResultFolder {
    out: PathBuf,
    hidden: PathBuf,
    /// The system holds the lock while the file is open, so a killed process leaves no lock.
    _lock: File,
}

impl ResultFolder {
    /// Creates the folder, and removes what a killed run left in it.
    ///
    /// # Errors
    ///
    /// If it is not writable, or another process writes results into it.
    pub fn open(out: &Path) -> anyhow::Result<Self> {
        let hidden = out.join(HIDDEN);
        let shown = out.display();
        let lock = fs::create_dir_all(&hidden)
            .and_then(|()| File::create(hidden.join("lock")))
            .with_context(|| {
                format!("{shown}: cannot write results there; --out names another folder")
            })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "{shown}: another emotion-tag writes its results there; wait until it ends, or name another folder with --out"
                )
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{shown}: cannot lock the folder"));
            }
        }
        let left =
            fs::read_dir(&hidden).with_context(|| format!("{shown}: cannot read the folder"))?;
        for entry in left.flatten() {
            if entry.path().is_dir() {
                fs::remove_dir_all(entry.path()).with_context(|| {
                    format!("{}: cannot remove the folder", entry.path().display())
                })?;
            }
        }
        Ok(Self {
            out: out.to_owned(),
            hidden,
            _lock: lock,
        })
    }

    /// The final path of a result of `input`.
    pub fn path(&self, input: &InputFile, suffix: &str) -> PathBuf {
        with_suffix(&self.out.join(&input.name), suffix)
    }

    /// A hidden folder for the growing results of `input`, which has this number in the run.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created.
    pub fn results(&self, input: &InputFile, number: usize) -> anyhow::Result<PendingResults<'_>> {
        let hidden = self.hidden.join(number.to_string());
        fs::create_dir(&hidden)
            .with_context(|| format!("{}: cannot create the folder", hidden.display()))?;
        Ok(PendingResults {
            folder: self,
            input: input.clone(),
            hidden,
            suffixes: Vec::new(),
        })
    }
}

impl Drop for ResultFolder {
    fn drop(&mut self) {
        // The next run removes what remains.
        let _ = fs::remove_dir_all(&self.hidden);
    }
}

/// The growing results of one file. They are removed when this is dropped before they are published.
#[derive(Debug)]
pub struct PendingResults<'a> {
    folder: &'a ResultFolder,
    input: InputFile,
    hidden: PathBuf,
    suffixes: Vec<String>,
}

impl PendingResults<'_> {
    /// Adds a result and returns the path to write it to.
    pub fn add(&mut self, suffix: &str) -> PathBuf {
        self.suffixes.push(suffix.to_owned());
        self.growing(suffix)
    }

    /// The final path of the result with this suffix.
    pub fn path(&self, suffix: &str) -> PathBuf {
        self.folder.path(&self.input, suffix)
    }

    /// The final name of the result with this suffix, without folders.
    pub fn name(&self, suffix: &str) -> String {
        let path = self.path(suffix);
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The final names of all results so far.
    pub fn names(&self) -> Vec<String> {
        self.suffixes
            .iter()
            .map(|suffix| self.name(suffix))
            .collect()
    }

    /// Adds a result with this text.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&mut self, suffix: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.add(suffix), text)
            .with_context(|| format!("{}: cannot write", self.path(suffix).display()))
    }

    /// Gives all results their final names, the summary last, because it means that the others are complete.
    ///
    /// # Errors
    ///
    /// If a file cannot be completed or renamed.
    pub fn publish(mut self, summary: &str) -> anyhow::Result<()> {
        self.write(SUMMARY, summary)?;
        let whole = self.path(SUMMARY);
        if let Some(folder) = whole.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("{}: cannot create the folder", folder.display()))?;
        }
        // An old summary must not stand beside new results.
        if whole.exists() {
            fs::remove_file(&whole)
                .with_context(|| format!("{}: cannot replace the file", whole.display()))?;
        }
        for suffix in &self.suffixes {
            let (growing, whole) = (self.growing(suffix), self.path(suffix));
            atomic_file::rename(&growing, &whole)
                .with_context(|| format!("{}: cannot complete the file", whole.display()))?;
        }
        Ok(())
    }

    fn growing(&self, suffix: &str) -> PathBuf {
        with_suffix(&self.hidden.join("result"), suffix)
    }
}

impl Drop for PendingResults<'_> {
    fn drop(&mut self) {
        // What remains is removed with the hidden folder.
        let _ = fs::remove_dir_all(&self.hidden);
    }
}

/// Appends the suffix; a name may contain dots of its own.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(path);
    path.push(".");
    path.push(suffix);
    path.into()
}

#[cfg(test)]
mod tests;
