//! The properties of `emotionpublish`.

use std::sync::LazyLock;

use gst::glib::{ParamSpecBoolean, ParamSpecEnum, ParamSpecString, ParamSpecUInt, ParamSpecUInt64};
use gst::prelude::*;

use super::settings::{IncludedFrames, PublishMethod, RecordFormat, Settings};
use crate::kafka::SaslMechanism;
use crate::property::{HasProperties, PropertyTable, property, read, read_time};

impl HasProperties for Settings {
    fn properties() -> &'static PropertyTable<Self> {
        static TABLE: LazyLock<PropertyTable<Settings>> = LazyLock::new(table);

        &TABLE
    }
}

fn table() -> PropertyTable<Settings> {
    let defaults = Settings::default();
    let text = |name| ParamSpecString::builder(name).mutable_ready();
    PropertyTable::new(
        "; with method=mqtt and kafka also sent, queued, dropped, reconnects, and connected (boolean)",
        [
            property!(
                ParamSpecEnum::builder_with_default("method", PublishMethod::default())
                    .mutable_ready(),
                "Method",
                "Where the records go",
                method,
            ),
            property!(
                ParamSpecEnum::builder_with_default("format", RecordFormat::default())
                    .mutable_ready(),
                "Format",
                "How records are written; brokers take JSON only",
                format,
            ),
            property!(
                text("location"),
                "Location",
                "File, pipe or device that the records go to; - = standard output",
                location,
            ),
            property!(
                text("address"),
                "Address",
                "The MQTT broker: mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS; or Kafka's brokers: kafka://HOST:PORT,HOST:PORT, or kafkas:// for TLS",
                address,
            ),
            property!(
                text("topic").default_value(Some(defaults.topic.as_str())),
                "Topic",
                "The topic of the records",
                |settings| settings.topic.to_value(),
                |settings, value| {
                    settings.topic = read::<Option<String>>(value).unwrap_or_default();
                    Ok(())
                },
            ),
            property!(
                text("username"),
                "User name",
                "Name for the broker's login",
                username,
            ),
            property!(
                text("password").write_only(),
                "Password",
                "Password for the broker's login; cannot be read back",
                password,
            ),
            property!(
                ParamSpecEnum::builder_with_default("sasl-mechanism", SaslMechanism::default())
                    .mutable_ready(),
                "SASL mechanism",
                "How to log in to Kafka",
                sasl_mechanism,
            ),
            property!(
                text("client-id"),
                "Client id",
                "Name of this client at the broker; at that of MQTT each name may be connected once (unset = one of its own)",
                client_id,
            ),
            property!(
                text("tls-ca-file"),
                "TLS authorities",
                "PEM file with the authorities that the broker's certificate is checked against (unset = those of the \
             system)",
                tls_ca_file,
            ),
            property!(
                text("tls-certificate-file"),
                "TLS certificate",
                "PEM file with the certificate that is shown to the broker",
                tls_certificate_file,
            ),
            property!(
                text("tls-key-file"),
                "TLS key",
                "PEM file with the key of tls-certificate-file",
                tls_key_file,
            ),
            property!(
                ParamSpecUInt::builder("queue-size")
                    .minimum(1)
                    .maximum(1_000_000)
                    .default_value(defaults.queue_size)
                    .mutable_ready(),
                "Queue size",
                "Records that are kept while the broker is away; then the oldest make room",
                queue_size,
            ),
            property!(
                ParamSpecUInt64::builder("interval")
                    .mutable_playing()
                    .controllable(),
                "Interval",
                "Least time between two records in nanoseconds, 0 = every frame",
                |settings| settings.interval.nseconds().to_value(),
                |settings, value| {
                    settings.interval = read_time(value);
                    Ok(())
                },
            ),
            property!(
                ParamSpecEnum::builder_with_default("include", IncludedFrames::default())
                    .mutable_playing()
                    .controllable(),
                "Include",
                "Which frames are recorded",
                include,
            ),
            property!(
                ParamSpecBoolean::builder("wall-clock")
                    .mutable_playing()
                    .controllable(),
                "Wall clock",
                "Add the computer's clock to each record, RFC 3339 in UTC",
                wall_clock,
            ),
            property!(
                ParamSpecString::builder("source").mutable_playing(),
                "Source",
                "Name of the stream in each record (unset = none)",
                source,
            ),
            #[cfg(feature = "v1_24")]
            crate::property::Property {
                spec: crate::face::FaceTypes::param_spec(),
                get: |settings| settings.face_types.to_string().to_value(),
                set: |settings, value| {
                    settings.face_types = crate::face::FaceTypes::from_value(value);
                    Ok(())
                },
            },
        ],
    )
}
