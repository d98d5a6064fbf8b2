//! What a run does.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::limits::Limits;
use super::s3::S3Address;
use super::settings::Settings;
use crate::shard::Shard;

/// Where results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To a folder.
    Folder(PathBuf),
    /// To an object store.
    Store(S3Address),
}

impl From<PathBuf> for Destination {
    fn from(path: PathBuf) -> Self {
        match S3Address::new(&path.to_string_lossy()) {
            Some(address) => Self::Store(address),
            None => Self::Folder(path),
        }
    }
}

/// What to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// How each file is tagged.
    pub settings: Settings,
    /// The folder for the results.
    pub out: Destination,
    /// The part of the archive that is tagged, if others are tagged elsewhere.
    pub shard: Option<Shard>,
    /// The name of the work folder in `out`, if other processes write results of other files there; a shard has its own.
    pub work: Option<String>,
    /// Number of files that are tagged in parallel.
    pub jobs: NonZeroUsize,
    /// Whether to skip files that have results.
    pub resume: bool,
    /// What a file may take.
    pub limits: Limits,
    /// The program of the worker processes: one that calls [`worker::run`](super::worker::run) if [`worker::is_worker`](super::worker::is_worker).
    pub worker: PathBuf,
}
