//! Where results go. They grow in a hidden folder beside their place and get their names together when they are whole.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::inputs::InputFile;

const HIDDEN: &str = ".emotion-tag";
/// What tells that the results of a file are whole.
pub const SUMMARY: &str = "summary.json";

/// The folder for results, which is this process's alone.
#[derive(Debug)]
pub struct ResultFolder {
    out: PathBuf,
    hidden: PathBuf,
    /// Locked as long as it is open, by the system: a killed process leaves no lock.
    _lock: File,
}

impl ResultFolder {
    /// Makes the folder, and removes what a killed run has left in it.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or another process writes results into it.
    pub fn open(out: &Path) -> anyhow::Result<Self> {
        let hidden = out.join(HIDDEN);
        let shown = out.display();
        let lock = fs::create_dir_all(&hidden)
            .and_then(|()| File::create(hidden.join("lock")))
            .with_context(|| {
                format!("{shown}: results cannot be written there; --out names another folder")
            })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "{shown}: another emotion-tag writes its results there; wait for it, or name another folder with --out"
                )
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{shown}: cannot be locked"));
            }
        }
        let left = fs::read_dir(&hidden).with_context(|| format!("{shown}: cannot be read"))?;
        for entry in left.flatten() {
            if entry.path().is_dir() {
                fs::remove_dir_all(entry.path())
                    .with_context(|| format!("{}: cannot be removed", entry.path().display()))?;
            }
        }
        Ok(Self {
            out: out.to_owned(),
            hidden,
            _lock: lock,
        })
    }

    /// Where a result of `input` stands in the end.
    pub fn path(&self, input: &InputFile, suffix: &str) -> PathBuf {
        with_suffix(&self.out.join(&input.name), suffix)
    }

    /// A place for the results of `input`, which is the `number`th of this run.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn results(&self, input: &InputFile, number: usize) -> anyhow::Result<PendingResults<'_>> {
        let hidden = self.hidden.join(number.to_string());
        fs::create_dir(&hidden).with_context(|| format!("{}: cannot be made", hidden.display()))?;
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
        // What stays is removed by the next run.
        let _ = fs::remove_dir_all(&self.hidden);
    }
}

/// The growing results of one file, which vanish when this is dropped before they are published.
#[derive(Debug)]
pub struct PendingResults<'a> {
    folder: &'a ResultFolder,
    input: InputFile,
    hidden: PathBuf,
    suffixes: Vec<String>,
}

impl PendingResults<'_> {
    /// The place where the result with this suffix grows.
    pub fn add(&mut self, suffix: &str) -> PathBuf {
        self.suffixes.push(suffix.to_owned());
        self.growing(suffix)
    }

    /// The place where it stands in the end.
    pub fn path(&self, suffix: &str) -> PathBuf {
        self.folder.path(&self.input, suffix)
    }

    /// The names of all results so far.
    pub fn names(&self) -> Vec<String> {
        let name = |suffix: &String| {
            self.path(suffix)
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        self.suffixes.iter().filter_map(name).collect()
    }

    /// Writes a result in one go.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&mut self, suffix: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.add(suffix), text)
            .with_context(|| format!("{}: cannot be written", self.path(suffix).display()))
    }

    /// Gives all results their names; the summary, which says that the others are whole, last.
    ///
    /// # Errors
    ///
    /// When a file cannot be completed or renamed.
    pub fn publish(mut self, summary: &str) -> anyhow::Result<()> {
        self.write(SUMMARY, summary)?;
        let whole = self.path(SUMMARY);
        if let Some(folder) = whole.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("{}: cannot be made", folder.display()))?;
        }
        // An older summary must not vouch for newer results.
        if whole.exists() {
            fs::remove_file(&whole)
                .with_context(|| format!("{}: cannot be replaced", whole.display()))?;
        }
        for suffix in &self.suffixes {
            let (growing, whole) = (self.growing(suffix), self.path(suffix));
            // On the disk before it has its name: a power cut must not leave a name without content.
            File::open(&growing)
                .and_then(|file| file.sync_all())
                .and_then(|()| fs::rename(&growing, &whole))
                .with_context(|| format!("{}: cannot be completed", whole.display()))?;
        }
        Ok(())
    }

    fn growing(&self, suffix: &str) -> PathBuf {
        with_suffix(&self.hidden.join("result"), suffix)
    }
}

impl Drop for PendingResults<'_> {
    fn drop(&mut self) {
        // What stays is removed with the hidden folder.
        let _ = fs::remove_dir_all(&self.hidden);
    }
}

/// A name may have dots of its own.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(path);
    path.push(".");
    path.push(suffix);
    path.into()
}

#[cfg(test)]
mod tests;
