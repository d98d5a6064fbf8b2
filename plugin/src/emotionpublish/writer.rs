//! Lines into a file, a pipe or standard output.
//!
//! A file grows as `NAME.part` and is renamed to `NAME` when the stream ends, so that a file under its own name is
//! complete, and an earlier file stays until the new one is. A stream that does not end never replaces an earlier file. Every line is written at once, so that
//! `tail -f NAME.part` follows a live stream and a killed process loses no line. Pipes, devices and standard output are
//! written directly.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use emotion_models::atomic_file;

/// The location that stands for standard output.
pub(super) const STDOUT: &str = "-";

/// An open file, pipe, device or standard output.
#[derive(Debug)]
pub(super) struct LineWriter {
    target: Target,
    unpublished: Option<Unpublished>,
    /// For messages.
    name: String,
}

#[derive(Debug)]
enum Target {
    Stdout,
    File(File),
}

/// A file that still has to be renamed.
#[derive(Debug)]
struct Unpublished {
    part: PathBuf,
    whole: PathBuf,
}

/// Which step failed, with the path.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot open {place} for writing: {source}")]
    Open { place: String, source: io::Error },
    #[error("cannot write to {place}: {source}")]
    Write { place: String, source: io::Error },
    #[error("cannot rename {part} to {whole}: {source}")]
    Rename {
        part: String,
        whole: String,
        source: io::Error,
    },
}

impl LineWriter {
    /// Opens `location`: a path, or `-` for standard output. Opening a pipe waits for its reader.
    pub(super) fn open(location: &str) -> Result<Self, Error> {
        let (target, unpublished, name) = if location == STDOUT {
            (Target::Stdout, None, "standard output")
        } else {
            let (file, unpublished) = open_path(Path::new(location))?;
            (Target::File(file), unpublished, location)
        };
        Ok(Self {
            target,
            unpublished,
            name: name.into(),
        })
    }

    /// Writes whole lines, with their line breaks.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result<(), Error> {
        // In one piece: a reader of the growing file sees whole lines.
        let written = match &mut self.target {
            Target::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(lines).and_then(|()| stdout.flush())
            }
            Target::File(file) => file.write_all(lines),
        };
        written.map_err(|source| Error::Write {
            place: self.name.clone(),
            source,
        })
    }

    /// Leaves a file whose stream did not end: it gets its name if there is no earlier file. `has_records` says whether there is
    /// anything in it to keep.
    pub(super) fn abandon(&mut self, has_records: bool) -> Result<Unended, Error> {
        let replaces = |unpublished: &Unpublished| unpublished.whole.exists();
        if !self.unpublished.as_ref().is_some_and(replaces) {
            self.publish()?;
            return Ok(Unended::Named);
        }
        let Some(Unpublished { part, whole }) = self.unpublished.take() else {
            return Ok(Unended::Named);
        };
        if has_records {
            return Ok(Unended::Kept { part, whole });
        }
        // An empty file that cannot be removed does no harm.
        let _ = fs::remove_file(part);
        Ok(Unended::Named)
    }

    /// Renames a file to its own name, unless that is done. Later lines still go to it.
    pub(super) fn publish(&mut self) -> Result<(), Error> {
        let Some(Unpublished { part, whole }) = self.unpublished.take() else {
            return Ok(());
        };
        atomic_file::rename(&part, &whole).map_err(|source| Error::Rename {
            part: part.display().to_string(),
            whole: whole.display().to_string(),
            source,
        })
    }
}

/// What became of a file whose stream did not end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unended {
    /// It has its name, or never had another.
    Named,
    /// The lines stay in `part`, because there is an earlier file of the name `whole`.
    Kept { part: PathBuf, whole: PathBuf },
}

fn open_path(path: &Path) -> Result<(File, Option<Unpublished>), Error> {
    let error = |path: &Path, source| Error::Open {
        place: path.display().to_string(),
        source,
    };
    // A link stays a link: the file that it points to is replaced.
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&whole) {
        Ok(found) if found.is_dir() => Err(error(path, io::ErrorKind::IsADirectory.into())),
        Ok(found) if !found.is_file() => {
            let file = File::options().write(true).open(&whole);
            Ok((file.map_err(|source| error(path, source))?, None))
        }
        _ => {
            let mut part = OsString::from(&whole);
            part.push(".part");
            let part = PathBuf::from(part);
            let file = File::create(&part).map_err(|source| error(&part, source))?;
            Ok((file, Some(Unpublished { part, whole })))
        }
    }
}

#[cfg(test)]
mod tests;
