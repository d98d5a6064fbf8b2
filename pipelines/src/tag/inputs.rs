//! Finds the files to tag: named files, folders, patterns, addresses, standard input, and lists of them.

mod input_file;
mod naming;
mod pattern;
pub mod remote_url;
mod stored_objects;
mod uri;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use tracing::info_span;

pub use self::input_file::{InputFile, InputOrigin};
use self::naming::{Naming, Root, is_own_result};
use self::remote_url::RemoteUrl;
use self::uri::{local_path, scheme};
use super::s3::{S3Address, S3Stores};
use super::temporary::is_temporary;
use super::usage::UsageError;
use crate::shard::Shard;

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// What the user named.
#[derive(Debug, Clone, Copy, Default)]
pub struct InputArguments<'a> {
    /// Files, folders, patterns, addresses with `http://`, `https://`, `s3://` or `file://`, and `-` for standard input. An address
    /// with `s3://` is an object, or all objects below it.
    pub paths: &'a [PathBuf],
    /// Lists of these; `-` for standard input.
    pub lists: &'a [PathBuf],
    /// The folder or address below which results are named.
    pub root: Option<&'a Path>,
    /// The name of the results of standard input.
    pub name: Option<&'a Path>,
}

/// The result of a [`scan`].
#[derive(Debug, Default)]
pub struct InputFiles {
    /// The files in the order in which they were named; those of a folder by name.
    pub files: Vec<InputFile>,
    /// The paths that cannot be tagged.
    pub rejected: Vec<RejectedInput>,
    /// Number of files in folders that were left out because their extension is none of a video or picture, by extension.
    pub ignored: BTreeMap<String, usize>,
}

impl InputFiles {
    /// Keeps the files of a part of the archive, and the paths that cannot be tagged and would be in it.
    pub fn keep_shard(&mut self, shard: Shard) {
        self.files.retain(|file| shard.contains(&file.name));
        self.rejected
            .retain(|rejected| shard.contains(&rejected.path));
    }
}

/// A path that cannot be tagged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedInput {
    /// The path.
    pub path: PathBuf,
    /// Why it cannot be tagged.
    pub reason: String,
    /// Whether another attempt may succeed: a store does not answer.
    pub is_temporary: bool,
}

/// Finds the files of `named`. Results of earlier runs are not taken from folders and patterns.
///
/// A list has one file, folder, pattern or address per line, relative to the list. Empty lines and lines that begin with
/// `#` are ignored. The list `-` is standard input, relative to the current folder. If a list contains a NUL byte, each path
/// ends with one instead, and no line is ignored.
///
/// The results of a file are named by its path below `root`. Without `root` that is the named folder, the folder of a
/// pattern before its first `*`, `?` or `[`, or the folder of a single file; those of an address by its last part.
///
/// # Errors
///
/// If `root` is no folder or address, or `name` and standard input do not go together.
pub fn scan(named: InputArguments<'_>) -> Result<InputFiles, UsageError> {
    let _span = info_span!("list").entered();
    let root = named.root.map(Root::new).transpose().map_err(UsageError)?;
    let is_standard_input = |path: &PathBuf| path == Path::new(STANDARD_INPUT);
    let has_standard_input = named.paths.iter().any(is_standard_input);
    if has_standard_input && named.lists.iter().any(is_standard_input) {
        return Err(UsageError(
            "standard input is either a file or a list: expected one - alone".into(),
        ));
    }
    if has_standard_input != named.name.is_some() {
        return Err(UsageError(
            "--name NAME and - for standard input belong together: expected both, such as - --name talks/1.mp4".into(),
        ));
    }
    let mut scan = InputScan {
        naming: Naming::new(root),
        ..InputScan::default()
    };
    for path in named.paths {
        match named.name {
            Some(name) if is_standard_input(path) => scan.add_standard_input(name)?,
            _ => scan.add(path),
        }
    }
    for list in named.lists {
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
        ignored: scan.ignored,
    })
}

fn read_list(list: &Path) -> io::Result<Vec<PathBuf>> {
    let mut text = Vec::new();
    let folder = if list == Path::new(STANDARD_INPUT) {
        io::stdin().read_to_end(&mut text)?;
        Path::new("")
    } else {
        text = fs::read(list)?;
        list.parent().unwrap_or(Path::new(""))
    };
    let path = |name: &[u8]| match scheme(name) {
        Some(_) => PathBuf::from(OsStr::from_bytes(name)),
        None => folder.join(OsStr::from_bytes(name)),
    };
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
    stores: S3Stores,
    /// The identities of the files so far.
    known: BTreeSet<PathBuf>,
    files: Vec<InputFile>,
    rejected: Vec<RejectedInput>,
    ignored: BTreeMap<String, usize>,
}

impl InputScan {
    fn reject(&mut self, path: &Path, reason: impl Into<String>) {
        self.rejected.push(RejectedInput {
            path: path.to_owned(),
            reason: reason.into(),
            is_temporary: false,
        });
    }

