//! The properties of `emotionpublish`.

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

use super::settings::{IncludedFrames, PublishMethod, RecordFormat, Settings};
use crate::property::{HasProperties, Property, PropertyTable, property, read, read_time};

impl HasProperties for Settings {
    fn properties() -> &'static PropertyTable<Self> {
        static TABLE: LazyLock<PropertyTable<Settings>> = LazyLock::new(table);

        &TABLE
    }
}

fn text(name: &str, nick: &str, blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .mutable_ready()
        .build()
}

fn table() -> PropertyTable<Settings> {
    let defaults = Settings::default();
    PropertyTable::new([
        property!(
            glib::ParamSpecEnum::builder_with_default("method", PublishMethod::default())
                .nick("Method")
                .blurb("Where the records go")
                .mutable_ready()
                .build(),
            method
        ),
        property!(
            glib::ParamSpecEnum::builder_with_default("format", RecordFormat::default())
                .nick("Format")
                .blurb("How records are written; MQTT takes JSON only")
                .mutable_ready()
                .build(),
            format
        ),
        property!(
            text(
                "location",
                "Location",
                "File, pipe or device that the records go to; - = standard output",
            ),
            location
        ),
        property!(
            text(
                "address",
                "Address",
                "The MQTT broker: mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS",
            ),
            address
        ),
        Property {
            spec: glib::ParamSpecString::builder("topic")
                .nick("Topic")
                .blurb("The MQTT topic of the records")
                .default_value(Some(defaults.topic.as_str()))
                .mutable_ready()
                .build(),
            get: |settings| settings.topic.to_value(),
            set: |settings, value| {
                settings.topic = read::<Option<String>>(value).unwrap_or_default();
                Ok(())
            },
        },
        property!(
            text("username", "User name", "Name for the MQTT broker's login"),
            username
        ),
        property!(
            glib::ParamSpecString::builder("password")
                .nick("Password")
                .blurb("Password for the MQTT broker's login; cannot be read back")
                .write_only()
                .mutable_ready()
                .build(),
            password
        ),
        property!(
            text(
                "client-id",
                "Client id",
                "Name of this client at the MQTT broker, where each name may be connected once (unset = one of its own)",
            ),
            client_id
        ),
        property!(
            text(
                "tls-ca-file",
                "TLS authorities",
                "PEM file with the authorities that the MQTT broker's certificate is checked against (unset = those of \
                 the system)",
            ),
            tls_ca_file
        ),
        property!(
            text(
                "tls-certificate-file",
                "TLS certificate",
                "PEM file with the certificate that is shown to the MQTT broker",
            ),
            tls_certificate_file
        ),
        property!(
            text(
                "tls-key-file",
                "TLS key",
                "PEM file with the key of tls-certificate-file",
            ),
            tls_key_file
        ),
        property!(
            glib::ParamSpecUInt::builder("queue-size")
                .nick("Queue size")
                .blurb(
                    "Records that are kept while the MQTT broker is away; then the oldest make room"
                )
                .minimum(1)
                .maximum(1_000_000)
                .default_value(defaults.queue_size)
                .mutable_ready()
                .build(),
            queue_size
        ),
        Property {
            spec: glib::ParamSpecUInt64::builder("interval")
                .nick("Interval")
                .blurb("Least time between two records in nanoseconds, 0 = every frame")
                .mutable_playing()
                .build(),
            get: |settings| settings.interval.nseconds().to_value(),
            set: |settings, value| {
                settings.interval = read_time(value);
                Ok(())
            },
        },
        property!(
            glib::ParamSpecEnum::builder_with_default("include", IncludedFrames::default())
                .nick("Include")
                .blurb("Which frames are recorded")
                .mutable_playing()
                .build(),
            include
        ),
        property!(
            glib::ParamSpecBoolean::builder("wall-clock")
                .nick("Wall clock")
                .blurb("Add the computer's clock to each record, RFC 3339 in UTC")
                .mutable_playing()
                .build(),
            wall_clock
        ),
        property!(
            glib::ParamSpecString::builder("source")
                .nick("Source")
                .blurb("Name of the stream in each record (unset = none)")
                .mutable_playing()
                .build(),
            source
        ),
    ])
}
