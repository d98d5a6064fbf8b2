//! Whether an earlier run has tagged a file.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

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

/// Reads the summary of an earlier run at `path`; `content` is the fingerprint of the file.
pub(super) fn existing_results(
    path: &Path,
    input: &InputFile,
    content: &str,
    settings: &Settings,
) -> ExistingResults {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(_) => return ExistingResults::Outdated,
    };
    let found: Value = serde_json::from_str(&text).unwrap_or_default();
    let Ok(source) = FileIdentity::deserialize(&found["input"]) else {
        return ExistingResults::Outdated;
    };
    let wanted = FileIdentity::new(input, content);
    // The path is not compared, because a whole archive may have moved.
    if (source.size, &source.content) != (wanted.size, &wanted.content) {
        let other = PathBuf::from(&source.path);
        return if source.path == wanted.path || !other.exists() {
            ExistingResults::Outdated
        } else {
            ExistingResults::OtherFile(other)
        };
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let outputs = found["outputs"].as_array().into_iter().flatten();
    let are_there = outputs
        .filter_map(Value::as_str)
        .all(|name| folder.join(name).is_file());
    let settings = serde_json::to_value(settings).unwrap_or_default();
    if found["settings"] == settings && found["version"] == VERSION && are_there {
        match found["incomplete"].as_str() {
            Some(reason) => ExistingResults::Partial(reason.to_owned()),
            None => ExistingResults::Complete,
        }
    } else {
        ExistingResults::Outdated
    }
}

#[cfg(test)]
mod tests;
