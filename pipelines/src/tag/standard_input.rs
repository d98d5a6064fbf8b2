//! Copies standard input into a file, because decoders have to find their way in it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use crate::runner::StopFlag;

/// How often the stop is checked while nothing comes.
const TICK: Duration = Duration::from_millis(100);

/// Copies standard input to its end into a new file at `to`. Returns the number of bytes; `None` if `stop` was set.
///
/// # Errors
///
/// If it cannot be read or the file cannot be written.
pub(super) fn copy(to: &Path, stop: &StopFlag) -> anyhow::Result<Option<u64>> {
    copy_from(io::stdin(), to, stop)
}

fn copy_from(
    mut input: impl io::Read + Send + 'static,
    to: &Path,
    stop: &StopFlag,
) -> anyhow::Result<Option<u64>> {
    let mut file = File::create(to).with_context(|| format!("{}: cannot write", to.display()))?;
    let (send, copied) = mpsc::channel();
    // It may wait for ever, and ends with the program.
    thread::spawn(move || send.send(io::copy(&mut input, &mut file)));
    while !stop.is_set() {
        match copied.recv_timeout(TICK) {
            Ok(copied) => return Ok(Some(copied.context("standard input cannot be copied")?)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_copied_and_a_stop_ends_the_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("input.mp4");
        let (read, mut write) = io::pipe().unwrap();
        io::Write::write_all(&mut write, b"clip").unwrap();
        drop(write);
        let copied = copy_from(read, &to, &StopFlag::default()).unwrap();
        assert_eq!(copied, Some(4));
        assert_eq!(std::fs::read(&to).unwrap(), b"clip");

        let (read, _write) = io::pipe().unwrap();
        let stop = StopFlag::default();
        stop.set();
        assert_eq!(copy_from(read, &to, &stop).unwrap(), None);
    }
}
