//! Ctrl-C, and the signals SIGTERM and SIGHUP, as a wish that the program grants when it can.

use std::io::{Write, stderr};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// What shells report of a program that Ctrl-C ended: 128 + SIGINT. It stands for the other signals
/// too, which cannot be told apart here.
pub const EXIT_STATUS: u8 = 130;

/// Whether somebody has asked the program to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Takes over the signals: the first one is a wish, the second ends the program at once.
    ///
    /// # Errors
    ///
    /// When the signals are taken already.
    pub fn listen() -> Result<Self> {
        let interrupt = Self::default();
        let wish = interrupt.clone();
        ctrlc::set_handler(move || {
            if wish.0.swap(true, Ordering::Relaxed) {
                exit(EXIT_STATUS.into());
            }
            // The terminal may be gone, which is what SIGHUP says.
            drop(writeln!(
                stderr(),
                "\nstopping after this step; Ctrl-C again ends at once"
            ));
        })
        .context("Ctrl-C cannot be handled")?;
        Ok(interrupt)
    }

    /// Whether there has been a signal.
    pub fn is_wished(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The program was asked to stop, and did; the text says how to go on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);
