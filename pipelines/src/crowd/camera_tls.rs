//! Which certificates of cameras are trusted: those of an authority, or one certificate alone by its fingerprint.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use gio::prelude::*;
use gst::glib;

use super::config::SourceSettings;

/// A certificate whose key nobody has. A database with it alone trusts no camera, so that each certificate is asked about.
const TRUSTED_BY_NOBODY: &[u8] = include_bytes!("camera_tls/trusted_by_nobody.pem");

/// Why the last certificate was not accepted.
#[derive(Debug, Clone, Default)]
pub(super) struct CertificateVerdict(Arc<Mutex<Option<String>>>);

impl CertificateVerdict {
    /// The reason, if a certificate was refused.
    pub(super) fn reason(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn refuse(&self, reason: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

/// Sets what `element`, which connects to the camera of `source`, trusts.
pub(super) fn set_up(
    element: &gst::Element,
    source: &SourceSettings,
    verdict: &CertificateVerdict,
) -> anyhow::Result<()> {
    if element.find_property("tls-database").is_none() {
        return Ok(());
    }
    let database = match (&source.tls_fingerprint, &source.tls_ca_file) {
        (Some(_), _) => {
            let mut file = tempfile::NamedTempFile::new()?;
            file.write_all(TRUSTED_BY_NOBODY)?;
            Some(gio::TlsFileDatabase::new(file.path())?)
        }
        (None, Some(path)) => {
            // The library needs an absolute path.
            let path = std::path::absolute(path)?;
            let database = gio::TlsFileDatabase::new(&path);
            Some(database.with_context(|| path.display().to_string())?)
        }
        (None, None) => None,
    };
    if let Some(database) = database {
        element.set_property("tls-database", database);
    }
    let asks =
        element.type_() == glib::Type::from_name("GstRTSPSrc").unwrap_or(glib::Type::INVALID);
    if asks {
        let (pinned, verdict) = (source.tls_fingerprint.clone(), verdict.clone());
        element.connect("accept-certificate", false, move |values| {
            let certificate = values.get(2)?.get::<gio::TlsCertificate>().ok()?;
            let errors = values.get(3)?.get::<gio::TlsCertificateFlags>().ok()?;
            let found = fingerprint(&certificate);
            let is_pinned = pinned.is_some() && found == pinned;
            if !is_pinned {
                verdict.refuse(refusal(pinned.as_deref(), found.as_deref(), errors));
            }
            Some(is_pinned.to_value())
        });
    }
    Ok(())
}

/// SHA-256 of the certificate in hexadecimal digits.
fn fingerprint(certificate: &gio::TlsCertificate) -> Option<String> {
    let bytes = certificate.certificate()?;
    let sum = glib::compute_checksum_for_data(glib::ChecksumType::Sha256, &bytes);
    sum.map(String::from)
}

fn refusal(pinned: Option<&str>, found: Option<&str>, errors: gio::TlsCertificateFlags) -> String {
    let found = found.unwrap_or("unknown");
    if pinned.is_some() {
        return format!(
            "the camera shows another certificate than that of tls-fingerprint: sha256:{found}"
        );
    }
    let whys = [
        (
            gio::TlsCertificateFlags::UNKNOWN_CA,
            "no trusted authority has signed it",
        ),
        (
            gio::TlsCertificateFlags::BAD_IDENTITY,
            "it is for another name",
        ),
        (gio::TlsCertificateFlags::EXPIRED, "it has expired"),
        (
            gio::TlsCertificateFlags::NOT_ACTIVATED,
            "it is not valid yet",
        ),
        (gio::TlsCertificateFlags::REVOKED, "it was revoked"),
        (
            gio::TlsCertificateFlags::INSECURE,
            "its algorithm is not secure",
        ),
    ];
    let whys: Vec<_> = whys
        .into_iter()
        .filter(|(flag, _)| errors.contains(*flag))
        .map(|(_, why)| why)
        .collect();
    format!(
        "the certificate of the camera is not trusted: {}. If it is that of the camera, set tls-fingerprint = \
         \"sha256:{found}\"; or set tls-ca-file to its authority",
        whys.join(", ")
    )
}