    fn add(&mut self, path: &Path) {
        if let Some(scheme) = scheme(path.as_os_str().as_bytes()) {
            return self.add_address(path, &String::from_utf8_lossy(scheme));
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.add_folder(path, path),
            Ok(_) => self.add_file(path, path.parent().unwrap_or(Path::new(""))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.add_pattern(path),
            Err(error) => self.reject(path, error.to_string()),
        }
    }

    fn add_address(&mut self, address: &Path, scheme: &str) {
        let text = address.to_string_lossy();
        if scheme.eq_ignore_ascii_case("file") {
            return match local_path(&text) {
                Some(path) if path.exists() => self.add(&path),
                Some(path) => self.reject(&path, "there is no such file or folder"),
                None => self.reject(
                    address,
                    "expected file:/// with the absolute path of a file of this machine",
                ),
            };
        }
        if let Some(address) = S3Address::new(&text) {
            return self.add_objects(&address);
        }
        match RemoteUrl::new(&text) {
            Some(url) => self.add_remote(url),
            None => {
                let shown = PathBuf::from(remote_url::without_secrets(&text));
                let reason = "files come from http://, https://, s3:// and file://; emotion-crowd watches streams";
                self.reject(&shown, reason);
            }
        }
    }

    fn add_remote(&mut self, url: RemoteUrl) {
        let shown = PathBuf::from(url.shown());
        // Two addresses may differ only in what is not shown.
        if !self.known.insert(PathBuf::from(url.reveal())) {
            return;
        }
        match self.naming.name_remote(&url, &shown) {
            Ok(name) => self.files.push(InputFile {
                absolute: shown.clone(),
                path: shown,
                name,
                captions: PathBuf::new(),
                size: 0,
                origin: InputOrigin::Remote(url),
            }),
            Err(reason) => self.reject(&shown, reason),
        }
    }

    /// Adds the object at `address`, or all those below it.
    fn add_objects(&mut self, address: &S3Address) {
        let shown = PathBuf::from(address.to_string());
        let (found_below, found) = match stored_objects::find(&self.stores, address) {
            Ok(found) => found,
            Err(error) => {
                return self.rejected.push(RejectedInput {
                    path: shown,
                    reason: format!("{error:#}"),
                    is_temporary: is_temporary(&error),
                });
            }
        };
        if found.is_empty() {
            return self.reject(
                &shown,
                "there is no object at this address, and none below it",
            );
        }
        let is_named = found_below != *address;
        for object in found {
            let path = PathBuf::from(object.address.to_string());
            let below = object.address.below(&found_below).unwrap_or_default();
            if !is_named {
                if stored_objects::is_hidden(below) || naming::is_annotated_copy(&path) {
                    continue;
                }
                if !naming::is_media(&path) {
                    *self.ignored.entry(naming::extension(&path)).or_default() += 1;
                    continue;
                }
            }
            if !self.known.insert(path.clone()) {
                continue;
            }
            match self.naming.name_object(&object.address, &found_below) {
                Ok(name) => self.files.push(InputFile {
                    absolute: path.clone(),
                    path,
                    name,
                    captions: PathBuf::new(),
                    size: object.size,
                    origin: InputOrigin::Object(object),
                }),
                Err(reason) => self.reject(&path, reason),
            }
        }
    }

    fn add_standard_input(&mut self, name: &Path) -> Result<(), UsageError> {
        let is_below = |part| matches!(part, Component::Normal(_));
        if name.as_os_str().is_empty() || !name.components().all(is_below) {
            return Err(UsageError(format!(
                "--name {}: expected a path below the folder of --out, such as talks/1.mp4",
                name.display()
            )));
        }
        let path = Path::new(STANDARD_INPUT);
        if !self.known.insert(path.to_owned()) {
            return Ok(());
        }
        match self.naming.take(name.components().collect(), path) {
            Ok(name) => self.files.push(InputFile {
                path: path.to_owned(),
                absolute: path.to_owned(),
                name,
                captions: PathBuf::new(),
                size: 0,
                origin: InputOrigin::StandardInput,
            }),
            Err(reason) => self.reject(path, reason),
        }
        Ok(())
    }

    fn add_pattern(&mut self, pattern: &Path) {
        if !pattern::is_pattern(pattern.as_os_str()) {
            return self.reject(pattern, "there is no such file or folder");
        }
        let found = match pattern::matches(pattern) {
            Ok(found) => found,
            Err(error) => return self.reject(pattern, error.to_string()),
        };
        let root = pattern::fixed_part(pattern);
        if found.paths.is_empty() && found.unreadable.is_empty() {
            self.reject(pattern, "no file matches this pattern");
        }
        for path in found.paths {
            match path {
                path if path.is_dir() => self.add_folder(&root, &path),
                path if is_own_result(&path) => {}
                path => self.add_file(&path, &root),
            }
        }
        for (folder, error) in found.unreadable {
            self.reject(&folder, unreadable(&error));
        }
    }

    fn add_folder(&mut self, root: &Path, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.reject(folder, unreadable(&error)),
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
            } else if is_own_result(&path) {
                continue;
            } else if naming::is_media(&path) {
                self.add_file(&path, root);
            } else {
                *self.ignored.entry(naming::extension(&path)).or_default() += 1;
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

fn unreadable(error: &io::Error) -> String {
    format!("the folder cannot be read: {error}")
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
        origin: InputOrigin::Local,
    })
}

#[cfg(test)]
mod tests;
