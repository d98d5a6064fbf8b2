//! Messages to the user.

/// Prints on standard error what happens to `subject`.
pub(super) fn log(subject: &str, message: &str) {
    eprintln!("{subject}: {message}");
}
