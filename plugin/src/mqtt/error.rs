//! Errors of the settings of a publisher.

/// Why a publisher cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no address of a broker.
    #[error(
        "{0:?} is no broker's address: expected mqtt://HOST, mqtts://HOST for TLS, or HOST, each with :PORT where it is not 1883 or 8883"
    )]
    Address(String),
    /// The first setting needs the second.
    #[error("{0} is set without {1}: set both")]
    Incomplete(&'static str, &'static str),
    /// A certificate or key cannot be used.
    #[error("{path}: {reason}")]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up with these certificates.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The system refuses a thread.
    #[error("cannot start a thread for MQTT: {0}")]
    Thread(#[from] std::io::Error),
}
