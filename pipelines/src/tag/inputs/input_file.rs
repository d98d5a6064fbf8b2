//! A file to tag, and the names of its results.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::tag::os_path;

/// A file to tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Its path as the user gave it.
    #[serde(with = "os_path")]
    pub path: PathBuf,
    /// Its absolute path. No folder in it is a symbolic link; the file itself may be one.
    #[serde(with = "os_path")]
    pub absolute: PathBuf,
    /// The name of its results: its path below the root, with its extension.
    #[serde(with = "os_path")]
    pub name: PathBuf,
    /// The name of its captions without `.vtt`: `name` without the extension, unless another file has that as well.
    #[serde(with = "os_path")]
    pub captions: PathBuf,
    /// Size in bytes.
    pub size: u64,
}

impl InputFile {
    /// Its path as it is shown to the user.
    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Its path below the root as text, which is the `source` of its records.
    pub fn source(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }
}
