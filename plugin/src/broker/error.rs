//! Errors of the settings of a publisher, whatever broker it sends to.

/// Why a publisher cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
    #[error("cannot start a thread for a broker: {0}")]
    Thread(#[from] std::io::Error),
}
