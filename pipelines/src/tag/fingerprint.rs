//! Tells whether a file is the same as before without reading all of it, whatever its name and date.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use tracing::info_span;
use twox_hash::XxHash64;

/// Number of parts that are read, evenly distributed from the start to the end.
const PARTS: u64 = 16;
/// Length of a part in bytes.
const PART: u64 = 16 << 10;

/// The hash of parts of the file as 16 hexadecimal digits; of the whole file if it has 256 KiB or less.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn of_file(path: &Path) -> io::Result<String> {
    let _span = info_span!("fingerprint").entered();
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut content = Vec::with_capacity((PARTS * PART).min(size) as usize);
    if size <= PARTS * PART {
        file.read_to_end(&mut content)?;
    } else {
        for part in 0..PARTS {
            let start = (size - PART) as u128 * u128::from(part) / u128::from(PARTS - 1);
            file.seek(SeekFrom::Start(start as u64))?;
            file.by_ref().take(PART).read_to_end(&mut content)?;
        }
    }
    Ok(format!("{:016x}", XxHash64::oneshot(size, &content)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn fingerprint(content: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        of_file(file.path()).unwrap()
    }

    #[test]
    fn equal_files_have_equal_fingerprints_whatever_their_names() {
        for size in [0, 1, 1000, 1_000_000] {
            let content: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            assert_eq!(fingerprint(&content), fingerprint(&content));
        }
    }

    #[test]
    fn a_change_at_the_start_or_the_end_or_of_the_size_changes_the_fingerprint() {
        let mut content = vec![7; 1_000_000];
        let original = fingerprint(&content);
        for changed in [0, 999_999] {
            content[changed] = 8;
            assert_ne!(fingerprint(&content), original, "byte {changed}");
            content[changed] = 7;
        }
        assert_ne!(fingerprint(&content[1..]), original);
    }

    #[test]
    fn any_changed_byte_of_a_small_file_changes_the_fingerprint() {
        let mut content = vec![0; 100];
        let original = fingerprint(&content);
        content[50] = 1;
        assert_ne!(fingerprint(&content), original);
    }
}
