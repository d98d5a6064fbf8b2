//! The properties of `emotionpublish`.

use std::path::PathBuf;

use gst::glib;
use gst::prelude::*;

use super::output::Error;
use super::{Format, Include, Method};
use crate::mqtt;
use crate::stats::Stats;

/// About a minute of video without a broker.
const DEFAULT_QUEUE: u32 = 2000;

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) method: Method,
    pub(super) format: Format,
    pub(super) location: Option<String>,
    address: Option<String>,
    pub(super) topic: String,
    username: Option<String>,
    password: Option<String>,
    client_id: Option<String>,
    tls_ca_file: Option<String>,
    tls_certificate_file: Option<String>,
    tls_key_file: Option<String>,
    queue_size: u32,
    pub(super) interval: gst::ClockTime,
    pub(super) include: Include,
    pub(super) wall_clock: bool,
    pub(super) source: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: Method::default(),
            format: Format::default(),
            location: None,
            address: None,
            topic: "emotion".into(),
            username: None,
            password: None,
            client_id: None,
            tls_ca_file: None,
            tls_certificate_file: None,
            tls_key_file: None,
            queue_size: DEFAULT_QUEUE,
            interval: gst::ClockTime::ZERO,
            include: Include::default(),
            wall_clock: false,
            source: None,
        }
    }
}

impl Settings {
    /// All properties of the element.
    pub(super) fn param_specs() -> Vec<glib::ParamSpec> {
        let text = |name: &str, nick: &str, blurb: &str| {
            glib::ParamSpecString::builder(name)
                .nick(nick)
                .blurb(blurb)
                .mutable_ready()
                .build()
        };
        vec![
            glib::ParamSpecEnum::builder_with_default("method", Method::default())
                .nick("Method")
                .blurb("Where the records go")
                .mutable_ready()
                .build(),
            glib::ParamSpecEnum::builder_with_default("format", Format::default())
                .nick("Format")
                .blurb("How records are written; MQTT takes JSON only")
                .mutable_ready()
                .build(),
            text("location", "Location", "File, pipe or device that the records go to; - = standard output"),
            text("address", "Address", "The MQTT broker: mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS"),
            glib::ParamSpecString::builder("topic")
                .nick("Topic")
                .blurb("The MQTT topic of the records")
                .default_value(Some("emotion"))
                .mutable_ready()
                .build(),
            text("username", "User name", "Name for the MQTT broker's login"),
            glib::ParamSpecString::builder("password")
                .nick("Password")
                .blurb("Password for the MQTT broker's login; cannot be read back")
                .write_only()
                .mutable_ready()
                .build(),
            text("client-id", "Client id", "Name of this client at the MQTT broker, where each name may be connected once (unset = one of its own)"),
            text("tls-ca-file", "TLS authorities", "PEM file with the authorities that the MQTT broker's certificate is checked against (unset = those of the system)"),
            text("tls-certificate-file", "TLS certificate", "PEM file with the certificate that is shown to the MQTT broker"),
            text("tls-key-file", "TLS key", "PEM file with the key of tls-certificate-file"),
            glib::ParamSpecUInt::builder("queue-size")
                .nick("Queue size")
                .blurb("Records that are kept while the MQTT broker is away; then the oldest make room")
                .minimum(1)
                .maximum(1_000_000)
                .default_value(DEFAULT_QUEUE)
                .mutable_ready()
                .build(),
            glib::ParamSpecUInt64::builder("interval")
                .nick("Interval")
                .blurb("Least time between two records in nanoseconds, 0 = every frame")
                .mutable_playing()
                .build(),
            glib::ParamSpecEnum::builder_with_default("include", Include::default())
                .nick("Include")
                .blurb("Which frames are recorded")
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("wall-clock")
                .nick("Wall clock")
                .blurb("Add the computer's clock to each record, RFC 3339 in UTC")
                .mutable_playing()
                .build(),
            glib::ParamSpecString::builder("source")
                .nick("Source")
                .blurb("Name of the stream in each record (unset = none)")
                .mutable_playing()
                .build(),
            Stats::param_spec(),
        ]
    }

    pub(super) fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) {
        const CHECKED: &str = "type checked upstream";
        match pspec.name() {
            "method" => self.method = value.get().expect(CHECKED),
            "format" => self.format = value.get().expect(CHECKED),
            "location" => self.location = value.get().expect(CHECKED),
            "address" => self.address = value.get().expect(CHECKED),
            "topic" => {
                self.topic = value
                    .get::<Option<String>>()
                    .expect(CHECKED)
                    .unwrap_or_default()
            }
            "username" => self.username = value.get().expect(CHECKED),
            "password" => self.password = value.get().expect(CHECKED),
            "client-id" => self.client_id = value.get().expect(CHECKED),
            "tls-ca-file" => self.tls_ca_file = value.get().expect(CHECKED),
            "tls-certificate-file" => self.tls_certificate_file = value.get().expect(CHECKED),
            "tls-key-file" => self.tls_key_file = value.get().expect(CHECKED),
            "queue-size" => self.queue_size = value.get().expect(CHECKED),
            "interval" => {
                self.interval = gst::ClockTime::from_nseconds(value.get().expect(CHECKED));
            }
            "include" => self.include = value.get().expect(CHECKED),
            "wall-clock" => self.wall_clock = value.get().expect(CHECKED),
            "source" => self.source = value.get().expect(CHECKED),
            name => unreachable!("no writable property {name}"),
        }
    }

    pub(super) fn get(&self, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "method" => self.method.to_value(),
            "format" => self.format.to_value(),
            "location" => self.location.to_value(),
            "address" => self.address.to_value(),
            "topic" => self.topic.to_value(),
            "username" => self.username.to_value(),
            "client-id" => self.client_id.to_value(),
            "tls-ca-file" => self.tls_ca_file.to_value(),
            "tls-certificate-file" => self.tls_certificate_file.to_value(),
            "tls-key-file" => self.tls_key_file.to_value(),
            "queue-size" => self.queue_size.to_value(),
            "interval" => self.interval.nseconds().to_value(),
            "include" => self.include.to_value(),
            "wall-clock" => self.wall_clock.to_value(),
            "source" => self.source.to_value(),
            name => unreachable!("no property {name}"),
        }
    }

    /// The broker that these settings name.
    pub(super) fn broker(&self) -> Result<mqtt::Settings, Error> {
        let address = self
            .address
            .as_deref()
            .filter(|address| !address.is_empty());
        let address = address.ok_or(Error::NoAddress)?.parse()?;
        let login = match (&self.username, &self.password) {
            (Some(name), password) => Some((name.clone(), password.clone().unwrap_or_default())),
            (None, Some(_)) => return Err(Error::Alone("password", "username")),
            (None, None) => None,
        };
        let path = |text: &Option<String>| text.as_ref().map(PathBuf::from);
        let client = match (path(&self.tls_certificate_file), path(&self.tls_key_file)) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(Error::Alone("tls-certificate-file", "tls-key-file")),
            (None, Some(_)) => return Err(Error::Alone("tls-key-file", "tls-certificate-file")),
        };
        Ok(mqtt::Settings {
            address,
            login,
            client_id: self.client_id.clone().unwrap_or_else(unique_name),
            tls: mqtt::Tls {
                ca_file: path(&self.tls_ca_file),
                client,
            },
            queue: self.queue_size as usize,
        })
    }
}

/// No longer than the 23 bytes that every broker takes.
fn unique_name() -> String {
    let uuid = glib::uuid_string_random();
    format!(
        "emotion-{}",
        uuid.replace('-', "").get(..15).unwrap_or_default()
    )
}
