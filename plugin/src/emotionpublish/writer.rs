//! Lines into a file, a pipe or standard output.
//!
//! A file grows under the name `NAME.part` and gets its own name when the stream ends, so that whatever stands under the
//! name is whole, and an earlier file stays until there is a better one. Every line is handed to the system at once, so
//! that `tail -f NAME.part` follows a live stream and a killed process loses no line. Pipes, devices and standard output
//! are written directly.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The location that stands for standard output.
pub(super) const STDOUT: &str = "-";

/// An open place for lines.
#[derive(Debug)]
pub(super) struct Writer {
    output: Output,
    unpublished: Option<Unpublished>,
    /// What the user calls the place.
    name: String,
}

#[derive(Debug)]
enum Output {
    Stdout,
    File(File),
}

/// A file that has not got its own name yet.
#[derive(Debug)]
struct Unpublished {
    part: PathBuf,
    whole: PathBuf,
}

/// What went wrong, with the place in the message.
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

impl Writer {
    /// Opens `location`: a path, or `-` for standard output. Opening a pipe waits for its reader.
    pub(super) fn open(location: &str) -> Result<Self, Error> {
        let (output, unpublished, name) = if location == STDOUT {
            (Output::Stdout, None, "standard output")
        } else {
            let (file, unpublished) = open_path(Path::new(location))?;
            (Output::File(file), unpublished, location)
        };
        Ok(Self {
            output,
            unpublished,
            name: name.into(),
        })
    }

    /// Writes whole lines, with their line breaks.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result<(), Error> {
        // In one piece: a reader of the growing file sees whole lines.
        let written = match &mut self.output {
            Output::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(lines).and_then(|()| stdout.flush())
            }
            Output::File(file) => file.write_all(lines),
        };
        written.map_err(|source| Error::Write {
            place: self.name.clone(),
            source,
        })
    }

    /// Gives a file its own name, unless it has it. Lines that are written afterwards still go to it.
    pub(super) fn publish(&mut self) -> Result<(), Error> {
        let Some(Unpublished { part, whole }) = self.unpublished.take() else {
            return Ok(());
        };
        fs::rename(&part, &whole).map_err(|source| Error::Rename {
            part: part.display().to_string(),
            whole: whole.display().to_string(),
            source,
        })
    }
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
mod tests {
    use super::*;

    fn location(path: &Path) -> &str {
        path.to_str().unwrap()
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_file_grows_line_by_line_beside_its_name_and_gets_it_when_published() {
        let folder = folder();
        let whole = folder.path().join("faces.jsonl");
        let part = folder.path().join("faces.jsonl.part");
        fs::write(&whole, "old").unwrap();

        let mut writer = Writer::open(location(&whole)).unwrap();
        writer.write(b"1\n").unwrap();
        assert_eq!(fs::read_to_string(&part).unwrap(), "1\n");
        writer.write(b"2\n").unwrap();
        assert_eq!(fs::read_to_string(&part).unwrap(), "1\n2\n");
        assert_eq!(fs::read_to_string(&whole).unwrap(), "old");

        writer.publish().unwrap();
        assert_eq!(fs::read_to_string(&whole).unwrap(), "1\n2\n");
        assert!(!part.exists());
    }

    #[test]
    fn lines_after_publishing_are_added_to_the_file() {
        let folder = folder();
        let whole = folder.path().join("faces.jsonl");
        let mut writer = Writer::open(location(&whole)).unwrap();
        writer.write(b"1\n").unwrap();
        writer.publish().unwrap();
        writer.write(b"2\n").unwrap();
        writer.publish().unwrap();
        assert_eq!(fs::read_to_string(&whole).unwrap(), "1\n2\n");
    }

    #[test]
    fn a_link_is_followed() {
        let folder = folder();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let mut writer = Writer::open(location(&link)).unwrap();
        writer.write(b"1\n").unwrap();
        writer.publish().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "1\n");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_device_is_written_directly() {
        let mut writer = Writer::open("/dev/null").unwrap();
        writer.write(b"1\n").unwrap();
        writer.publish().unwrap();
        assert!(!Path::new("/dev/null.part").exists());
    }

    #[test]
    fn a_full_device_is_an_error_that_names_it() {
        let error = Writer::open("/dev/full")
            .unwrap()
            .write(b"1\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot write to /dev/full: No space left"),
            "{error}"
        );
    }

    #[test]
    fn a_folder_and_a_missing_folder_are_errors_that_name_them() {
        let folder = folder();
        let error = Writer::open(location(folder.path()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(location(folder.path())) && error.contains("director"),
            "{error}"
        );
        let missing = folder.path().join("no/such/file");
        let error = Writer::open(location(&missing)).unwrap_err().to_string();
        assert!(
            error.contains("no/such/file") && error.contains("No such file"),
            "{error}"
        );
    }
}
