//! The settings of one stream.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use emotion_analysis::zones::ZoneLayout;
use serde::{Deserialize, Deserializer};

use super::camera_values;
use super::element_properties::ElementProperties;
use super::redaction::{redacted, secrets_in_address, secrets_in_launch_line};
use super::secret::Secret;
use super::values::{self, PictureMode, checked};
use super::zone::{LineSettings, ZoneSettings, ZoneTimes};
use crate::camera_mode::{FrameSize, WantedMode};
use crate::crowd::endpoint::{self, Endpoint};
use crate::crowd::mask::Polygon;
use crate::decoders::Decoders;

/// A stream.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Table")]
pub struct SourceSettings {
    /// Its name.
    pub name: String,
    /// Where its frames come from.
    pub origin: Origin,
    /// User name for the login.
    pub username: Option<String>,
    /// Password for the login.
    pub password: Option<Secret>,
    /// The transport of RTSP.
    pub transport: RtspTransport,
    /// How long to wait for late packets, in milliseconds.
    pub latency_ms: u32,
    /// The mode that a device is asked for.
    pub(crate) device_mode: WantedMode,
    /// PEM file of the authorities that its TLS certificate is checked with; `None` for those of the system.
    pub tls_ca_file: Option<PathBuf>,
    /// SHA-256 of the only certificate that is trusted, in hexadecimal digits.
    pub tls_fingerprint: Option<String>,
    /// The time from one request for a picture to the next, if the address is that of a single picture.
    pub snapshot_period: Option<Duration>,
    /// Quarter turns clockwise; `None` for those that the stream itself asks for.
    pub quarter_turns: Option<u8>,
    /// Whether left and right change sides, after the turn.
    pub mirror: bool,
    /// Whether interlaced pictures are deinterlaced.
    pub deinterlace: bool,
    /// Parts of the upright picture that are neither analysed nor shown.
    pub(crate) masks: Vec<Polygon>,
    /// Which decoders are used.
    pub decoders: Decoders,
    /// Whether frozen, black and covered pictures are noticed.
    pub picture_check: bool,
    /// The time between two analysed frames; `None` to analyse all.
    pub period: Option<Duration>,
    /// What to do when the stream ends.
    pub at_end: EndAction,
    /// How the page shows it, if not like the other streams.
    pub pictures: Option<PictureMode>,
    /// Properties of its `facedetect`, in addition to those for all streams.
    pub detect: ElementProperties,
    /// Properties of its `emotionclassify`, in addition to those for all streams.
    pub classify: ElementProperties,
    /// Its zones and lines.
    pub zones: ZoneLayout,
    /// How people in them are counted, where not as for all streams.
    pub zone_times: ZoneTimes,
    /// Its table as it was written, to compare it with another and to show it.
    pub(crate) table: toml::Table,
}

/// Hides the secrets.
impl fmt::Debug for SourceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceSettings")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Where frames come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Origin {
    /// An address for which GStreamer has an element.
    Uri(String),
    /// A Video4Linux device.
    Device(PathBuf),
    /// A file.
    File(PathBuf),
    /// A line for `gst-launch-1.0` without a sink, for raw or encoded video.
    Launch(String),
}

/// Hides logins and queries.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(uri) => f.debug_tuple("Uri").field(&redacted(uri, &[])).finish(),
            Self::Device(path) => f.debug_tuple("Device").field(path).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Launch(_) => f.write_str("Launch(…)"),
        }
    }
}

/// The transport of RTSP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RtspTransport {
    /// TCP, and UDP where the camera does not offer that.
    #[default]
    Auto,
    /// In the RTSP connection itself.
    Tcp,
    /// In UDP datagrams.
    Udp,
}

/// What to do when a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndAction {
    /// Stop it: the default for files.
    Stop,
    /// Open it again: the default for all other streams.
    Restart,
}

