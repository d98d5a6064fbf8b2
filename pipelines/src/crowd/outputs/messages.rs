//! What is told of a source.

use serde::Serialize;

/// The status of a source, as the broker has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StatusReport {
    /// `opening`, `playing`, `waiting`, `ended` or `failed`.
    pub(crate) status: &'static str,
    /// Why it does not play, if it failed.
    pub(crate) reason: Option<String>,
    /// `frozen`, `black` or `covered`, if its pictures show nothing.
    pub(crate) picture: Option<&'static str>,
}

/// An event, as the web server gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SourceNotice {
    /// What happened, such as `camera-down`.
    pub(crate) event: &'static str,
    /// The name of the source.
    pub(crate) source: String,
    /// The computer's clock, RFC 3339 in UTC.
    pub(crate) time: String,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}
