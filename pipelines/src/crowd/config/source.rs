//! The settings of one stream.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use emotion_analysis::zones::ZoneLayout;
use serde::{Deserialize, Deserializer};

use super::element_properties::ElementProperties;
use super::secret::Secret;
use super::values::{self, PictureMode, checked};
use super::zone::{LineSettings, ZoneSettings};

/// A stream.
#[derive(Debug, Deserialize)]
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

/// Hides the login in an address, and the whole launch line, which may contain one anywhere.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(uri) => f.debug_tuple("Uri").field(&without_login(uri)).finish(),
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
    /// In the RTSP connection itself.
    #[default]
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
    #[serde(default = "default_latency")]
    latency_ms: u32,
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
            period: table.frames_per_second,
            at_end,
            pictures: table.pictures,
            detect: table.detect,
            classify: table.classify,
            zones,
        })
    }
}

impl SourceSettings {
    /// `text` without the passwords that GStreamer may have included.
    pub fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(password) = &self.password {
            text = text.replace(password.reveal(), "…");
        }
        if let Origin::Uri(uri) = &self.origin
            && let Some(login) = login(uri)
        {
            text = text.replace(login, "…");
        }
        text
    }
}

/// `name:password` in an address.
fn login(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(login, _)| login)
}

fn without_login(uri: &str) -> String {
    login(uri).map_or(uri.to_owned(), |login| uri.replace(login, "…"))
}

fn uri<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Origin>, D::Error> {
    checked(deserializer, |uri: String| {
        let shown = without_login(&uri);
        if !uri.contains("://") {
            return Err(format!(
                "{shown:?} is no address: expected SCHEME://…, such as rtsp://camera/stream"
            ));
        }
        gst::Element::make_from_uri(gst::URIType::Src, &uri, None)
            .map_err(|error| format!("GStreamer cannot open {shown:?}: {}", error.message()))?;
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
        gst::parse::bin_from_description(&format!("{line} ! identity"), false)
            .map_err(|error| format!("no part of a pipeline: {}", error.message()))?;
        Ok::<_, String>(Some(Origin::Launch(line)))
    })
}

fn frames_per_second<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    values::period(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_found_only_in_the_authority_of_an_address() {
        for (uri, expected) in [
            ("rtsp://me:secret@camera/stream", Some("me:secret")),
            ("rtsp://camera/a@b", None),
            ("rtsp://camera", None),
            ("rtsp://me:p@ss@camera:554", Some("me:p@ss")),
        ] {
            assert_eq!(login(uri), expected, "{uri}");
        }
    }
}
