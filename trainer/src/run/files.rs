//! Files that are either whole or not there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::{Builder, NamedTempFile};

/// What temporary files of this crate and of `emotion_models` are called.
const TEMPORARY: [&str; 2] = [".writing-", ".weights-"];

/// Replaces the file at `path` in one step: who reads it, or kills the program, finds the old or
/// the new contents and never a part.
///
/// # Errors
///
/// When the folder cannot be written to or the disk is full; the old file is then untouched.
pub fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    replace_by(path, |file| file.write_all(contents))
}

/// Makes `path` another name of the contents of `of`, in one step: a hard link where the file
/// system has them, else a copy.
///
/// # Errors
///
/// As [`replace`], and when `of` cannot be read.
pub fn replace_by_link(path: &Path, of: &Path) -> Result<()> {
    let link = || {
        let link = temporary(folder(path), |name| fs::hard_link(of, name))?;
        let name = link.path().to_owned();
        link.into_temp_path().persist(path)?;
        // POSIX renames nothing where both names are of one file already.
        match fs::remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    };
    link().or_else(|_| {
        let contents = fs::read(of).with_context(|| format!("cannot read {}", of.display()))?;
        replace(path, &contents)
    })
}

/// Removes what killed programs have left in `folder` while they wrote.
///
/// # Errors
///
/// When the folder cannot be read or a file cannot be removed.
pub fn remove_leftovers(folder: &Path) -> Result<()> {
    let remove = || {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_temporary = |prefix| name.to_string_lossy().starts_with(prefix);
            if TEMPORARY.into_iter().any(is_temporary) {
                fs::remove_file(entry.path())?;
            }
        }
        io::Result::Ok(())
    };
    remove().with_context(|| format!("cannot tidy {}", folder.display()))
}

fn replace_by(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let replace = || {
        let mut file = temporary(folder(path), create)?;
        write(file.as_file_mut())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        io::Result::Ok(())
    };
    replace().with_context(|| format!("cannot write {}", path.display()))
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// What `make` makes under a name that is free in `folder`; removed when dropped.
fn temporary<T>(
    folder: &Path,
    make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<NamedTempFile<T>> {
    Builder::new().prefix(TEMPORARY[0]).make_in(folder, make)
}

/// A new file that others may read, as the user's umask allows; temporary ones usually are private.
fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
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
    fn a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"old").unwrap();
        let error = replace_by(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        let message = format!("{:#}", error.unwrap_err());
        assert!(message.starts_with("cannot write ") && message.ends_with("no storage space"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_linked_name_keeps_its_contents_when_the_other_name_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (named, best) = (folder.path().join("named"), folder.path().join("best"));
        replace(&best, b"before").unwrap();
        replace(&named, b"first").unwrap();
        replace_by_link(&best, &named).unwrap();
        replace_by_link(&best, &named).unwrap();
        assert_eq!(fs::read(&best).unwrap(), b"first");
        replace(&best, b"second").unwrap();
        assert_eq!(fs::read(&named).unwrap(), b"first");
        assert_eq!(folder.path().read_dir().unwrap().count(), 2);
    }

    #[test]
    fn leftovers_of_killed_programs_go_and_all_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            ".writing-a1b2c3",
            ".weights-a1b2c3",
            "best.safetensors",
            ".keep",
        ] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        remove_leftovers(folder.path()).unwrap();
        let entries = folder.path().read_dir().unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".keep", "best.safetensors"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_the_path() {
        let error = replace(Path::new("nowhere/file"), b"").unwrap_err();
        assert_eq!(error.to_string(), "cannot write nowhere/file");
    }
}
