//! A file to tag, and the names of its results.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::remote_url::RemoteUrl;
use crate::tag::os_path;
use crate::tag::s3::S3Object;

/// A file to tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Its path as the user gave it; an address without login and query.
    #[serde(with = "os_path")]
    pub path: PathBuf,
    /// Its absolute path. No folder in it is a symbolic link; the file itself may be one. Of a file from elsewhere it is
    /// that of the local copy, or `path` before there is one.
    #[serde(with = "os_path")]
    pub absolute: PathBuf,
    /// The name of its results: its path below the root, with its extension.
    #[serde(with = "os_path")]
    pub name: PathBuf,
    /// The name of its captions without `.vtt`: `name` without the extension, unless another file has that as well.
    #[serde(with = "os_path")]
    pub captions: PathBuf,
    /// Size in bytes; 0 if it is not known yet.
    pub size: u64,
    /// Where it comes from.
    pub origin: InputOrigin,
}

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputOrigin {
    /// It is a file of this machine.
    Local,
    /// It is a file on a web server, which is copied first.
    Remote(RemoteUrl),
    /// It is an object in a store, which is copied first.
    Object(S3Object),
    /// Standard input, which is copied first.
    StandardInput,
}

impl InputFile {
    /// Its path as it is shown to the user.
    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The folder or address that its name starts from; `None` for standard input.
    pub fn root(&self) -> Option<&Path> {
        if self.origin == InputOrigin::StandardInput {
            return None;
        }
        let below = self.name.components().count();
        self.absolute.ancestors().nth(below)
    }

    /// Its path below the root as text, which is the `source` of its records.
    pub fn source(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    /// Whether it is a file of this machine, which need not be copied.
    pub fn is_local(&self) -> bool {
        self.origin == InputOrigin::Local
    }

    /// Where it comes from, if it comes from elsewhere.
    pub fn address(&self) -> Option<String> {
        match self.origin {
            InputOrigin::Remote(_) | InputOrigin::Object(_) => Some(self.shown()),
            InputOrigin::Local | InputOrigin::StandardInput => None,
        }
    }

    /// `text` without the secrets of addresses.
    pub fn without_secrets(&self, text: &str) -> String {
        match &self.origin {
            InputOrigin::Remote(url) => url.hidden_in(text),
            InputOrigin::Local | InputOrigin::Object(_) | InputOrigin::StandardInput => {
                text.to_owned()
            }
        }
    }
}
