//! Whether an earlier run has tagged a file.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

use super::fingerprint;
use super::inputs::InputFile;
use super::settings::Settings;
use super::summary::{FileIdentity, VERSION};

/// The results of earlier runs for a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExistingResults {
    /// No results, or results of other settings or of another version of the file.
    Outdated,
    /// All results, of the same content and settings.
    Complete,
    /// All that can be had, with what is missing and why.
    Partial(String),
    /// Results of this other file under the same name.
    OtherFile(PathBuf),
}

/// What a summary says of the file and the results.
#[derive(Debug)]
pub(super) struct EarlierRun {
    identity: FileIdentity,
    /// Whether all results are there, of the same settings.
    is_current: bool,
    /// What is missing in the results, and why.
    incomplete: Option<String>,
}

impl EarlierRun {
    /// Reads the summary at `path`; `None` if there is none, or a damaged one.
    pub(super) fn read(path: &Path, settings: &Settings) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, settings, |name| is_there(folder, name))
    }

    /// Reads the text of a summary, beside which there are the files for which `is_there`; `None` if it is damaged.
    pub(super) fn parse(
        text: &str,
        settings: &Settings,
        is_there: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let found: Value = serde_json::from_str(text).ok()?;
        let outputs = found["outputs"].as_array().into_iter().flatten();
        let are_there = outputs.filter_map(Value::as_str).all(is_there);
        let settings = serde_json::to_value(settings).unwrap_or_default();
        Some(Self {
            identity: FileIdentity::deserialize(&found["input"]).ok()?,
            is_current: found["settings"] == settings && found["version"] == VERSION && are_there,
            incomplete: found["incomplete"].as_str().map(str::to_owned),
        })
    }

    /// What a web server said of the content of `input`, if these results need not be made again while it says the same.
    pub(super) fn validator(&self, input: &InputFile) -> Option<&str> {
        let is_same = self.is_current && self.identity.address == input.address();
        self.identity.validator.as_deref().filter(|_| is_same)
    }

    /// The results as they are for a file of the same content.
    pub(super) fn of_same_content(self) -> ExistingResults {
        match (self.is_current, self.incomplete) {
            (false, _) => ExistingResults::Outdated,
            (true, Some(reason)) => ExistingResults::Partial(reason),
            (true, None) => ExistingResults::Complete,
        }
    }

    /// The results as they are for `input` with the fingerprint `content`, in a folder of which files below `roots` were tagged
    /// before.
    pub(super) fn results_for(
        self,
        input: &InputFile,
        content: &str,
        roots: &[PathBuf],
    ) -> ExistingResults {
        let wanted = FileIdentity::new(input, content);
        // Where it lies is not compared, because a whole archive may have moved.
        if (self.identity.size, &self.identity.content) == (wanted.size, &wanted.content) {
            return self.of_same_content();
        }
        let mut others = roots.iter().map(|root| root.join(&input.name));
        match others.find(|other| *other != input.absolute && self.is_about(other)) {
            Some(other) => ExistingResults::OtherFile(other),
            None => ExistingResults::Outdated,
        }
    }

    /// Whether the file at `path` has the content from which the results were made.
    fn is_about(&self, path: &Path) -> bool {
        let size = fs::metadata(path).map(|found| found.len());
        size.is_ok_and(|size| size == self.identity.size)
            && fingerprint::of_file(path).is_ok_and(|content| content == self.identity.content)
    }
}

/// Whether a folder has a file that a summary names so. Where a name is no valid text, the summary has it with
/// replacement characters.
fn is_there(folder: &Path, name: &str) -> bool {
    let is_replaced = || {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        names.any(|found| found.to_string_lossy() == name)
    };
    folder.join(name).is_file() || name.contains(char::REPLACEMENT_CHARACTER) && is_replaced()
}

#[cfg(test)]
mod tests;
