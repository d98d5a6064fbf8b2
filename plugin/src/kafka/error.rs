//! Errors of the settings of a publisher.

use crate::broker;

/// Why a publisher cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This build has no client for Kafka.
    #[error("this build cannot send to Kafka: build it with the cargo feature kafka")]
    NotBuilt,
    /// The text names no brokers.
    #[error(
        "{0:?} names no brokers: expected kafka://HOST, kafkas://HOST for TLS, or HOST, each with :PORT where it is not 9092 (TLS: \
         9093), several hosts separated by commas"
    )]
    Address(String),
    /// The text names no topic.
    #[error(
        "{0:?} is no topic of Kafka: expected 1 to 249 letters, digits, '.', '_' and '-', of ASCII, and not . or .. alone"
    )]
    Topic(String),
    /// librdkafka does not take the settings, for this reason.
    #[error("the client for Kafka does not start: {0}")]
    Client(String),
    /// Another setting is wrong.
    #[error(transparent)]
    Broker(#[from] broker::Error),
}