/// The table in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    #[serde(deserialize_with = "values::name")]
    name: String,
    #[serde(default, deserialize_with = "uri")]
    uri: Option<Origin>,
    #[serde(default, deserialize_with = "device")]
    device: Option<Origin>,
    #[serde(default, deserialize_with = "file")]
    file: Option<Origin>,
    #[serde(default, deserialize_with = "launch")]
    launch: Option<Origin>,
    username: Option<String>,
    password: Option<Secret>,
    #[serde(default)]
    transport: RtspTransport,
    #[serde(
        default = "default_latency",
        deserialize_with = "values::number::<_, _, 0, 60_000>"
    )]
    latency_ms: u32,
    #[serde(default, deserialize_with = "camera_values::size")]
    device_size: Option<FrameSize>,
    #[serde(default, deserialize_with = "camera_values::rate")]
    device_rate: Option<f64>,
    tls_ca_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "camera_values::fingerprint")]
    tls_fingerprint: Option<String>,
    #[serde(
        default,
        rename = "snapshot-seconds",
        deserialize_with = "camera_values::snapshot_period"
    )]
    snapshot_period: Option<Duration>,
    #[serde(default, deserialize_with = "camera_values::rotation")]
    rotation: Option<u8>,
    #[serde(default)]
    mirror: bool,
    #[serde(default = "camera_values::yes")]
    deinterlace: bool,
    #[serde(default, deserialize_with = "camera_values::masks")]
    masks: Vec<Polygon>,
    #[serde(default)]
    decoders: Decoders,
    #[serde(default = "camera_values::yes")]
    picture_check: bool,
    #[serde(default, deserialize_with = "frames_per_second")]
    frames_per_second: Option<Duration>,
    at_end: Option<EndAction>,
    pictures: Option<PictureMode>,
    #[serde(default, deserialize_with = "ElementProperties::facedetect")]
    detect: ElementProperties,
    #[serde(default, deserialize_with = "ElementProperties::emotionclassify")]
    classify: ElementProperties,
    #[serde(default, rename = "zone")]
    zones: Vec<ZoneSettings>,
    #[serde(default, rename = "line")]
    lines: Vec<LineSettings>,
    #[serde(default, rename = "zones")]
    zone_times: ZoneTimes,
}

/// Later packets are lost. A network within a building needs a tenth of this.
fn default_latency() -> u32 {
    200
}

impl TryFrom<Table> for SourceSettings {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let name = table.name;
        let origins = [table.uri, table.device, table.file, table.launch];
        let mut origins = origins.into_iter().flatten();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return Err(format!(
                "the source {name} needs exactly one of uri, device, file and launch"
            ));
        };
        if table.password.is_some() && table.username.is_none() {
            return Err(format!(
                "the source {name} has a password and no username: set both"
            ));
        }
        let scheme = match &origin {
            Origin::Uri(uri) => uri.split_once("://").map_or("", |(scheme, _)| scheme),
            _ => "",
        };
        let scheme = scheme.to_ascii_lowercase();
        let is_device = matches!(origin, Origin::Device(_));
        for (setting, is_set, is_possible, expected) in [
            (
                "transport",
                table.transport != RtspTransport::default(),
                scheme.starts_with("rtsp"),
                "an address with rtsp",
            ),
            (
                "tls-ca-file",
                table.tls_ca_file.is_some(),
                scheme.starts_with("rtsps") || scheme == "https",
                "an address with rtsps or https",
            ),
            (
                "tls-fingerprint",
                table.tls_fingerprint.is_some(),
                scheme.starts_with("rtsps"),
                "an address with rtsps",
            ),
            (
                "snapshot-seconds",
                table.snapshot_period.is_some(),
                scheme == "http" || scheme == "https",
                "an address with http or https",
            ),
            (
                "device-size",
                table.device_size.is_some(),
                is_device,
                "a device",
            ),
            (
                "device-rate",
                table.device_rate.is_some(),
                is_device,
                "a device",
            ),
        ] {
            if is_set && !is_possible {
                return Err(format!(
                    "the source {name} has {setting}, which needs {expected}"
                ));
            }
        }
        let at_end = table.at_end.unwrap_or(match origin {
            Origin::File(_) => EndAction::Stop,
            _ => EndAction::Restart,
        });
        let zones = table.zones.into_iter().map(|zone| zone.0).collect();
        let lines = table.lines.into_iter().map(|line| line.0).collect();
        let zones = ZoneLayout::new(zones, lines)
            .map_err(|error| format!("zones and lines of the source {name}: {error}"))?;
        Ok(Self {
            name,
            origin,
            username: table.username,
            password: table.password,
            transport: table.transport,
            latency_ms: table.latency_ms,
            device_mode: WantedMode {
                size: table.device_size,
                rate: table.device_rate,
            },
            tls_ca_file: table.tls_ca_file,
            tls_fingerprint: table.tls_fingerprint,
            snapshot_period: table.snapshot_period,
            quarter_turns: table.rotation,
            mirror: table.mirror,
            deinterlace: table.deinterlace,
            masks: table.masks,
            decoders: table.decoders,
            picture_check: table.picture_check,
            period: table.frames_per_second,
            at_end,
            pictures: table.pictures,
            detect: table.detect,
            classify: table.classify,
            zones,
            zone_times: table.zone_times,
            table: toml::Table::new(),
        })
    }
}

