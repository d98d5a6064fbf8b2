//! A source as the API shows it.

use serde::Serialize;

use crate::crowd::controller::SourceState;

/// What stands in the place of a secret.
const HIDDEN: &str = "…";

/// A source without its secrets.
#[derive(Serialize)]
pub(super) struct SourceView {
    name: String,
    /// Whether the API added or changed it, so that a reload leaves it.
    changed_by_api: bool,
    status: &'static str,
    reason: Option<String>,
    settings: toml::Table,
}

impl SourceView {
    pub(super) fn new(source: &SourceState) -> Self {
        let stream = &source.stream;
        let mut settings = stream.source().table.clone();
        for (key, value) in settings.iter_mut() {
            match (key.as_str(), &*value) {
                ("username" | "password", _) => *value = HIDDEN.into(),
                ("uri" | "launch", toml::Value::String(text)) => {
                    *value = stream.source().without_secrets(text).into();
                }
                _ => {}
            }
        }
        let status = stream.status();
        Self {
            name: stream.name().to_owned(),
            changed_by_api: source.is_changed,
            status: status.connection.name(),
            reason: status.connection.reason().map(str::to_owned),
            settings,
        }
    }
}
