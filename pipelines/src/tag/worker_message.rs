//! What a worker process and the process that started it send each other: a line of JSON for each message.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::event::FileProgress;
use super::inputs::InputFile;
use super::inputs::remote_url::RemoteUrl;
use super::os_path;
use super::results::ResultPaths;
use super::settings::Settings;

/// What a worker process is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToWorker {
    /// How each file is tagged; the first message.
    Setup { settings: Box<Settings> },
    /// A file to copy from a web server.
    Download(Box<DownloadJob>),
    /// A file to tag.
    Tag(Box<Job>),
}

/// A file to copy from a web server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DownloadJob {
    pub(super) url: RemoteUrl,
    /// The path of the copy.
    #[serde(with = "os_path")]
    pub(super) to: PathBuf,
    /// The file is not copied if the server says this of it.
    pub(super) known_validator: Option<String>,
}

/// A file to tag.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) input: InputFile,
    /// The [fingerprint](super::fingerprint) of the file.
    pub(super) content: String,
    /// Instruction set and precision of the network on this machine.
    pub(super) arithmetic: String,
    /// What changes with the content of a file on a web server.
    pub(super) validator: Option<String>,
    pub(super) results: ResultPaths,
    /// Why an earlier attempt failed; this one then uses no hardware decoders.
    pub(super) retried: Option<String>,
}

/// What a worker process answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromWorker {
    /// It is set up and waits for files.
    Ready,
    /// It cannot work with the settings.
    Refused { message: String },
    /// The tagging of the file goes on.
    Progress {
        progress: FileProgress,
        /// A number that grows whenever something was read, decoded or analysed.
        work: u64,
        /// Whether a hardware decoder takes part.
        has_hardware_decoder: bool,
    },
    /// An element warns about the file.
    Warning { message: String },
    /// The file was copied from a web server.
    Downloaded(Downloaded),
    /// The results of the file are complete in their hidden folder.
    Tagged {
        /// The suffix of each result, that of the summary last.
        suffixes: Vec<String>,
        frames: u64,
        persons: usize,
        /// Length of the video in seconds.
        duration: f64,
        /// What is missing in the results, and why.
        incomplete: Option<String>,
    },
    /// The file cannot be tagged.
    Failed {
        message: String,
        /// Whether another attempt may succeed.
        is_temporary: bool,
    },
}

/// A file that was copied from a web server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Downloaded {
    /// What the server says of it that changes with the content.
    pub(super) validator: Option<String>,
    /// Whether that is what was known, so that nothing was copied.
    pub(super) is_unchanged: bool,
}
