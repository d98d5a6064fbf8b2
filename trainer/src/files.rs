//! Files that are either whole or not there.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::{Builder, NamedTempFile};

/// Replaces the file at `path` in one step: who reads it, or kills the program, finds the old or
/// the new contents and never a part.
///
/// # Errors
///
/// When the folder cannot be written to or the disk is full; the old file is then untouched.
pub fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    let write = || {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut file = temporary(folder.unwrap_or(Path::new(".")))?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        io::Result::Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A file that others may read, as the user's umask allows; temporary ones usually are private.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_contents_replace_the_old_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_the_path() {
        let error = replace(Path::new("nowhere/file"), b"").unwrap_err();
        assert_eq!(error.to_string(), "cannot write nowhere/file");
    }
}
