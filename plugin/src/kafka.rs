//! Messages to a Kafka cluster that never block their sender.
//!
//! A [`KafkaPublisher`] has a bounded queue and a thread that serves librdkafka's producer. While no broker is reachable messages
//! wait in the queue; when it is full the oldest is dropped and counted. librdkafka connects again with pauses from half a second
//! to half a minute.
//!
//! Messages are delivered at least once (`acks=all`) and in their order (one request at a time). A message counts as sent when all
//! replicas that are in sync have it. At most [`IN_FLIGHT`] messages are librdkafka's at a time, and only those are never dropped
//! for newer ones.
//!
//! It needs the cargo feature `kafka`. Without it the settings can be read, and [`Settings::check`] says what is missing.

mod address;
mod error;
#[cfg(feature = "kafka")]
mod publisher;
#[cfg(not(feature = "kafka"))]
#[path = "kafka/publisher_missing.rs"]
mod publisher;
#[cfg(feature = "kafka")]
mod queue;
mod settings;

pub use self::address::KafkaAddress;
pub use self::error::Error;
pub use self::publisher::KafkaPublisher;
pub use self::settings::{SaslMechanism, Settings, is_topic};

/// The most messages that wait for the acknowledgement of a broker at a time.
pub const IN_FLIGHT: usize = 64;