impl SourceSettings {
    /// Reads a source that does not stand in the file.
    ///
    /// # Errors
    ///
    /// If a setting is wrong, with its key.
    pub(crate) fn from_table(table: toml::Table) -> Result<Self, String> {
        let read: Self = table
            .clone()
            .try_into()
            .map_err(|error: toml::de::Error| error.to_string().trim_end().replace('\n', " "))?;
        Ok(Self { table, ..read })
    }

    /// `text` about this source in one line, without its secrets.
    pub fn without_secrets(&self, text: &str) -> String {
        let mut secrets = match &self.origin {
            Origin::Uri(uri) => secrets_in_address(uri),
            Origin::Launch(line) => secrets_in_launch_line(line),
            Origin::Device(_) | Origin::File(_) => Vec::new(),
        };
        if let Some(password) = &self.password {
            secrets.insert(0, password.reveal().to_owned());
        }
        redacted(text, &secrets)
    }

    /// The server of an address; `None` for other origins and for addresses without one.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        match &self.origin {
            Origin::Uri(uri) => endpoint::endpoint(uri).ok().flatten(),
            _ => None,
        }
    }
}

fn uri<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Origin>, D::Error> {
    checked(deserializer, |uri: String| {
        let hide = |text: &str| redacted(text, &secrets_in_address(&uri));
        let shown = hide(&uri);
        if !uri.contains("://") {
            return Err(format!(
                "{shown:?} is no address: expected SCHEME://…, such as rtsp://camera/stream"
            ));
        }
        endpoint::endpoint(&uri).map_err(|error| hide(&error))?;
        gst::Element::make_from_uri(gst::URIType::Src, &uri, None).map_err(|error| {
            format!("GStreamer cannot open {shown:?}: {}", hide(error.message()))
        })?;
        Ok(Some(Origin::Uri(uri)))
    })
}

fn device<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Origin>, D::Error> {
    PathBuf::deserialize(deserializer).map(|path| Some(Origin::Device(path)))
}

fn file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Origin>, D::Error> {
    checked(deserializer, |path: PathBuf| {
        if !path.is_file() {
            return Err(format!("{}: there is no such file", path.display()));
        }
        let path =
            std::path::absolute(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Some(Origin::File(path)))
    })
}

fn launch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Origin>, D::Error> {
    checked(deserializer, |line: String| {
        // A line may end in caps only if an element follows.
        gst::parse::bin_from_description(&format!("{line} ! identity"), false).map_err(
            |error| {
                let error = redacted(error.message(), &secrets_in_launch_line(&line));
                format!("no part of a pipeline: {error}")
            },
        )?;
        Ok::<_, String>(Some(Origin::Launch(line)))
    })
}

fn frames_per_second<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    values::period(deserializer).map(Some)
}
