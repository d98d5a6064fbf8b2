//! What a reload did.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::crowd::log::log;

/// What a reload did.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ReloadReport {
    /// What became of each source.
    pub(crate) sources: BTreeMap<String, SourceAction>,
    /// Settings that were changed without a restart.
    pub(crate) applied: Vec<String>,
    /// Settings that have to wait for a restart.
    pub(crate) needs_restart: Vec<String>,
    /// Sources that are as the API left them, whatever the file says.
    pub(crate) kept: Vec<String>,
}

/// What became of a source.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SourceAction {
    /// `unchanged`, `changed`, `added` or `removed`.
    pub(crate) action: &'static str,
    /// The settings that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) settings: Vec<String>,
}

impl ReloadReport {
    /// Logs what differs.
    pub(crate) fn log(&self) {
        for (name, SourceAction { action, settings }) in &self.sources {
            match *action {
                "unchanged" => {}
                _ if settings.is_empty() => log(name, action),
                _ => log(name, &format!("{action}: {}", settings.join(", "))),
            }
        }
        for (list, said) in [
            (&self.applied, "applied"),
            (&self.needs_restart, "takes effect only after a restart"),
            (&self.kept, "as the API left it"),
        ] {
            if !list.is_empty() {
                log("settings", &format!("{said}: {}", list.join(", ")));
            }
        }
    }
}
