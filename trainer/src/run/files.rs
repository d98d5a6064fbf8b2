//! Files of the program, written with [`emotion_models::atomic_file`].

use std::path::Path;

use anyhow::{Context, Result};
use emotion_models::atomic_file;

/// Replaces the file at `path` with `contents`.
///
/// # Errors
///
/// When it cannot be written, with its path; the old file is then untouched.
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    atomic_file::write(path, contents.as_ref())
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_an_error_with_the_path() {
        let error = write(Path::new("nowhere/file"), b"").unwrap_err();
        assert_eq!(error.to_string(), "cannot write nowhere/file");
    }
}
