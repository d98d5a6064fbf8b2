//! The list of the files of one shard and their outcomes, from which the shards of an archive are put together.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use emotion_models::atomic_file;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::FileOutcome;
use super::result_names::{MANIFEST_END, MANIFEST_START};
use super::settings::Settings;
use crate::shard::Shard;

/// The version of the format.
const VERSION: u32 = 1;

/// The files of a shard after a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// The part of the archive.
    pub shard: Shard,
    /// The settings of the run, with the version of the program.
    pub settings: Value,
    /// The files of the shard, by name.
    pub files: Vec<ManifestEntry>,
}

/// A file of a shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Its path below the root; of a path that cannot be tagged as the user named it.
    pub file: String,
    /// How it ended.
    pub outcome: EntryOutcome,
    /// Why it failed, or what is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether another attempt may succeed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retry: bool,
}

/// How a file of a shard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryOutcome {
    /// All its results are there.
    Tagged,
    /// Some of its results are there.
    Partial,
    /// It has no results.
    Failed,
    /// The run was stopped before.
    NotReached,
}

impl ManifestEntry {
    /// The entry of a file; `None` if the run has not reached it.
    pub(super) fn new(file: String, outcome: Option<&FileOutcome>) -> Self {
        let (outcome, message, retry) = match outcome {
            Some(FileOutcome::Tagged(_) | FileOutcome::AlreadyTagged) => {
                (EntryOutcome::Tagged, None, false)
            }
            Some(FileOutcome::Partial(reason)) => (EntryOutcome::Partial, Some(reason), false),
            Some(FileOutcome::Failed(failure)) => (
                EntryOutcome::Failed,
                Some(&failure.reason),
                failure.is_temporary,
            ),
            Some(FileOutcome::Stopped) | None => (EntryOutcome::NotReached, None, true),
        };
        Self {
            file,
            outcome,
            message: message.cloned(),
            retry,
        }
    }
}

impl Manifest {
    /// # Errors
    ///
    /// If the settings cannot be represented in JSON, which does not happen.
    pub(super) fn new(
        shard: Shard,
        settings: &Settings,
        mut files: Vec<ManifestEntry>,
    ) -> serde_json::Result<Self> {
        files.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(Self {
            version: VERSION,
            shard,
            settings: serde_json::to_value(settings)?,
            files,
        })
    }

    /// Its path in the folder of the results.
    fn path(folder: &Path, shard: Shard) -> PathBuf {
        let name = shard.file_name();
        folder.join(format!("{MANIFEST_START}{name}{MANIFEST_END}"))
    }

    /// Writes it into the folder of the results, and returns its path.
    ///
    /// # Errors
    ///
    /// If that fails.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = Self::path(folder, self.shard);
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        atomic_file::write(&path, text.as_bytes())
            .with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(path)
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)?;
        let value: Value = serde_json::from_str(&text).context("expected JSON")?;
        if value["version"] != VERSION {
            bail!(
                "expected a manifest of version {VERSION}, found {}: tag the shard again with this version of emotion-tag",
                value["version"]
            );
        }
        serde_json::from_value(value).context("expected a manifest of emotion-tag")
    }

    /// All manifests in the folder of the results, by shard.
    ///
    /// # Errors
    ///
    /// If the folder or one of them cannot be read.
    pub fn read_all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.with_context(|| format!("{}: cannot be read", folder.display()))?;
        let is_manifest = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(MANIFEST_START) && name.ends_with(MANIFEST_END)
        };
        let paths = entries.iter().map(fs::DirEntry::path).filter(is_manifest);
        let mut manifests: Vec<Self> = paths
            .map(|path| {
                Self::read(&path).with_context(|| format!("{}: cannot be read", path.display()))
            })
            .collect::<anyhow::Result<_>>()?;
        manifests.sort_by_key(|manifest| manifest.shard);
        Ok(manifests)
    }
}
