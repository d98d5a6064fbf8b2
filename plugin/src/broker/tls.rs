//! The TLS configuration of a connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::error::Error;

/// Reads the PEM files of the trusted authorities (`None` for those of the system) and of the client's certificate and key.
pub(crate) fn configuration(
    ca_file: Option<&Path>,
    client: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>, Error> {
    let tls = |error: rustls::Error| Error::Tls(error.to_string());
    let builder =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_root_certificates(authorities(ca_file)?);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let private_key =
                PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, private_key)
                .map_err(tls)?
        }
    };
    Ok(Arc::new(config))
}

/// The client's certificate and its key, which come together.
///
/// # Errors
///
/// If one of them is missing.
pub(crate) fn identity<'a>(
    certificate: Option<&'a PathBuf>,
    key: Option<&'a PathBuf>,
) -> Result<Option<(&'a Path, &'a Path)>, Error> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Error::Incomplete("tls-certificate-file", "tls-key-file")),
        (None, Some(_)) => Err(Error::Incomplete("tls-key-file", "tls-certificate-file")),
    }
}

fn authorities(ca_file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    match ca_file {
        Some(file) => {
            for certificate in certificates(file)? {
                store
                    .add(certificate)
                    .map_err(|error| unusable(file, &error))?;
            }
        }
        None => {
            // The connection may not need the certificates of the system that cannot be read.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(file, &error))?;
    if all.is_empty() {
        return Err(unusable(
            file,
            &"no certificate found, expected a PEM file with one",
        ));
    }
    Ok(all)
}

fn unusable(file: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Certificate {
        path: file.display().to_string(),
        reason: reason.to_string(),
    }
}
