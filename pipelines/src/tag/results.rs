//! The folder for results. Results grow in a hidden folder inside it and get their names together when they are complete.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use emotion_models::atomic_file;
use percent_encoding::percent_encode;
use serde::{Deserialize, Serialize};

use super::captions;
use super::elan::IN_NAME;
use super::inputs::InputFile;
use super::os_path;
use super::result_names::{CAPTIONS, SUMMARY, with_suffix};

const HIDDEN: &str = ".emotion-tag";

/// The folder for results, locked for this process: whole, or its own work folder in it.
#[derive(Debug)]
pub struct ResultFolder {
    out: PathBuf,
    /// Where results grow.
    hidden: PathBuf,
    /// The system holds the locks while the files are open, so a killed process leaves none.
    locks: Vec<File>,
}

impl ResultFolder {
    /// Creates the folder, and removes what a killed run left in it.
    ///
    /// Several processes may write into one folder if each has a work folder of another name; a run without one has the whole
    /// for itself.
    ///
    /// # Errors
    ///
    /// If it is not writable, or another process writes the same results into it.
    pub fn open(out: &Path, work: Option<&str>) -> anyhow::Result<Self> {
        // A worker process may have another current folder.
        let out = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
        let all = out.join(HIDDEN);
        let whole = lock(&out, &all, work.is_none())?;
        let (hidden, locks) = match work {
            None => (all, vec![whole]),
            Some(work) => {
                let hidden = all.join(work);
                let own = lock(&out, &hidden, true)?;
                (hidden, vec![whole, own])
            }
        };
        let left = fs::read_dir(&hidden)
            .with_context(|| format!("{}: cannot read the folder", hidden.display()))?;
        for entry in left.flatten() {
            if entry.path().is_dir() {
                fs::remove_dir_all(entry.path()).with_context(|| {
                    format!("{}: cannot remove the folder", entry.path().display())
                })?;
            }
        }
        Ok(Self { out, hidden, locks })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.out
    }

    /// The hidden folder of this process, of which nothing stays.
    pub fn hidden(&self) -> &Path {
        &self.hidden
    }

    /// The final path of the summary of `input`.
    pub fn summary(&self, input: &InputFile) -> PathBuf {
        with_suffix(&self.out.join(&input.name), SUMMARY)
    }

    /// A hidden folder for the local copy of the input with this number in the run.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created.
    pub fn copy_folder(&self, number: usize) -> anyhow::Result<CopyFolder> {
        let process = std::process::id();
        let folder = self.hidden.join(format!("{process}-{number}-input"));
        fs::create_dir(&folder)
            .with_context(|| format!("{}: cannot create the folder", folder.display()))?;
        Ok(CopyFolder(folder))
    }

    /// A hidden folder for the growing results of an attempt to tag `input`, which has this number in the run.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created.
    pub fn results(
        &self,
        input: &InputFile,
        number: usize,
        attempt: usize,
    ) -> anyhow::Result<PendingResults> {
        // A worker of a killed run may still write into a folder of that run for a moment.
        let process = std::process::id();
        let hidden = self.hidden.join(format!("{process}-{number}-{attempt}"));
        fs::create_dir(&hidden)
            .with_context(|| format!("{}: cannot create the folder", hidden.display()))?;
        let base = self.out.join(&input.name);
        let mut captions = with_suffix(&self.out.join(&input.captions), CAPTIONS);
        // Where --out is the folder of the videos, this may be the user's own file.
        if captions.exists() && !captions::is_about(&captions, &input.source()) {
            captions = with_suffix(&base, CAPTIONS);
        }
        Ok(PendingResults {
            paths: ResultPaths {
                hidden,
                base,
                captions,
            },
        })
    }
}

impl Drop for ResultFolder {
    fn drop(&mut self) {
        // The next run removes what remains.
        let _ = fs::remove_dir_all(&self.hidden);
        let all = self.out.join(HIDDEN);
        // The last process removes the folder of all; while another one runs it cannot be locked.
        if all != self.hidden
            && self
                .locks
                .first()
                .is_some_and(|lock| lock.try_lock().is_ok())
        {
            let _ = fs::remove_dir_all(&all);
        }
    }
}

/// Locks the hidden folder `folder` in `out`, for this process alone or for all with work folders.
fn lock(out: &Path, folder: &Path, is_exclusive: bool) -> anyhow::Result<File> {
    let shown = out.display();
    let path = folder.join("lock");
    loop {
        let lock = fs::create_dir_all(folder)
            .and_then(|()| File::create(&path))
            .with_context(|| {
                format!("{shown}: cannot write results there; --out names another folder")
            })?;
        let locked = match is_exclusive {
            true => lock.try_lock(),
            false => lock.try_lock_shared(),
        };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "{shown}: another emotion-tag writes its results there; wait until it ends, or name another folder with --out"
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{shown}: cannot lock the folder"));
            }
        }
        // A process that has just ended may have removed the file that is locked now.
        let current = fs::metadata(&path).map(|found| (found.dev(), found.ino()));
        let locked = lock.metadata().map(|found| (found.dev(), found.ino()));
        if current.is_ok_and(|current| locked.is_ok_and(|locked| locked == current)) {
            return Ok(lock);
        }
    }
}

