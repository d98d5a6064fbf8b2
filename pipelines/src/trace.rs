//! How long parts of the programs take, for developers.
//!
//! `EMOTION_TRACE=FILE` appends a line of JSON to the file for each span of `tracing` that ends: its name and fields, the spans
//! around it, and the time in which it was busy.

use std::env;
use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context as _;
use tracing::{Level, Metadata, Subscriber, subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::{self, format::FmtSpan};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::{self, LookupSpan};

/// The environment variable that names the file. Worker processes inherit it, and append to the same file.
pub const VARIABLE: &str = "EMOTION_TRACE";

/// Starts writing spans if the variable is set. Only the first call has an effect.
///
/// # Errors
///
/// If the file cannot be written.
pub fn start() -> anyhow::Result<()> {
    if let Some(layer) = layer()? {
        // Fails if there is a subscriber already.
        let _ = subscriber::set_global_default(registry::Registry::default().with(layer));
    }
    Ok(())
}

/// What writes the spans; `None` without the variable.
pub(crate) fn layer<S>() -> anyhow::Result<Option<impl Layer<S>>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + 'static,
{
    let path = env::var_os(VARIABLE).filter(|path| !path.is_empty());
    path.map(|path| layer_to(Path::new(&path))).transpose()
}

fn layer_to<S>(path: &Path) -> anyhow::Result<impl Layer<S> + use<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + 'static,
{
    let file = File::options().append(true).create(true).open(path);
    let file = file.with_context(|| format!("{VARIABLE}={}: cannot be written", path.display()))?;
    let lines = fmt::layer()
        .json()
        .with_span_events(FmtSpan::CLOSE)
        .with_thread_names(true)
        .with_writer(Mutex::new(file));
    Ok(lines.with_filter(filter_fn(is_own_span)))
}

fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && *metadata.level() <= Level::INFO
        && metadata.target().starts_with("emotion")
}
