//! What is to be tagged: files, folders, patterns and lists of them, and the names of the results.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What is taken from a folder; a file that is named itself is taken whatever its extension.
const EXTENSIONS: [&str; 43] = [
    "3g2", "3gp", "asf", "avi", "avif", "bmp", "divx", "dv", "f4v", "flv", "gif", "h264", "heic",
    "heif", "jp2", "jpeg", "jpg", "jxl", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts",
    "mxf", "ogg", "ogm", "ogv", "pgm", "png", "pnm", "ppm", "rm", "tif", "tiff", "ts", "vob",
    "webm", "webp", "wmv", "y4m",
];

/// A file to tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is, as the user says it.
    pub path: PathBuf,
    /// Where it is, whatever the user says.
    pub absolute: PathBuf,
    /// What its results are called, within the folder for results and without an extension.
    pub name: PathBuf,
    /// Bytes.
    pub size: u64,
    /// When it was changed last, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct InputFiles {
    /// The files in the order in which they were named; those of a folder by name.
    pub inputs: Vec<InputFile>,
    /// What cannot be tagged, and why.
    pub unusable: Vec<RejectedInput>,
}

/// Something that was named and cannot be tagged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedInput {
    /// What was named.
    pub path: PathBuf,
    /// Why it cannot be tagged.
    pub reason: String,
}

/// Finds the files that `named` and `lists` stand for; results go to `out`, so nothing is taken from there.
///
/// A list has a file, a folder or a pattern a line, relative to the list; empty lines and those that begin with `#` do not
/// count. The list `-` is standard input, relative to the current folder.
pub fn scan(named: &[PathBuf], lists: &[PathBuf], out: &Path) -> InputFiles {
    let mut search = InputScan {
        out: fs::canonicalize(out).ok(),
        ..InputScan::default()
    };
    for path in named {
        search.add(path);
    }
    for list in lists {
        match read_list(list) {
            Ok(paths) => paths.iter().for_each(|path| search.add(path)),
            Err(error) => search.refuse(list, format!("the list cannot be read: {error}")),
        }
    }
    search.finish()
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
    seen: BTreeSet<PathBuf>,
    files: Vec<(InputFile, PathBuf)>,
    unusable: Vec<RejectedInput>,
}

/// What the results of a file are called, by the file and its path below what was named.
type Naming<'a> = dyn Fn(&InputFile, &Path) -> PathBuf + 'a;

impl InputScan {
    fn refuse(&mut self, path: &Path, reason: impl Into<String>) {
        self.unusable.push(RejectedInput {
            path: path.to_owned(),
            reason: reason.into(),
        });
    }

    fn add(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.add_folder(path, path),
            Ok(_) => self.add_file(path, path.file_name().unwrap_or_default().as_ref()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.add_pattern(path),
            Err(error) => self.refuse(path, error.to_string()),
        }
    }

    fn add_pattern(&mut self, pattern: &Path) {
        let text = pattern.to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            return self.refuse(pattern, "there is no such file or folder");
        }
        let options = glob::MatchOptions {
            require_literal_leading_dot: true,
            ..glob::MatchOptions::default()
        };
        let found = match glob::glob_with(&text, options) {
            Ok(found) => found,
            Err(error) => return self.refuse(pattern, error.to_string()),
        };
        let mut any = false;
        for found in found {
            any = true;
            match found {
                Ok(path) => self.add(&path),
                Err(error) => {
                    let reason = error.error().to_string();
                    self.refuse(error.path(), reason);
                }
            }
        }
        if !any {
            self.refuse(pattern, "no file matches this pattern");
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
                return self.refuse(folder, format!("the folder cannot be read: {error}"));
            }
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            // Folders behind links are left alone: they may lead round in a circle.
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
                if self.seen.insert(input.absolute.clone()) {
                    self.files.push((input, name.to_owned()));
                }
            }
            Err(error) => self.refuse(path, error.to_string()),
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
        // Shortest first; a name that two files would have is made longer for both.
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
        let mut inputs: Vec<InputFile> = Vec::with_capacity(names.len());
        let mut taken = BTreeSet::new();
        for ((input, _), name) in self.files.into_iter().zip(names) {
            if taken.insert(name.clone()) {
                inputs.push(InputFile { name, ..input });
            } else {
                self.unusable.push(RejectedInput {
                    reason: format!("another file's results are called {} too", name.display()),
                    path: input.path,
                });
            }
        }
        InputFiles {
            inputs,
            unusable: self.unusable,
        }
    }
}

fn input(path: &Path) -> io::Result<InputFile> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    // Whether it may be read is better said now than by a pipeline.
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

/// The deepest folder that all of `files` are below.
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
