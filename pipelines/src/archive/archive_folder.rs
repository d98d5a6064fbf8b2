//! The folder of an archive, which may be in an object store.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::tag::result_names::{MANIFEST_END, MANIFEST_START, SUMMARY, THUMBNAILS};
use crate::tag::s3::{S3Address, S3Store, S3Stores};

/// A folder of results: as the user named it, or a copy of what an archive is made of.
#[derive(Debug)]
pub struct ArchiveFolder {
    path: PathBuf,
    stored: Option<StoredFolder>,
}

#[derive(Debug)]
struct StoredFolder {
    store: Arc<S3Store>,
    address: S3Address,
    /// The copy is removed with it.
    _copy: tempfile::TempDir,
}

impl ArchiveFolder {
    /// The folder that the user named `named`: a path, or an address with `s3://`, of which summaries, pictures of faces and manifests
    /// are copied.
    ///
    /// # Errors
    ///
    /// If the store does not answer, or the copy cannot be written.
    pub fn open(named: &Path) -> anyhow::Result<Self> {
        let Some(address) = S3Address::new(&named.to_string_lossy()) else {
            return Ok(Self {
                path: named.to_owned(),
                stored: None,
            });
        };
        let store = S3Stores::default().store(&address)?;
        let copy = tempfile::tempdir().context("cannot create a temporary folder")?;
        for object in store.list(&address)? {
            let below = object.address.below(&address).unwrap_or_default();
            let is_below = |part| matches!(part, std::path::Component::Normal(_));
            if !is_part(below) || !Path::new(below).components().all(is_below) {
                continue;
            }
            // It may have been removed in the meantime.
            let Some(content) = store.read(&object.address)? else {
                continue;
            };
            let to = copy.path().join(below);
            let write = || {
                fs::create_dir_all(to.parent().unwrap_or(copy.path()))?;
                fs::write(&to, content)
            };
            write().with_context(|| format!("{}: cannot be written", to.display()))?;
        }
        Ok(Self {
            path: copy.path().to_owned(),
            stored: Some(StoredFolder {
                store,
                address,
                _copy: copy,
            }),
        })
    }

    /// Where it can be read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the files at these paths in it where the user named it, and returns where they are.
    ///
    /// # Errors
    ///
    /// If the store does not take them.
    pub fn publish(&self, written: &[PathBuf]) -> anyhow::Result<Vec<String>> {
        let place = |path: &PathBuf| {
            let Some(stored) = &self.stored else {
                return Ok(path.display().to_string());
            };
            let below = path.strip_prefix(&self.path).unwrap_or(path);
            let to = stored.address.join(&below.to_string_lossy());
            stored.store.upload(path, &to)?;
            Ok(to.to_string())
        };
        written.iter().map(place).collect()
    }
}

/// Whether an archive is made of the file with this path.
fn is_part(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_result = [SUMMARY, THUMBNAILS]
        .iter()
        .any(|suffix| name.ends_with(&format!(".{suffix}")));
    let is_manifest = name.starts_with(MANIFEST_START) && name.ends_with(MANIFEST_END);
    is_result || is_manifest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_made_of_summaries_pictures_and_manifests() {
        for (path, is_it) in [
            ("a/clip.mp4.summary.json", true),
            ("clip.mp4.thumbnails.json", true),
            ("archive.shard-1-of-4.json", true),
            ("clip.mp4.jsonl", false),
            ("archive.html", false),
            ("summary.json", false),
        ] {
            assert_eq!(is_part(path), is_it, "{path}");
        }
    }

    #[test]
    fn a_local_folder_is_itself() {
        let folder = ArchiveFolder::open(Path::new("tags")).unwrap();
        assert_eq!(folder.path(), Path::new("tags"));
        let written = ["tags/archive.csv".into()];
        assert_eq!(folder.publish(&written).unwrap(), ["tags/archive.csv"]);
    }
}
