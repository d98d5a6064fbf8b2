//! Whether an archive is complete that several machines have tagged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Archive;
use crate::shard::Shard;
use crate::tag::inputs::InputFile;
use crate::tag::manifest::{EntryOutcome, Manifest, ManifestEntry};

/// A file to tag, as `emotion-tag list --json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// The folder or address that `path` starts from; none for standard input.
    pub root: Option<String>,
    /// The path below the root, which names the results.
    pub path: String,
    /// Bytes; none if it is not known.
    pub size: Option<u64>,
}

impl From<&InputFile> for PlannedFile {
    fn from(input: &InputFile) -> Self {
        Self {
            root: input.root().map(|root| root.to_string_lossy().into_owned()),
            path: input.source(),
            size: Some(input.size).filter(|size| *size > 0),
        }
    }
}

impl PlannedFile {
    /// Reads what `emotion-tag list --json` has printed.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or has something else in it.
    pub fn read_all(path: &Path) -> anyhow::Result<Vec<Self>> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{shown}: cannot be read"))?;
        let lines = text.lines().enumerate();
        lines
            .map(|(number, line)| {
                serde_json::from_str(line).with_context(|| {
                    format!(
                        "{shown}, line {}: expected the output of emotion-tag list --json",
                        number + 1
                    )
                })
            })
            .collect()
    }
}

/// What became of the files of an archive.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Completeness {
    /// Number of files with all their results.
    pub tagged: usize,
    /// The files that have failed, or have some of their results.
    pub failed: Vec<ManifestEntry>,
    /// The files without results of which nobody says that they have failed.
    pub missing: Vec<String>,
    /// The shards that have not ended.
    pub missing_shards: Vec<Shard>,
    /// Number of files by the instruction set and the precision with which they were tagged, if machines of several kinds have
    /// tagged them. Their results may differ a little.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mixed_arithmetic: BTreeMap<String, usize>,
}

impl Completeness {
    /// Compares the results in a folder with the manifests of its shards and with a plan, if there is one.
    ///
    /// # Errors
    ///
    /// If the shards are of different divisions of the archive or were tagged with different settings or versions.
    pub fn of(
        archive: &Archive,
        manifests: &[Manifest],
        plan: &[PlannedFile],
    ) -> anyhow::Result<Self> {
        check_division(manifests)?;
        check_settings(archive, manifests)?;
        let results: BTreeMap<&str, Option<&str>> = archive
            .files
            .iter()
            .map(|file| (file.file.as_str(), file.incomplete.as_deref()))
            .collect();
        let entries = manifests.iter().flat_map(|manifest| &manifest.files);
        let entries: BTreeMap<&str, &ManifestEntry> =
            entries.map(|entry| (entry.file.as_str(), entry)).collect();
        let planned = plan.iter().map(|file| file.path.as_str());
        let names: BTreeSet<&str> = planned
            .chain(entries.keys().copied())
            .chain(results.keys().copied())
            .collect();
        let mut found = Self {
            missing_shards: missing_shards(manifests),
            mixed_arithmetic: mixed_arithmetic(archive),
            ..Self::default()
        };
        for name in names {
            match (results.get(name), entries.get(name)) {
                (Some(None), _) => found.tagged += 1,
                (Some(Some(incomplete)), _) => found.failed.push(ManifestEntry {
                    file: name.to_owned(),
                    outcome: EntryOutcome::Partial,
                    message: Some((*incomplete).to_owned()),
                    retry: false,
                }),
                (None, Some(entry)) if entry.outcome == EntryOutcome::Failed => {
                    found.failed.push((*entry).clone());
                }
                (None, _) => found.missing.push(name.to_owned()),
            }
        }
        Ok(found)
    }

