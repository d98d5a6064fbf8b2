//! The file of records: opened again when it is moved, and rotated.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::file_rotation::FileRotation;

/// An open file, or standard output.
#[derive(Debug)]
pub(super) struct AppendedFile {
    /// `None` for standard output.
    path: Option<PathBuf>,
    rotation: FileRotation,
    /// `None` until it can be opened again.
    open: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    /// Device and number, by which the file is known whatever its name.
    identity: (u64, u64),
    size: u64,
    began: SystemTime,
    is_regular: bool,
    /// Whether the last line was written only in part.
    is_incomplete: bool,
}

impl AppendedFile {
    /// Opens `path` for appending, `-` for standard output.
    pub(super) fn open(path: &Path, rotation: FileRotation) -> io::Result<Self> {
        let path = (path != Path::new("-")).then(|| path.to_owned());
        let open = match &path {
            Some(path) => OpenFile::at(path)?,
            None => OpenFile::new(File::from(io::stdout().as_fd().try_clone_to_owned()?))?,
        };
        Ok(Self {
            path,
            rotation,
            open: Some(open),
        })
    }

    /// Opens it again at the next record.
    pub(super) fn close(&mut self) {
        if self.path.is_some() {
            self.open = None;
        }
    }

    /// Closes a file that has been moved or removed.
    pub(super) fn close_if_moved(&mut self) {
        let (Some(path), Some(open)) = (&self.path, &self.open) else {
            return;
        };
        let found = fs::metadata(path).map(|found| (found.dev(), found.ino()));
        if found.ok() != Some(open.identity) {
            self.open = None;
        }
    }

    /// Appends `line`, which ends in a line break.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.close_if_moved();
        let Some(path) = &self.path else {
            return match &mut self.open {
                Some(open) => open.append(line),
                None => Err(io::ErrorKind::NotFound.into()),
            };
        };
        if let Some(open) = &self.open
            && open.is_regular
            && open.size > 0
        {
            let age = open.began.elapsed().unwrap_or(Duration::ZERO);
            if self.rotation.is_due(open.size + line.len() as u64, age) {
                self.open = None;
                self.rotation.rotate(path)?;
            }
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(OpenFile::at(path)?),
        };
        open.append(line)
    }
}

impl OpenFile {
    fn at(path: &Path) -> io::Result<Self> {
        let is_pipe = fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo());
        let mut options = OpenOptions::new();
        match is_pipe {
            // To open a pipe for writing alone waits for a reader.
            true => options.read(true).write(true),
            false => options.create(true).append(true),
        };
        let mut open = Self::new(options.open(path)?)?;
        // A crash or a full disk may have left half a line, behind which no record may stand.
        open.is_incomplete = open.is_regular && ends_within_a_line(path)?;
        Ok(open)
    }

    fn new(file: File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self {
            identity: (found.dev(), found.ino()),
            size: found.len(),
            began: found.created().unwrap_or_else(|_| SystemTime::now()),
            is_regular: found.is_file(),
            is_incomplete: false,
            file,
        })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_incomplete {
            self.file.write_all(b"\n")?;
            self.is_incomplete = false;
            self.size += 1;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = &rest[written..];
                    self.size += written as u64;
                    self.is_incomplete = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn ends_within_a_line(path: &Path) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        // A file that may be written and not be read.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("it is there")
    }

    #[test]
    fn half_a_line_of_an_earlier_run_spoils_no_record() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r.jsonl");
        fs::write(&path, "{\"version\":1,\"sour").expect("it is writable");
        let mut file = AppendedFile::open(&path, FileRotation::default()).expect("it opens");
        file.append(b"{}\n").expect("there is room");
        file.append(b"[]\n").expect("there is room");
        assert_eq!(read(&path), "{\"version\":1,\"sour\n{}\n[]\n");
    }

    #[test]
    fn a_file_that_is_renamed_or_removed_is_opened_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, moved) = (folder.path().join("r"), folder.path().join("r.1"));
        let mut file = AppendedFile::open(&path, FileRotation::default()).expect("it opens");
        file.append(b"1\n").expect("there is room");
        fs::rename(&path, &moved).expect("it can be renamed");
        file.append(b"2\n").expect("there is room");
        fs::remove_file(&path).expect("it can be removed");
        file.append(b"3\n").expect("there is room");
        assert_eq!((read(&moved), read(&path)), ("1\n".into(), "3\n".into()));
        // Another program moved it and made a new one, as logrotate does.
        fs::rename(&path, &moved).expect("it can be renamed");
        fs::write(&path, "").expect("it is writable");
        file.append(b"4\n").expect("there is room");
        assert_eq!((read(&moved), read(&path)), ("3\n".into(), "4\n".into()));
    }

    #[test]
    fn a_file_is_rotated_before_it_gets_too_large_and_the_oldest_are_deleted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r");
        let rotation = FileRotation {
            bytes: Some(8),
            period: None,
            kept: 2,
        };
        let mut file = AppendedFile::open(&path, rotation).expect("it opens");
        for number in 0..9 {
            file.append(format!("{number}{number}\n").as_bytes())
                .expect("there is room");
        }
        let mut texts: Vec<_> = fs::read_dir(folder.path())
            .expect("a folder")
            .flatten()
            .map(|entry| read(&entry.path()))
            .collect();
        texts.sort();
        // Two lines each; 00 to 33 were deleted.
        assert_eq!(texts, ["44\n55\n", "66\n77\n", "88\n"]);
    }

    #[test]
    fn a_pipe_without_a_reader_does_not_wait_for_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo starts").success());
        let mut file = AppendedFile::open(&path, FileRotation::default()).expect("it opens");
        file.append(b"1\n").expect("the pipe has room");
    }
}
