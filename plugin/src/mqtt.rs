//! Messages to an MQTT broker that never block their sender.
//!
//! A [`Publisher`] has a bounded queue and a thread that speaks MQTT 3.1.1. While the broker is unreachable messages wait
//! in the queue; when it is full the oldest is dropped and counted. The thread connects again with pauses that double from
//! half a second to half a minute.
//!
//! Messages have quality of service 1 (at least once): a message counts as sent when the broker has acknowledged it, and
//! the others are sent again on the next connection, in their order. At most [`IN_FLIGHT`] messages are unacknowledged at
//! a time.

mod address;
mod error;
mod publisher;
mod queue;
mod settings;

pub use self::address::BrokerAddress;
pub use self::error::Error;
pub use self::publisher::Publisher;
pub use self::queue::IN_FLIGHT;
pub use self::settings::{LastWill, Settings, is_topic};
