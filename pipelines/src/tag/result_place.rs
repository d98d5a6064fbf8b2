//! Where the results of a run go: into a folder, or through a folder into an object store.

use super::existing_results::EarlierRun;
use super::inputs::InputFile;
use super::manifest::Manifest;
use super::results::{PendingResults, ResultFolder};
use super::settings::Settings;
use super::stored_results::StoredResults;

/// Where the results of a run go.
#[derive(Debug)]
pub(super) struct ResultPlace {
    /// The folder in which they grow and get their names.
    pub(super) folder: ResultFolder,
    /// The store that takes them from there.
    pub(super) stored: Option<StoredResults>,
}

impl ResultPlace {
    /// What the summary of an earlier run says of `input`, if there is one.
    ///
    /// # Errors
    ///
    /// If the store does not answer.
    pub(super) fn earlier(
        &self,
        input: &InputFile,
        settings: &Settings,
    ) -> anyhow::Result<Option<EarlierRun>> {
        match &self.stored {
            Some(stored) => stored.earlier(input, settings),
            None => Ok(EarlierRun::read(&self.folder.summary(input), settings)),
        }
    }

    /// The path or address of the summary of `input`, for messages.
    pub(super) fn shown_summary(&self, input: &InputFile) -> String {
        match &self.stored {
            Some(stored) => stored.summary(input).to_string(),
            None => self.folder.summary(input).display().to_string(),
        }
    }

    /// Gives the results of `input` with these `suffixes` their final names.
    ///
    /// # Errors
    ///
    /// If a file cannot be completed, or the store does not take it.
    pub(super) fn publish(
        &self,
        input: &InputFile,
        results: PendingResults,
        suffixes: &[String],
    ) -> anyhow::Result<()> {
        let Some(stored) = &self.stored else {
            return results.publish(suffixes);
        };
        let paths = &results.paths;
        let files = suffixes.iter();
        let files = files.map(|suffix| (paths.growing(suffix), paths.whole(suffix)));
        stored.publish(input, self.folder.path(), files)
    }

    /// Writes a manifest to where the results are.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the store does not take it.
    pub(super) fn write_manifest(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let Some(stored) = &self.stored else {
            return manifest.write(self.folder.path()).map(drop);
        };
        let hidden = self.folder.hidden();
        let written = manifest.write(hidden)?;
        stored.upload(&written, hidden, &written)
    }
}
