//! What an encrypted connection trusts and shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rumqttc::TlsConfiguration;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::Error;

/// Certificates and keys, PEM files all.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The authorities that are trusted; None for those of the system.
    pub ca_file: Option<PathBuf>,
    /// The client's own certificate and its key, where the broker asks for them.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// Reads the files.
    pub(super) fn configuration(&self) -> Result<TlsConfiguration, Error> {
        let tls = |error: rustls::Error| Error::Tls(error.to_string());
        let builder =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(tls)?
                .with_root_certificates(self.authorities()?);
        let config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let private_key =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
                builder
                    .with_client_auth_cert(certificates(certificate)?, private_key)
                    .map_err(tls)?
            }
        };
        Ok(TlsConfiguration::Rustls(Arc::new(config)))
    }

    fn authorities(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        match &self.ca_file {
            Some(file) => {
                for certificate in certificates(file)? {
                    store
                        .add(certificate)
                        .map_err(|error| unusable(file, &error))?;
                }
            }
            None => {
                // What it cannot read of the system's collection the connection may not need.
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        Ok(store)
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(file, &error))?;
    if all.is_empty() {
        return Err(unusable(file, &"no certificate in it; expected a PEM file"));
    }
    Ok(all)
}

fn unusable(file: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Certificate {
        path: file.display().to_string(),
        reason: reason.to_string(),
    }
}
