//! Files that are either complete or absent.
//!
//! A file is written beside its place, synced, renamed, and its folder is synced: a reader, a kill or a power cut finds
//! the old or the new contents, never a part of them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Start of the names of unfinished files.
const PREFIX: &str = ".writing-";
/// Earlier versions called unfinished weights files so.
const OLD_PREFIX: &str = ".weights-";

/// Replaces the file at `path` with `contents`.
///
/// # Errors
///
/// When the folder cannot be written to or the disk is full; the old file is then untouched.
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(contents))
}

/// Replaces the file at `path` with what `write` writes. Other users may read it as far as the umask allows.
///
/// # Errors
///
/// As [`write()`], and those of `write`.
pub fn write_with(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let file = unfinished(path, |name| {
        File::options().write(true).create_new(true).open(name)
    })?;
    finish(path, file, write)
}

/// Replaces the file at `path` with `contents`, which only the user can read, where the system has users.
///
/// # Errors
///
/// As [`write()`].
pub fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    finish(path, unfinished(path, |name| options.open(name))?, |file| {
        file.write_all(contents)
    })
}

/// Moves a finished file to its place in the same file system, replacing what is there.
///
/// # Errors
///
/// When `from` cannot be read, or the folder of `to` cannot be written to.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    fs::rename(from, to)?;
    sync_folder(to)
}

/// Gives the file `original` the second name `path`, replacing what is there: as a hard link where the file system has
/// them, else as a copy.
///
/// # Errors
///
/// As [`write()`], and when `original` cannot be read.
pub fn link(path: &Path, original: &Path) -> io::Result<()> {
    let Ok(link) = unfinished(path, |name| fs::hard_link(original, name)) else {
        return write(path, &fs::read(original)?);
    };
    let name = link.path().to_owned();
    link.into_temp_path().persist(path)?;
    // POSIX renames nothing if both names belong to one file already.
    match fs::remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync_folder(path),
    }
}

/// Removes the unfinished files that killed programs have left in `folder`.
///
/// # Errors
///
/// When the folder cannot be read or a file cannot be removed.
pub fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if [PREFIX, OLD_PREFIX]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A file that `make` creates under a free name beside `path`; removed when dropped.
fn unfinished<T>(
    path: &Path,
    make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<NamedTempFile<T>> {
    Builder::new().prefix(PREFIX).make_in(folder(path), make)
}

/// Writes an unfinished file and moves it to its place.
fn finish(
    path: &Path,
    mut file: NamedTempFile,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(path)
}

/// Makes the new name of `path` survive a power cut.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(folder(path)).and_then(|folder| folder.sync_all()) {
        // Some network file systems cannot sync a folder.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// Other systems open no folders.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
