//! Where results grow whose folder is in an object store.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use twox_hash::XxHash64;

use super::address::S3Address;

/// A folder of this machine for results on their way into a store. Nothing stays in it.
#[derive(Debug)]
pub(crate) struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// The folder for results that go to `destination`, in the system's folder for temporary files, which `TMPDIR` names. It
    /// is the same in each run, so that a run removes what a killed one has left there.
    ///
    /// # Errors
    ///
    /// If it cannot be created, or belongs to somebody else.
    pub(crate) fn open(destination: &S3Address) -> anyhow::Result<Self> {
        let user = rustix::process::geteuid().as_raw();
        let hash = XxHash64::oneshot(0, destination.to_string().as_bytes());
        let path = std::env::temp_dir().join(format!("emotion-tag-{user}-{hash:016x}"));
        let created = DirBuilder::new().mode(0o700).create(&path);
        match created {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => {
                let shown = path.display();
                created.with_context(|| {
                    format!("{shown}: cannot create the folder; TMPDIR names another place")
                })?;
            }
        }
        let found = fs::symlink_metadata(&path)?;
        if !found.is_dir() || found.uid() != user {
            bail!(
                "{}: expected a folder of this user, found something else; remove it, or set TMPDIR to another place",
                path.display()
            );
        }
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        remove_empty(&self.0);
    }
}

/// Removes a folder and the folders in it, as far as there is no file in them.
fn remove_empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    // Where another process still works, its files are left.
    let _ = fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_is_removed_and_files_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        fs::create_dir_all(path("c/d")).unwrap();
        fs::write(path("c/file"), "").unwrap();
        remove_empty(folder.path());
        assert!(!path("a").exists() && !path("c/d").exists());
        assert!(path("c/file").exists());
    }
}
