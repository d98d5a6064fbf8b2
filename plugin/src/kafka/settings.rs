//! The settings of a publisher.

use std::fmt;
use std::path::PathBuf;

use gst::glib;

use super::address::KafkaAddress;
use super::error::Error;
use crate::broker::{self, tls};

/// How a client proves to the brokers who it is (SASL).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionPublishSaslMechanism")]
#[repr(u32)]
pub enum SaslMechanism {
    /// RFC 4616: the password itself, so over TLS.
    #[default]
    #[enum_value(name = "PLAIN: the password itself, so over TLS", nick = "plain")]
    Plain,
    /// RFC 7677.
    #[enum_value(name = "SCRAM with SHA-256", nick = "scram-sha-256")]
    ScramSha256,
    /// The same with SHA-512.
    #[enum_value(name = "SCRAM with SHA-512", nick = "scram-sha-512")]
    ScramSha512,
}

/// Where and as whom to publish.
#[derive(Clone)]
pub struct Settings {
    /// The cluster.
    pub address: KafkaAddress,
    /// User name for the login; none logs in.
    pub username: Option<String>,
    /// Password for the login; needs a user name.
    pub password: Option<String>,
    /// How to log in.
    pub mechanism: SaslMechanism,
    /// The client's name in the logs and quotas of the brokers.
    pub client_id: Option<String>,
    /// PEM file of the trusted authorities; `None` for those of the system.
    pub tls_ca_file: Option<PathBuf>,
    /// PEM file of the client's certificate; needs its key.
    pub tls_certificate_file: Option<PathBuf>,
    /// PEM file of the certificate's key.
    pub tls_key_file: Option<PathBuf>,
    /// Number of messages that are kept while no broker is reachable, at least 1.
    pub queue_size: usize,
}

/// Hides the password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("username", &self.username)
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}

impl SaslMechanism {
    /// Its name in the registry of SASL.
    #[cfg(feature = "kafka")]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Settings {
    /// Checks the settings and the certificates; connects to nobody.
    ///
    /// # Errors
    ///
    /// If this build has no client for Kafka, the settings are incomplete, or a certificate cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        if !cfg!(feature = "kafka") {
            return Err(Error::NotBuilt);
        }
        for (name, is_set, other, other_is_set) in [
            (
                "password",
                self.password.is_some(),
                "username",
                self.username.is_some(),
            ),
            (
                "username",
                self.username.is_some(),
                "password",
                self.password.is_some(),
            ),
        ] {
            if is_set && !other_is_set {
                return Err(broker::Error::Incomplete(name, other).into());
            }
        }
        let certificate = self.tls_certificate_file.as_ref();
        let client = tls::identity(certificate, self.tls_key_file.as_ref())?;
        if self.address.is_tls {
            // librdkafka would say so only after it has connected.
            tls::configuration(self.tls_ca_file.as_deref(), client)?;
        }
        Ok(())
    }
}

/// Whether this is the name of a topic.
pub fn is_topic(text: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=249).contains(&text.len()) && text.chars().all(is_legal) && text != "." && text != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            address: "kafka://broker".parse().unwrap(),
            username: None,
            password: None,
            mechanism: SaslMechanism::default(),
            client_id: None,
            tls_ca_file: None,
            tls_certificate_file: None,
            tls_key_file: None,
            queue_size: 1,
        }
    }

    #[test]
    fn names_of_topics_are_told_from_other_texts() {
        for topic in ["emotion", "a.b_c-9", "..."] {
            assert!(is_topic(topic), "{topic}");
        }
        for text in [
            "",
            ".",
            "..",
            "a b",
            "emotion/hall",
            "größe",
            &"x".repeat(250),
        ] {
            assert!(!is_topic(text), "{text}");
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        let shown = format!(
            "{:?}",
            Settings {
                username: Some("anna".into()),
                password: Some("s3cret".into()),
                ..settings()
            }
        );
        assert!(
            shown.contains("anna") && !shown.contains("s3cret"),
            "{shown}"
        );
    }

    #[cfg(feature = "kafka")]
    #[test]
    fn what_is_incomplete_or_unreadable_is_named_without_a_connection() {
        let is = |change: fn(&mut Settings)| {
            let mut settings = settings();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        for (error, expected) in [
            (
                is(|settings| settings.password = Some("p".into())),
                "password is set without username",
            ),
            (
                is(|settings| settings.username = Some("u".into())),
                "username is set without password",
            ),
            (
                is(|settings| settings.tls_key_file = Some("a".into())),
                "tls-key-file is set without tls-certificate-file",
            ),
            (
                is(|settings| {
                    settings.address.is_tls = true;
                    settings.tls_ca_file = Some("/nowhere/ca.pem".into());
                }),
                "/nowhere/ca.pem: ",
            ),
        ] {
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(settings().check().is_ok());
    }

    #[cfg(not(feature = "kafka"))]
    #[test]
    fn a_build_without_kafka_says_how_to_get_one() {
        let error = settings().check().unwrap_err().to_string();
        assert!(error.contains("cargo feature kafka"), "{error}");
    }
}
