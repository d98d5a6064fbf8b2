//! What the tests of all crates share, and whole pipelines as users run them: in this process with the elements linked in, or
//! through `gst-launch-1.0` with the plugin.
//!
//! Without its features this crate depends on no other of the workspace, so each of them can use it in its tests.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

#[cfg(feature = "broker")]
pub mod broker;
#[cfg(feature = "pipelines")]
pub mod camera;
pub mod certificates;
pub mod gst_launch;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod killed;
#[cfg(feature = "pipelines")]
pub mod mot;
pub mod picture;
#[cfg(feature = "pipelines")]
pub mod stream;
#[cfg(feature = "pipelines")]
pub mod walkers;
#[cfg(feature = "weights")]
pub mod weights;

/// How long a test waits before it fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A file or folder of the repository.
pub fn repository(path: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).join(path)
}

/// A file or folder below `EMOTION_DATA`, the folder with the data that are too large or not free enough for the repository.
/// A relative `EMOTION_DATA` counts from the repository.
///
/// Tests that call this are `#[ignore = "needs EMOTION_DATA: …"]`; `make test` runs them where it is set.
///
/// # Panics
///
/// When `EMOTION_DATA` is not set or has no such file.
pub fn data(path: &str) -> PathBuf {
    let Some(folder) = env::var_os("EMOTION_DATA") else {
        panic!("this test reads {path}: set EMOTION_DATA to the folder that holds it");
    };
    let path = repository("").join(folder).join(path);
    assert!(path.exists(), "EMOTION_DATA has no {}", path.display());
    path
}

/// Reports what cannot be tested on this machine, on standard error and for the closing lines of `make test`.
///
/// # Panics
///
/// When the file that `EMOTION_SKIPPED` names cannot be written.
pub fn skipped(what: &str) {
    let line = format!("SKIPPED: {what}\n");
    eprint!("{line}");
    if let Some(path) = env::var_os("EMOTION_SKIPPED") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("EMOTION_SKIPPED names a file that can be written");
    }
}

/// A port of this machine on which nothing listens.
///
/// # Panics
///
/// When there is none.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // nextest gives tests that run at the same time different slots, and outgoing connections use ports from 32768 on.
    let slot = env::var("NEXTEST_TEST_GLOBAL_SLOT").ok();
    let slot = slot.and_then(|slot| slot.parse::<u16>().ok()).unwrap_or(0) % 100;
    std::iter::repeat_with(|| 20_000 + 100 * slot + NEXT.fetch_add(1, Ordering::Relaxed) % 100)
        .take(100)
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("one of a hundred ports is free")
}
