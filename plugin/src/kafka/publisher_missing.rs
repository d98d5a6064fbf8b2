//! What stands for the publisher in a build without the cargo feature `kafka`.

use std::convert::Infallible;
use std::time::Duration;

use super::error::Error;
use super::settings::Settings;
use crate::broker::{ConnectionEvent, Counts, CountsReader};

/// A publisher, which no build without the cargo feature `kafka` has.
#[derive(Debug)]
pub struct KafkaPublisher(Infallible);

impl KafkaPublisher {
    /// Says that this build has none.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn start(
        settings: &Settings,
        _on_event: impl Fn(ConnectionEvent) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        settings.check()?;
        Err(Error::NotBuilt)
    }

    /// Queues a message.
    pub fn publish(&self, _topic: &str, _key: Option<&str>, _payload: Option<Vec<u8>>) {
        match self.0 {}
    }

    /// The current counts.
    pub fn counts(&self) -> Counts {
        match self.0 {}
    }

    /// A reader of the counts.
    pub fn counts_reader(&self) -> CountsReader {
        match self.0 {}
    }

    /// Waits until all messages are sent.
    pub fn close(&self, _timeout: Duration) -> Counts {
        match self.0 {}
    }
}
