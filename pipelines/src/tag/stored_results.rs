//! Results in an object store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::existing_results::EarlierRun;
use super::inputs::InputFile;
use super::result_names::{SUMMARY, with_suffix};
use super::s3::{S3Address, S3Store};
use super::settings::Settings;

/// The place of results in an object store. It is locked for nobody: the last run to finish a file wins.
#[derive(Debug)]
pub(super) struct StoredResults {
    store: Arc<S3Store>,
    root: S3Address,
}

impl StoredResults {
    pub(super) fn new(store: Arc<S3Store>, root: S3Address) -> Self {
        Self { store, root }
    }

    /// What the summary of `input` says, if there is one.
    ///
    /// # Errors
    ///
    /// If the store does not answer.
    pub(super) fn earlier(
        &self,
        input: &InputFile,
        settings: &Settings,
    ) -> anyhow::Result<Option<EarlierRun>> {
        let summary = self.summary(input);
        let Some(text) = self.store.read(&summary)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&text);
        // An output that cannot be asked for is made again.
        let is_there = |name: &str| {
            let found = self.store.find(&summary.folder().join(name));
            found.is_ok_and(|found| found.is_some())
        };
        Ok(EarlierRun::parse(&text, settings, is_there))
    }

    /// Writes the results of `input` to the store: each lies at the first path and belongs at the second one in the folder `out`. The
    /// last of them is the summary.
    ///
    /// # Errors
    ///
    /// If the store does not take them.
    pub(super) fn publish(
        &self,
        input: &InputFile,
        out: &Path,
        mut files: impl Iterator<Item = (PathBuf, PathBuf)>,
    ) -> anyhow::Result<()> {
        // An old summary must not stand beside new results.
        self.store.remove(&self.summary(input))?;
        files.try_for_each(|(from, to)| self.upload(&from, out, &to))
    }

    /// Writes the file `from` to the store, as that at the path `to` in the folder `out`.
    ///
    /// # Errors
    ///
    /// If the store does not take it.
    pub(super) fn upload(&self, from: &Path, out: &Path, to: &Path) -> anyhow::Result<()> {
        let below = to.strip_prefix(out).unwrap_or(to);
        let to = self.root.join(&below.to_string_lossy());
        self.store.upload(from, &to)
    }

    /// The address of the summary of `input`, which stands for all its results.
    pub(super) fn summary(&self, input: &InputFile) -> S3Address {
        let name = with_suffix(&input.name, SUMMARY);
        self.root.join(&name.to_string_lossy())
    }
}
