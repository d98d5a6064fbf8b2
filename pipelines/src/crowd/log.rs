//! The log: what happens, one line each on standard error.
//!
//! A line has time, level and subject: the name of a source, or a part of the program. Subjects that have too much to say are
//! cut short, so that a fault that repeats does not fill the disk.

mod line_format;
mod line_limiter;

use gst::glib;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

use self::line_format::LineFormat;
pub use self::line_format::LogFormat;
use self::line_limiter::LineLimiter;
use crate::trace;

static LIMITER: LineLimiter = LineLimiter::new();

/// Starts the log on standard error, also for what GStreamer's libraries report, and the [trace] if it is wanted. Only the first
/// call has an effect.
///
/// # Errors
///
/// If the file of the trace cannot be written.
pub fn start(format: LogFormat) -> anyhow::Result<()> {
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .event_format(LineFormat(format))
        // Spans are for the trace alone; without one, frames make none.
        .with_filter(filter_fn(|metadata| {
            metadata.is_event() && *metadata.level() <= Level::INFO
        }));
    let subscriber = Registry::default().with(lines).with(trace::layer()?);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        return Ok(());
    }
    glib::log_set_default_handler(|domain, level, message| {
        let domain = domain.unwrap_or("GLib");
        match level {
            glib::LogLevel::Error => error(domain, message),
            glib::LogLevel::Critical | glib::LogLevel::Warning => warn(domain, message),
            _ => {}
        }
    });
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("a thread");
        error("panic", &format!("in {name}: {panic}"));
    }));
    Ok(())
}

/// Says what happens to `subject`.
pub(super) fn log(subject: &str, message: &str) {
    if let Some(message) = LIMITER.admit(subject, message) {
        tracing::info!(subject, "{message}");
    }
}

/// Says what goes wrong with `subject`.
pub(super) fn warn(subject: &str, message: &str) {
    if let Some(message) = LIMITER.admit(subject, message) {
        tracing::warn!(subject, "{message}");
    }
}

/// Says what ends `subject`.
pub fn error(subject: &str, message: &str) {
    if let Some(message) = LIMITER.admit(subject, message) {
        tracing::error!(subject, "{message}");
    }
}
