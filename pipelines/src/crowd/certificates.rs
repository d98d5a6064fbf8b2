//! Certificates and keys, from PEM files.

use std::path::Path;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates in the file at `path`, one at least.
///
/// # Errors
///
/// If the file cannot be read, or has no certificate.
pub(super) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = match all {
        Ok(all) if all.is_empty() => Err(pem::Error::NoItemsFound),
        all => all,
    };
    all.map_err(|error| unreadable(path, "certificate", "CERTIFICATE", &error))
}

/// The private key in the file at `path`.
///
/// # Errors
///
/// If the file cannot be read, or has no private key.
pub(super) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| unreadable(path, "key", "PRIVATE KEY", &error))
}

fn unreadable(path: &Path, what: &str, tag: &str, error: &pem::Error) -> String {
    let path = path.display();
    match error {
        pem::Error::Io(error) => format!("{path}: {error}"),
        pem::Error::NoItemsFound => format!(
            "{path} contains no {what} in PEM: expected a block that begins with -----BEGIN {tag}-----"
        ),
        error => format!("{path} is no PEM file: {error}"),
    }
}
