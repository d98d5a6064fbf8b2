//! Finds the files to tag: named files, folders, patterns and lists of them.

mod input_file;
mod naming;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

pub use self::input_file::InputFile;
use self::naming::{Naming, is_own_result};
use super::usage::UsageError;

/// The result of a [`scan`].
#[derive(Debug, Default)]
pub struct InputFiles {
    /// The files in the order in which they were named; those of a folder by name.
    pub files: Vec<InputFile>,
    /// The paths that cannot be tagged.
    pub rejected: Vec<RejectedInput>,
}

/// A path that cannot be tagged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedInput {
    /// The path.
    pub path: PathBuf,
    /// Why it cannot be tagged.
    pub reason: String,
}

/// Finds the files of `named` and `lists`. Results of earlier runs are not taken from folders and patterns.
///
/// A list has one file, folder or pattern per line, relative to the list. Empty lines and lines that begin with `#` are
/// ignored. The list `-` is standard input, relative to the current folder. If a list contains a NUL byte, each path ends
/// with one instead, and no line is ignored.
///
/// The results of a file are named by its path below `root`. Without `root` that is the named folder, the folder of a
/// pattern before its first `*`, `?` or `[`, or the folder of a single file.
///
/// # Errors
///
/// If `root` is no folder.
pub fn scan(
    named: &[PathBuf],
    lists: &[PathBuf],
    root: Option<&Path>,
) -> Result<InputFiles, UsageError> {
    let root = root.map(|root| match fs::canonicalize(root) {
        Ok(found) if found.is_dir() => Ok(found),
        Ok(_) => Err(UsageError(format!(
            "--root {}: expected a folder",
            root.display()
        ))),
        Err(error) => Err(UsageError(format!("--root {}: {error}", root.display()))),
    });
    let mut scan = InputScan {
        naming: Naming::new(root.transpose()?),
        ..InputScan::default()
    };
    for path in named {
        scan.add(path);
    }
    for list in lists {
        match read_list(list) {
            Ok(paths) => paths.iter().for_each(|path| scan.add(path)),
            Err(error) => scan.reject(list, format!("the list cannot be read: {error}")),
        }
    }
    let mut files = scan.files;
    naming::name_captions(&mut files);
    Ok(InputFiles {
        files,
        rejected: scan.rejected,
    })
}

fn read_list(list: &Path) -> io::Result<Vec<PathBuf>> {
    let mut text = Vec::new();
    let folder = if list == Path::new("-") {
        io::stdin().read_to_end(&mut text)?;
        Path::new("")
    } else {
        text = fs::read(list)?;
        list.parent().unwrap_or(Path::new(""))
    };
    let path = |name: &[u8]| folder.join(OsStr::from_bytes(name));
    if text.contains(&0) {
        let names = text.split(|byte| *byte == 0);
        return Ok(names.filter(|name| !name.is_empty()).map(path).collect());
    }
    let lines = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    Ok(lines.map(path).collect())
}

#[derive(Default)]
struct InputScan {
    naming: Naming,
    /// Absolute paths of the files so far.
    known: BTreeSet<PathBuf>,
    files: Vec<InputFile>,
    rejected: Vec<RejectedInput>,
}

impl InputScan {
    fn reject(&mut self, path: &Path, reason: impl Into<String>) {
        self.rejected.push(RejectedInput {
            path: path.to_owned(),
            reason: reason.into(),
        });
    }

    fn add(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.add_folder(path, path),
            Ok(_) => self.add_file(path, path.parent().unwrap_or(Path::new(""))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.add_pattern(path),
            Err(error) => self.reject(path, error.to_string()),
        }
    }

    fn add_pattern(&mut self, pattern: &Path) {
        if !is_pattern(pattern.as_os_str()) {
            return self.reject(pattern, "there is no such file or folder");
        }
        let Some(text) = pattern.to_str() else {
            return self.reject(pattern, "a pattern has to be valid UTF-8");
        };
        let options = glob::MatchOptions {
            require_literal_leading_dot: true,
            ..glob::MatchOptions::default()
        };
        let found = match glob::glob_with(text, options) {
            Ok(found) => found,
            Err(error) => return self.reject(pattern, error.to_string()),
        };
        let components = pattern.components();
        let root: PathBuf = components
            .take_while(|part| !matches!(part, Component::Normal(name) if is_pattern(name)))
            .collect();
        let mut any = false;
        for found in found {
            any = true;
            match found {
                Ok(path) if path.is_dir() => self.add_folder(&root, &path),
                Ok(path) if is_own_result(&path) => {}
                Ok(path) => self.add_file(&path, &root),
                Err(error) => {
                    let reason = error.error().to_string();
                    self.reject(error.path(), reason);
                }
            }
        }
        if !any {
            self.reject(pattern, "no file matches this pattern");
        }
    }

    fn add_folder(&mut self, root: &Path, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                return self.reject(folder, format!("the folder cannot be read: {error}"));
            }
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            // Symbolic links to folders are not followed, because they may form a loop.
            if is_hidden || kind.is_symlink() && path.is_dir() {
                continue;
            }
            if kind.is_dir() {
                self.add_folder(root, &path);
            } else if naming::is_media(&path) && !is_own_result(&path) {
                self.add_file(&path, root);
            }
        }
    }

    /// Adds a file that was found below `root`.
    fn add_file(&mut self, path: &Path, root: &Path) {
        let input = match input(path) {
            Ok(input) => input,
            Err(error) => return self.reject(path, error.to_string()),
        };
        if !self.known.insert(input.absolute.clone()) {
            return;
        }
        match self.naming.name(&input, root) {
            Ok(name) => self.files.push(InputFile { name, ..input }),
            Err(reason) => self.reject(path, reason),
        }
    }
}

fn is_pattern(text: &OsStr) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().any(|byte| b"*?[".contains(byte))
}

/// The file, without names for its results.
fn input(path: &Path) -> io::Result<InputFile> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("expected a file, found something else"));
    }
    // An unreadable file is reported now rather than by a pipeline later.
    fs::File::open(path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut absolute = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
    absolute.push(path.file_name().unwrap_or_default());
    Ok(InputFile {
        absolute,
        path: path.to_owned(),
        name: PathBuf::new(),
        captions: PathBuf::new(),
        size: found.len(),
    })
}

#[cfg(test)]
mod tests;
