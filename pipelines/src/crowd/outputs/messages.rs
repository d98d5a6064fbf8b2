//! What is told of a source, and what is logged of a broker.

use gstemotion::broker::{ConnectionEvent, Counts};
use serde::Serialize;

use crate::crowd::log::{log, warn};

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

/// Logs what happens to the connection to a broker of this `kind`.
pub(super) fn log_event(kind: &'static str) -> impl Fn(ConnectionEvent) + Send + Sync + 'static {
    move |event| match event {
        ConnectionEvent::Connected => log(kind, "connected"),
        ConnectionEvent::Disconnected(reason) => {
            log(kind, &format!("the broker is away, records wait: {reason}"))
        }
        ConnectionEvent::Refused(reason) => warn(
            kind,
            &format!("the broker refuses records, which are lost: {reason}"),
        ),
    }
}

/// Logs how many messages were left when the connection to a broker of this `kind` was closed.
pub(super) fn log_dropped(kind: &str, counts: Counts) {
    if counts.dropped > 0 {
        let dropped = counts.dropped;
        log(
            kind,
            &format!("{dropped} messages did not reach the broker"),
        );
    }
}
