//! TLS for the page: certificate and key from PEM files, read again when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use rustls::{ServerConfig, crypto};
use tokio_rustls::TlsAcceptor;

use super::certificates;
use crate::crowd::log::{log, warn};

/// How often the files are looked at, at most. Certificates are renewed while the program runs.
const CHECK_PERIOD: Duration = Duration::from_secs(1);

/// Accepts TLS connections with the newest certificate.
pub(super) struct TlsAcceptors {
    certificate: PathBuf,
    key: PathBuf,
    state: Mutex<TlsState>,
}

struct TlsState {
    acceptor: TlsAcceptor,
    checked: Instant,
    /// When the files were changed last.
    changed: [Option<SystemTime>; 2],
}

impl TlsAcceptors {
    /// Those of a page that has these files, if it has them.
    ///
    /// # Errors
    ///
    /// If one is missing or cannot be used.
    pub(super) fn of(
        certificate: Option<&Path>,
        key: Option<&Path>,
    ) -> anyhow::Result<Option<Self>> {
        match (certificate, key) {
            (Some(certificate), Some(key)) => Self::open(certificate, key).map(Some),
            (None, None) => Ok(None),
            _ => bail!("[page] TLS needs a certificate and a key: set both or neither"),
        }
    }

    /// Reads the certificate, followed by those of its authorities, and its key.
    fn open(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            state: Mutex::new(TlsState {
                changed: changed(certificate, key),
                acceptor: acceptor(certificate, key)?,
                checked: Instant::now(),
            }),
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The acceptor with the newest certificate that can be used.
    pub(super) fn current(&self) -> TlsAcceptor {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.checked.elapsed() >= CHECK_PERIOD {
            state.checked = Instant::now();
            let now = changed(&self.certificate, &self.key);
            if now != state.changed {
                state.changed = now;
                match acceptor(&self.certificate, &self.key) {
                    Ok(acceptor) => {
                        state.acceptor = acceptor;
                        log("page", "the new certificate is in use");
                    }
                    Err(error) => {
                        warn(
                            "page",
                            &format!("{error:#}; the old certificate stays in use"),
                        );
                    }
                }
            }
        }
        state.acceptor.clone()
    }
}

fn changed(certificate: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|path| path.metadata().ok()?.modified().ok())
}

fn acceptor(certificate: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let of_setting = |setting| move |error: String| anyhow::anyhow!("[page] {setting}: {error}");
    let chain = certificates::read(certificate).map_err(of_setting("certificate"))?;
    let secret = certificates::read_key(key).map_err(of_setting("key"))?;
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS")?
        .with_no_client_auth()
        .with_single_cert(chain, secret);
    let config = match config {
        Ok(config) => config,
        Err(rustls::Error::InconsistentKeys(_)) => bail!(
            "[page] key: {} does not belong to the certificate {}: give the key with which it was requested",
            key.display(),
            certificate.display()
        ),
        Err(error) => {
            return Err(error).with_context(|| {
                format!(
                    "[page] {} with {} cannot be used",
                    certificate.display(),
                    key.display()
                )
            });
        }
    };
    Ok(TlsAcceptor::from(Arc::new(config)))
}
