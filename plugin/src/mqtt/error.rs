//! Errors of the settings of a publisher.

use crate::broker;

/// Why a publisher cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no address of a broker.
    #[error(
        "{0:?} is no broker's address: expected mqtt://HOST, mqtts://HOST for TLS, or HOST, each with :PORT where it is not 1883 or 8883"
    )]
    Address(String),
    /// Another setting is wrong.
    #[error(transparent)]
    Broker(#[from] broker::Error),
}
