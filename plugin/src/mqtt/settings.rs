//! The settings of a publisher.

use std::path::PathBuf;
use std::time::Duration;

use gst::glib;
use rumqttc::{MqttOptions, QoS, TlsConfiguration, Transport};

use super::address::BrokerAddress;
use super::error::Error;
use super::queue::IN_FLIGHT;
use crate::broker::{self, tls};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The largest packet of MQTT in bytes.
const LARGEST_PACKET: usize = 268_435_455;

/// A retained message that the broker publishes in the client's stead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWill {
    /// Its topic.
    pub topic: String,
    /// Its content.
    pub payload: String,
}

/// Where and as whom to publish.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The broker.
    pub address: BrokerAddress,
    /// User name for the login.
    pub username: Option<String>,
    /// Password for the login; needs a user name.
    pub password: Option<String>,
    /// The client's name at the broker, where each name can be connected once; `None` for a random one.
    pub client_id: Option<String>,
    /// PEM file of the trusted authorities; `None` for those of the system.
    pub tls_ca_file: Option<PathBuf>,
    /// PEM file of the client's certificate; needs its key.
    pub tls_certificate_file: Option<PathBuf>,
    /// PEM file of the certificate's key.
    pub tls_key_file: Option<PathBuf>,
    /// What the broker publishes when the connection breaks without a farewell.
    pub last_will: Option<LastWill>,
    /// Number of messages that are kept while the broker is unreachable, at least 1.
    pub queue_size: usize,
}

impl Settings {
    /// Checks the settings and the certificates; connects to nobody.
    ///
    /// # Errors
    ///
    /// If the settings are incomplete or a certificate cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        self.options().map(drop)
    }

    /// Checks the settings and reads the certificates.
    pub(super) fn options(&self) -> Result<MqttOptions, Error> {
        let BrokerAddress { host, port, is_tls } = &self.address;
        let client_id = self.client_id.clone().unwrap_or_else(random_client_id);
        let mut options = MqttOptions::new(client_id, host, *port);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(true)
            .set_inflight(IN_FLIGHT as u16)
            .set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
        match (&self.username, &self.password) {
            (Some(name), password) => {
                options.set_credentials(name, password.as_deref().unwrap_or_default());
            }
            (None, Some(_)) => {
                return Err(broker::Error::Incomplete("password", "username").into());
            }
            (None, None) => {}
        }
        let client = tls::identity(
            self.tls_certificate_file.as_ref(),
            self.tls_key_file.as_ref(),
        )?;
        if let Some(LastWill { topic, payload }) = &self.last_will {
            let will = rumqttc::LastWill::new(topic, payload.as_bytes(), QoS::AtLeastOnce, true);
            options.set_last_will(will);
        }
        if *is_tls {
            let configuration = tls::configuration(self.tls_ca_file.as_deref(), client)?;
            options.set_transport(Transport::Tls(TlsConfiguration::Rustls(configuration)));
        }
        Ok(options)
    }
}

/// Has 23 bytes, the most that every broker accepts.
fn random_client_id() -> String {
    let uuid = glib::uuid_string_random().replace('-', "");
    format!("emotion-{}", uuid.get(..15).unwrap_or_default())
}

/// Whether messages can be published to this topic.
pub fn is_topic(text: &str) -> bool {
    !text.is_empty() && !text.contains(['+', '#', '\0'])
}
