//! Finds the files that a pattern matches, also those whose names are no valid text, which the `glob` crate leaves out.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

/// Hidden files are matched only by a pattern that begins with a dot.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: true,
};

/// A part of a pattern between two slashes.
enum Part {
    Fixed(OsString),
    Matched(Pattern),
    /// `**`: any number of folders.
    Folders,
}

/// What a pattern matched.
#[derive(Default)]
pub(super) struct Matches {
    /// Files and folders, by name.
    pub(super) paths: Vec<PathBuf>,
    /// Folders that cannot be read.
    pub(super) unreadable: Vec<(PathBuf, io::Error)>,
}

pub(super) fn is_pattern(text: &OsStr) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().any(|byte| b"*?[".contains(byte))
}

/// The part of a pattern that names one folder.
pub(super) fn fixed_part(pattern: &Path) -> PathBuf {
    let components = pattern.components();
    components
        .take_while(|part| !matches!(part, Component::Normal(name) if is_pattern(name)))
        .collect()
}

/// The files and folders that `pattern` matches.
///
/// # Errors
///
/// If it is no pattern.
pub(super) fn matches(pattern: &Path) -> Result<Matches, PatternError> {
    let part = |component: Component<'_>| match component.as_os_str() {
        name if name == "**" => Ok(Part::Folders),
        // A byte that is no text is compared as the replacement character.
        name if is_pattern(name) => Pattern::new(&name.to_string_lossy()).map(Part::Matched),
        name => Ok(Part::Fixed(name.to_owned())),
    };
    let parts: Vec<_> = pattern.components().map(part).collect::<Result<_, _>>()?;
    let mut found = Matches::default();
    found.add(PathBuf::new(), &parts);
    Ok(found)
}

impl Matches {
    fn add(&mut self, base: PathBuf, parts: &[Part]) {
        match parts {
            [] => {
                if base.symlink_metadata().is_ok() {
                    self.paths.push(base);
                }
            }
            [Part::Fixed(name), rest @ ..] => self.add(base.join(name), rest),
            [Part::Matched(pattern), rest @ ..] => {
                for name in self.names(&base) {
                    let path = base.join(&name);
                    let is_match = pattern.matches_with(&name.to_string_lossy(), OPTIONS);
                    if is_match && (rest.is_empty() || path.is_dir()) {
                        self.add(path, rest);
                    }
                }
            }
            [Part::Folders, rest @ ..] => {
                self.add(base.clone(), rest);
                for name in self.names(&base) {
                    let path = base.join(&name);
                    let is_hidden = name.as_bytes().starts_with(b".");
                    if !is_hidden && path.is_dir() && !path.is_symlink() {
                        self.add(path, parts);
                    }
                }
            }
        }
    }

    /// The names in a folder.
    fn names(&mut self, folder: &Path) -> Vec<OsString> {
        let here = Path::new(".");
        let named = match folder.as_os_str().is_empty() {
            true => here,
            false => folder,
        };
        let entries = fs::read_dir(named).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut names: Vec<_> = match entries {
            Ok(entries) => entries.iter().map(fs::DirEntry::file_name).collect(),
            // A pattern goes through files as well.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.unreadable.push((named.to_owned(), error));
                Vec::new()
            }
        };
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &Path, pattern: &str) -> Vec<String> {
        let all = matches(&folder.join(pattern)).expect("it is a pattern");
        assert!(all.unreadable.is_empty());
        let below = |path: &PathBuf| {
            let path = path.strip_prefix(folder).expect("it is below");
            path.to_string_lossy().into_owned()
        };
        all.paths.iter().map(below).collect()
    }

    #[test]
    fn patterns_match_names_of_all_sorts_and_hidden_files_only_by_a_dot() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["a/1.mp4", "a/b/2.mp4", "a/b/3.mkv", "a/.4.mp4", ".c/5.mp4"] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::write(root.join("a").join(OsStr::from_bytes(b"caf\xe9.mp4")), "x").unwrap();
        for (pattern, expected) in [
            ("a/*.mp4", &["a/1.mp4", "a/caf\u{fffd}.mp4"][..]),
            ("a/caf?.mp4", &["a/caf\u{fffd}.mp4"]),
            ("a/[0-9].*", &["a/1.mp4"]),
            ("*/b/?.m*", &["a/b/2.mp4", "a/b/3.mkv"]),
            ("**/2.mp4", &["a/b/2.mp4"]),
            ("**/[0-9].mp4", &["a/1.mp4", "a/b/2.mp4"]),
            ("a/.*.mp4", &["a/.4.mp4"]),
            ("x/*.mp4", &[]),
            ("a/1.mp4/*", &[]),
        ] {
            assert_eq!(found(root, pattern), expected, "{pattern}");
        }
        assert!(matches(Path::new("[.mp4")).is_err());
        assert_eq!(fixed_part(Path::new("x/y/[ab]/*.mp4")), Path::new("x/y"));
    }
}
