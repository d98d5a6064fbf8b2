//! Errors of the command line that only a part of the program can find.

/// The command line is wrong: the program prints the message once and exits with 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
