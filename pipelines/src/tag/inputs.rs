//! Finds the files to tag (named files, folders, patterns and lists of them) and names their results.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Extensions of the files that are taken from a folder. A file that is named itself is taken with any extension.
const EXTENSIONS: [&str; 43] = [
    "3g2", "3gp", "asf", "avi", "avif", "bmp", "divx", "dv", "f4v", "flv", "gif", "h264", "heic",
    "heif", "jp2", "jpeg", "jpg", "jxl", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts",
    "mxf", "ogg", "ogm", "ogv", "pgm", "png", "pnm", "ppm", "rm", "tif", "tiff", "ts", "vob",
    "webm", "webp", "wmv", "y4m",
];

/// A file to tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Its path as the user gave it.
    pub path: PathBuf,
    /// Its absolute path without symbolic links.
    pub absolute: PathBuf,
    /// The name of its results: a path within the folder for results, without an extension.
    pub name: PathBuf,
    /// Size in bytes.
    pub size: u64,
    /// The time of its last change in nanoseconds since 1970.
    pub modified_ns: i64,
}

impl InputFile {
    /// Its path as it is shown to the user.
    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Its name without folders.
    pub fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

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

/// Finds the files of `named` and `lists`, without those in `out`, which is the folder for results.
///
/// A list has one file, folder or pattern per line, relative to the list. Empty lines and lines that begin with `#` are
/// ignored. The list `-` is standard input, relative to the current folder.
pub fn scan(named: &[PathBuf], lists: &[PathBuf], out: &Path) -> InputFiles {
    let mut scan = InputScan {
        out: fs::canonicalize(out).ok(),
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
    scan.finish()
}

fn read_list(list: &Path) -> io::Result<Vec<PathBuf>> {
    let (text, folder) = if list == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        (text, Path::new(""))
    } else {
        (
            fs::read_to_string(list)?,
            list.parent().unwrap_or(Path::new("")),
        )
    };
    let lines = text.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(|line| folder.join(line)).collect())
}

#[derive(Default)]
struct InputScan {
    out: Option<PathBuf>,
    /// Absolute paths of the files so far.
    known: BTreeSet<PathBuf>,
    /// Each file with its path relative to what was named.
    files: Vec<(InputFile, PathBuf)>,
    rejected: Vec<RejectedInput>,
}

/// Names the results of a file by the file and its path relative to what was named.
type Naming<'a> = dyn Fn(&InputFile, &Path) -> PathBuf + 'a;

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
            Ok(_) => self.add_file(path, path.file_name().unwrap_or_default().as_ref()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.add_pattern(path),
            Err(error) => self.reject(path, error.to_string()),
        }
    }

    fn add_pattern(&mut self, pattern: &Path) {
        let text = pattern.to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            return self.reject(pattern, "there is no such file or folder");
        }
        let options = glob::MatchOptions {
            require_literal_leading_dot: true,
            ..glob::MatchOptions::default()
        };
        let found = match glob::glob_with(&text, options) {
            Ok(found) => found,
            Err(error) => return self.reject(pattern, error.to_string()),
        };
        let mut any = false;
        for found in found {
            any = true;
            match found {
                Ok(path) => self.add(&path),
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
        if let (Ok(found), Some(out)) = (fs::canonicalize(folder), &self.out)
            && found == *out
        {
            return;
        }
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
            } else if is_media(&path) {
                let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
                self.add_file(&path, &name);
            }
        }
    }

    fn add_file(&mut self, path: &Path, name: &Path) {
        match input(path) {
            Ok(input) => {
                if self.known.insert(input.absolute.clone()) {
                    self.files.push((input, name.to_owned()));
                }
            }
            Err(error) => self.reject(path, error.to_string()),
        }
    }

    /// Names the results.
    fn finish(mut self) -> InputFiles {
        let absolute: Vec<_> = self
            .files
            .iter()
            .map(|(input, _)| &*input.absolute)
            .collect();
        let ancestor = common_folder(&absolute);
        // Shortest first. A name that two files would have is made longer for both.
        let namings: [&Naming<'_>; 3] = [
            &|_, name| name.with_extension(""),
            &|_, name| name.to_owned(),
            &|input, _| {
                let below = input.absolute.strip_prefix(&ancestor);
                below.unwrap_or(&input.absolute).to_owned()
            },
        ];
        let mut names: Vec<_> = self.files.iter().map(|(i, n)| namings[0](i, n)).collect();
        for naming in &namings[1..] {
            let mut count = BTreeMap::new();
            for name in &names {
                *count.entry(name.clone()).or_insert(0) += 1;
            }
            for ((input, name), chosen) in self.files.iter().zip(&mut names) {
                if count[chosen] > 1 {
                    *chosen = naming(input, name);
                }
            }
        }
        let mut files: Vec<InputFile> = Vec::with_capacity(names.len());
        let mut taken = BTreeSet::new();
        for ((input, _), name) in self.files.into_iter().zip(names) {
            if taken.insert(name.clone()) {
                files.push(InputFile { name, ..input });
            } else {
                self.rejected.push(RejectedInput {
                    reason: format!(
                        "the results of another file are named {} as well",
                        name.display()
                    ),
                    path: input.path,
                });
            }
        }
        InputFiles {
            files,
            rejected: self.rejected,
        }
    }
}

fn input(path: &Path) -> io::Result<InputFile> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("expected a file, found something else"));
    }
    // An unreadable file is reported now rather than by a pipeline later.
    fs::File::open(path)?;
    let modified = found.modified()?;
    let modified_ns = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    };
    Ok(InputFile {
        absolute: fs::canonicalize(path)?,
        path: path.to_owned(),
        name: PathBuf::new(),
        size: found.len(),
        modified_ns,
    })
}

fn is_media(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    EXTENSIONS.contains(&&*extension.to_ascii_lowercase())
}

/// The deepest folder that contains all of `files`.
fn common_folder(files: &[&Path]) -> PathBuf {
    let mut folders = files.iter().filter_map(|file| file.parent());
    let first = folders.next().unwrap_or(Path::new(""));
    folders.fold(first.to_owned(), |common, folder| {
        let same = common.components().zip(folder.components());
        let same = same.take_while(|(a, b)| a == b);
        same.map(|(component, _)| component).collect()
    })
}

#[cfg(test)]
mod tests;
