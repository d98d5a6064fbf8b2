//! The settings of the control while the program runs.

use std::path::PathBuf;

use serde::Deserialize;

use super::secret::Secret;

/// The control of the sources while the program runs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ApiSettings {
    /// The token that changes need; without one nothing can be changed.
    pub token: Option<Secret>,
    /// The file in which changes outlast the program; `None` to forget them at its end.
    pub state: Option<PathBuf>,
    /// Whether sources may be added that read files, devices and the environment of this computer, or run a launch line.
    pub allow_local_sources: bool,
}
