//! What the connections to brokers have in common: their counts and events, the addresses and certificates in their settings.

mod error;
mod host;
pub(crate) mod tls;

use std::sync::Arc;

pub use self::error::Error;
pub(crate) use self::host::parse_host;

/// A change of a connection to a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// The publisher is connected.
    Connected,
    /// The connection failed for this reason. Reported once until the publisher is connected again.
    Disconnected(String),
    /// The broker does not take a message, for this reason; the message is dropped. Reported once in a row for the same reason.
    Refused(String),
}

/// Counts of a publisher.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that the broker has acknowledged.
    pub sent: u64,
    /// Messages that were dropped for newer ones, that the broker refused, or that were left when the publisher was closed.
    pub dropped: u64,
    /// Messages in the queue.
    pub queued: u64,
    /// Connections after the first.
    pub reconnects: u64,
    /// Whether the publisher is connected.
    pub connected: bool,
}

/// Reads the counts of a publisher, also while it is busy or closed.
#[derive(Clone)]
pub struct CountsReader(Arc<dyn Fn() -> Counts + Send + Sync>);

impl CountsReader {
    /// A reader that calls `counts`.
    pub(crate) fn new(counts: impl Fn() -> Counts + Send + Sync + 'static) -> Self {
        Self(Arc::new(counts))
    }

    /// The counts at this moment.
    pub fn counts(&self) -> Counts {
        (self.0)()
    }
}

impl std::fmt::Debug for CountsReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CountsReader").field(&self.counts()).finish()
    }
}
