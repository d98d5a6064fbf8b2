//! Ctrl-C, SIGTERM and SIGHUP as a request to stop.

use std::io::{Write, stderr};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Exit status after a request to stop: 128 + SIGINT, as shells report Ctrl-C.
pub const EXIT_STATUS: u8 = 130;

/// Whether the program was asked to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for the signals from now on. The second one ends the program at once.
    ///
    /// # Errors
    ///
    /// When the signals cannot be handled.
    pub fn listen() -> Result<Self> {
        let interrupt = Self::default();
        let requested = Arc::clone(&interrupt.0);
        let signals = [SIGINT, SIGTERM, SIGHUP];
        let mut signals = Signals::new(signals).context("Ctrl-C cannot be handled")?;
        thread::spawn(move || {
            for _ in &mut signals {
                if requested.swap(true, Ordering::Relaxed) {
                    exit(EXIT_STATUS.into());
                }
                let message = "\nstopping after this step; Ctrl-C again ends at once";
                // After SIGHUP the terminal may be gone.
                drop(writeln!(stderr(), "{message}"));
            }
        });
        Ok(interrupt)
    }

    /// Whether there was a signal.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The error of a program that was asked to stop, with the command to continue.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);