/// A hidden folder for the local copy of a file; it is removed when this is dropped.
#[derive(Debug)]
pub struct CopyFolder(PathBuf);

impl CopyFolder {
    /// The path of the copy of a file with this name.
    pub fn copy_of(&self, name: &Path) -> PathBuf {
        let copy = self.0.join("input");
        match name.extension() {
            Some(extension) => copy.with_extension(extension),
            None => copy,
        }
    }
}

impl Drop for CopyFolder {
    fn drop(&mut self) {
        // What remains is removed with the hidden folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where the results of one file grow, and their final paths.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResultPaths {
    /// The folder in which they grow.
    #[serde(with = "os_path")]
    hidden: PathBuf,
    /// The final path of each without its suffix.
    #[serde(with = "os_path")]
    base: PathBuf,
    /// The final path of the captions.
    #[serde(with = "os_path")]
    captions: PathBuf,
}

impl ResultPaths {
    /// The path at which the result with this suffix grows.
    pub fn growing(&self, suffix: &str) -> PathBuf {
        with_suffix(&self.hidden.join("result"), suffix)
    }

    /// The final path of the result with this suffix.
    pub fn whole(&self, suffix: &str) -> PathBuf {
        match suffix {
            CAPTIONS => self.captions.clone(),
            _ => with_suffix(&self.base, suffix),
        }
    }

    /// The final name of the result with this suffix, without folders.
    pub fn name(&self, suffix: &str) -> String {
        let path = self.whole(suffix);
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The address of the result with this suffix for a page in the same folder.
    pub fn address(&self, suffix: &str) -> String {
        let path = self.whole(suffix);
        let name = path.file_name().unwrap_or_default();
        percent_encode(name.as_encoded_bytes(), IN_NAME).to_string()
    }
}

/// Writes the growing results of one file.
#[derive(Debug)]
pub struct ResultWriter {
    paths: ResultPaths,
    suffixes: Vec<String>,
}

impl ResultWriter {
    /// A writer without results.
    pub fn new(paths: ResultPaths) -> Self {
        Self {
            paths,
            suffixes: Vec::new(),
        }
    }

    /// Adds a result and returns the path to write it to.
    pub fn add(&mut self, suffix: &str) -> PathBuf {
        self.suffixes.push(suffix.to_owned());
        self.paths.growing(suffix)
    }

    /// Adds a result with this text.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&mut self, suffix: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.add(suffix), text)
            .with_context(|| format!("{}: cannot write", self.paths.whole(suffix).display()))
    }

    /// The final names of all results so far.
    pub fn names(&self) -> Vec<String> {
        let suffixes = self.suffixes.iter();
        suffixes.map(|suffix| self.paths.name(suffix)).collect()
    }

    /// Adds the summary, which is the last result, and returns the suffixes of all.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(mut self, summary: &str) -> anyhow::Result<Vec<String>> {
        self.write(SUMMARY, summary)?;
        Ok(self.suffixes)
    }
}

/// The growing results of one file. They are removed when this is dropped before they are published.
#[derive(Debug)]
pub struct PendingResults {
    /// Where they grow.
    pub paths: ResultPaths,
}

impl PendingResults {
    /// Gives the results with these `suffixes` their final names, the summary last, because it means that the others are
    /// complete.
    ///
    /// # Errors
    ///
    /// If a file cannot be completed or renamed.
    pub fn publish(self, suffixes: &[String]) -> anyhow::Result<()> {
        let summary = self.paths.whole(SUMMARY);
        if let Some(folder) = summary.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("{}: cannot create the folder", folder.display()))?;
        }
        // An old summary must not stand beside new results.
        if summary.exists() {
            fs::remove_file(&summary)
                .with_context(|| format!("{}: cannot replace the file", summary.display()))?;
        }
        for suffix in suffixes {
            let (growing, whole) = (self.paths.growing(suffix), self.paths.whole(suffix));
            atomic_file::rename(&growing, &whole)
                .with_context(|| format!("{}: cannot complete the file", whole.display()))?;
        }
        Ok(())
    }
}

impl Drop for PendingResults {
    fn drop(&mut self) {
        // What remains is removed with the hidden folder.
        let _ = fs::remove_dir_all(&self.paths.hidden);
    }
}

#[cfg(test)]
mod tests;
