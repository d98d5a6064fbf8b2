//! Reads the settings and all that they name.

use std::path::Path;

use super::config::{self, Config};
use super::elements_check;
use super::source_changes::SourceChanges;
use crate::shard::Shard;

/// Reads the settings in the file at `path`, and checks all that can be checked without opening a camera, a broker or a port.
/// GStreamer must be initialised and the plugin registered. With `shard` only its sources remain.
///
/// # Errors
///
/// If the file cannot be read or has an error, with its position.
pub fn load(path: &Path, shard: Option<Shard>) -> Result<Config, config::Error> {
    let mut config = Config::load(path)?;
    elements_check::check(&config)?;
    let state = config.api.as_ref().and_then(|api| api.state.as_deref());
    SourceChanges::load(state)
        .map_err(|error| config.wrong(&["api", "state"], format!("{error:#}")))?;
    if let Some(shard) = shard {
        config.keep_shard(shard);
    }
    Ok(config)
}
