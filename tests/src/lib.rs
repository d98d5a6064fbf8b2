//! Whole pipelines, as users run them: in this process with the elements linked in, or through `gst-launch-1.0` with the plugin.

pub mod gst_launch;
pub mod mot;
pub mod stream;
pub mod walkers;

use std::path::{Path, PathBuf};

/// A file or folder of the repository.
pub fn repository(path: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).join(path)
}

/// A file or folder of the data that is too large or not free enough for the repository; says so where it is not there.
pub fn shared_data(path: &str) -> Option<PathBuf> {
    let found = repository("../shared/data").join(path);
    if !found.exists() {
        eprintln!("skipped: there is no {}", found.display());
        return None;
    }
    Some(found)
}
