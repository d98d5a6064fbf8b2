//! The names of results: the name of the file with a suffix.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The suffix of the summary, whose presence means that the results of a file are complete.
pub const SUMMARY: &str = "summary.json";
/// The suffix of the annotated video or picture, before its extension.
pub(super) const ANNOTATED: &str = "annotated";
/// The suffix of the pictures of faces.
pub const THUMBNAILS: &str = "thumbnails.json";
/// The suffix of the file for ELAN.
pub(super) const ELAN: &str = "eaf";
/// The suffix of the page.
pub(super) const REPORT: &str = "html";
/// The files about the archive as a whole: table of faces, table of groups, page.
pub const ARCHIVE_FILES: [&str; 4] = [
    "archive.parquet",
    "archive.csv",
    "archive.groups.csv",
    "archive.html",
];
/// Start and end of the names of the manifests of shards, such as `archive.shard-3-of-10.json`.
pub(crate) const MANIFEST_START: &str = "archive.shard-";
pub(crate) const MANIFEST_END: &str = ".json";
/// The suffix of the captions.
pub(super) const CAPTIONS: &str = "vtt";

/// Appends the suffix; a name may contain dots of its own.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(path);
    path.push(".");
    path.push(suffix);
    path.into()
}