    /// Whether every file has all its results.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.missing.is_empty() && self.missing_shards.is_empty()
    }

    /// Whether nothing has failed for good, so that the same command again may complete the archive.
    pub fn can_be_completed(&self) -> bool {
        self.failed.iter().all(|entry| entry.retry)
    }

    /// The same in words, a line for each file that is not tagged.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for entry in &self.failed {
            let message = entry.message.as_deref().unwrap_or("failed");
            let retry = if entry.retry { " (try again)" } else { "" };
            let _ = writeln!(text, "{}: {message}{retry}", entry.file);
        }
        for file in &self.missing {
            let _ = writeln!(text, "{file}: not tagged yet");
        }
        for shard in &self.missing_shards {
            let _ = writeln!(text, "shard {shard} has not ended: start it again");
        }
        if !self.mixed_arithmetic.is_empty() {
            let counts = self.mixed_arithmetic.iter();
            let counts: Vec<_> = counts
                .map(|(arithmetic, files)| format!("{files} with {arithmetic}"))
                .collect();
            let _ = writeln!(
                text,
                "tagged on machines of several kinds, whose results may differ a little: {}; --precision f32 --decoders software keeps \
                 the differences smallest",
                counts.join(", ")
            );
        }
        let _ = write!(text, "{} tagged", self.tagged);
        for (count, what) in [
            (self.failed.len(), "failed"),
            (self.missing.len(), "missing"),
        ] {
            if count > 0 {
                let _ = write!(text, ", {count} {what}");
            }
        }
        text.push('\n');
        text
    }
}

/// All shards have to be of one division of the archive.
fn check_division(manifests: &[Manifest]) -> anyhow::Result<()> {
    let divisions: BTreeSet<u32> = manifests.iter().map(|found| found.shard.of()).collect();
    if divisions.len() > 1 {
        let divisions: Vec<_> = divisions.iter().map(u32::to_string).collect();
        bail!(
            "expected shards of one division, found some of {} parts: remove the files archive.shard-*.json of the others, or name another folder with --out",
            divisions.join(" and of ")
        );
    }
    Ok(())
}

/// All shards, and the results in the folder, have to be of the same settings and version.
fn check_settings(archive: &Archive, manifests: &[Manifest]) -> anyhow::Result<()> {
    let Some(first) = manifests.first() else {
        return Ok(());
    };
    for manifest in manifests {
        if let Some(difference) = difference(&first.settings, &manifest.settings) {
            bail!(
                "shard {} was tagged with other settings than shard {}: {difference}; tag it again with the same ones",
                manifest.shard,
                first.shard
            );
        }
    }
    for file in &archive.files {
        if let Some(difference) = difference(&first.settings, &file.settings) {
            bail!(
                "{}: its results are of other settings than the shards: {difference}; tag it again, or remove its results",
                file.file
            );
        }
    }
    Ok(())
}

/// Number of files by arithmetic; none if all have the same.
fn mixed_arithmetic(archive: &Archive) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for file in &archive.files {
        *counts.entry(file.arithmetic.clone()).or_default() += 1;
    }
    match counts.len() {
        0 | 1 => BTreeMap::new(),
        _ => counts,
    }
}

/// The first setting with another value, in words.
fn difference(expected: &Value, found: &Value) -> Option<String> {
    let (Value::Object(expected), Value::Object(found)) = (expected, found) else {
        return (expected != found).then(|| format!("expected {expected}, found {found}"));
    };
    let names = expected.keys().chain(found.keys());
    let mut differ = names.filter(|name| expected.get(*name) != found.get(*name));
    let name = differ.next()?;
    let value = |settings: &serde_json::Map<String, Value>| {
        settings
            .get(name)
            .map_or("nothing".into(), Value::to_string)
    };
    Some(format!(
        "{name} is {} instead of {}",
        value(found),
        value(expected)
    ))
}

/// The shards without a manifest; none if there is no manifest at all.
fn missing_shards(manifests: &[Manifest]) -> Vec<Shard> {
    let Some(first) = manifests.first() else {
        return Vec::new();
    };
    let found: BTreeSet<Shard> = manifests.iter().map(|manifest| manifest.shard).collect();
    first
        .shard
        .all()
        .filter(|shard| !found.contains(shard))
        .collect()
}
