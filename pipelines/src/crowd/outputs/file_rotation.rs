//! Puts a file aside when it is large or old, and deletes the oldest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// When to put a file aside.
#[derive(Debug, Clone, Default)]
pub(super) struct FileRotation {
    /// Before it has more bytes.
    pub(super) bytes: Option<u64>,
    /// When it is older.
    pub(super) period: Option<Duration>,
    /// The number of files that are kept aside.
    pub(super) kept: usize,
}

impl FileRotation {
    /// Whether to put a file of this size and age aside.
    pub(super) fn is_due(&self, size: u64, age: Duration) -> bool {
        self.bytes.is_some_and(|most| size > most) || self.period.is_some_and(|most| age >= most)
    }

    /// Renames the file at `path`, appending the time, and deletes the oldest files that are too many.
    pub(super) fn rotate(&self, path: &Path) -> io::Result<()> {
        match fs::rename(path, name_with_time(path)) {
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        let mut aside = rotated(path)?;
        aside.sort();
        for oldest in aside.iter().take(aside.len().saturating_sub(self.kept)) {
            fs::remove_file(oldest)?;
        }
        Ok(())
    }
}

fn name_with_time(path: &Path) -> PathBuf {
    let time = gst::glib::DateTime::now_utc()
        .and_then(|now| now.format("%Y%m%dT%H%M%S.%fZ"))
        .expect("the year has four digits");
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{time}"));
    name.into()
}

/// The files that were put aside: `NAME.20261127T104500.123456Z`.
fn rotated(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_time = |text: &str| {
        text.len() == 23
            && text.char_indices().all(|(index, c)| match index {
                8 => c == 'T',
                15 => c == '.',
                22 => c == 'Z',
                _ => c.is_ascii_digit(),
            })
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let rest = file
            .to_str()
            .and_then(|file| file.strip_prefix(&*name)?.strip_prefix('.'));
        if rest.is_some_and(is_time) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
