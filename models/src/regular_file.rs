//! Files that are read as a whole.
//!
//! A pipe without a writer blocks its reader for ever, and a device such as `/dev/zero` never ends. So only regular files up
//! to a limit are read.

use std::fs;
use std::io;
use std::path::Path;

/// The largest file that is read, in bytes: many times the size of any network or cascade.
pub const MAX_BYTES: u64 = 1 << 30;

/// The contents of the file at `path`.
///
/// # Errors
///
/// If it cannot be read, is no regular file (a folder, pipe or device), or is larger than [`MAX_BYTES`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let refused = |reason: String| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return refused("expected a regular file, found a pipe or a device".into());
    }
    if metadata.len() > MAX_BYTES {
        return refused(format!(
            "expected at most {MAX_BYTES} bytes, found {}",
            metadata.len()
        ));
    }
    fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_a_device_or_a_huge_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let small = folder.path().join("small");
        fs::write(&small, "text").unwrap();
        assert_eq!(read(&small).unwrap(), b"text");
        let huge = folder.path().join("huge");
        let file = fs::File::create(&huge).unwrap();
        file.set_len(MAX_BYTES + 1).unwrap();
        for (path, reason) in [
            (huge.as_path(), "at most 1073741824 bytes"),
            (Path::new("/dev/zero"), "found a pipe or a device"),
            (folder.path(), "directory"),
        ] {
            let error = read(path).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
