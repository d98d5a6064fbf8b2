//! Where the pictures of a stream come from.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::{Classify, Detect, ElementProperties, FrameRate, PictureMode, Secret, SourceName};

/// A stream.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Table")]
pub struct SourceSettings {
    /// Its name.
    pub name: SourceName,
    /// Where its pictures come from.
    pub origin: Origin,
    /// Login.
    pub username: Option<String>,
    /// Login.
    pub password: Option<Secret>,
    /// How RTSP is carried.
    pub transport: RtspTransport,
    /// How long to wait for packets that come late, in milliseconds.
    pub latency_ms: u32,
    /// Frames to analyse in a second; none for all.
    pub rate: Option<FrameRate>,
    /// What happens when the stream ends.
    pub at_end: AtEnd,
    /// What is to be seen of it on the page, if that differs from the other streams.
    pub pictures: Option<PictureMode>,
    /// Properties of its `facedetect`, besides those for all.
    pub detect: ElementProperties<Detect>,
    /// Properties of its `emotionclassify`, besides those for all.
    pub classify: ElementProperties<Classify>,
}

/// Where pictures come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Origin {
    /// Any address that GStreamer has an element for.
    Uri(String),
    /// A Video4Linux device.
    Device(PathBuf),
    /// A file.
    File(PathBuf),
    /// A line for `gst-launch-1.0` without its sink, of raw or encoded video.
    Launch(String),
}

/// Without the login that an address may hold; a line may hold one anywhere.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(uri) => {
                let shown = login_in(uri).map(|login| uri.replacen(login, "…", 1));
                f.debug_tuple("Uri")
                    .field(&shown.as_ref().unwrap_or(uri))
                    .finish()
            }
            Self::Device(path) => f.debug_tuple("Device").field(path).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Launch(_) => f.write_str("Launch(…)"),
        }
    }
}

/// How RTSP is carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RtspTransport {
    /// In the connection itself.
    #[default]
    Tcp,
    /// In datagrams.
    Udp,
}

/// What happens when a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtEnd {
    /// It is done: the default for files.
    Stop,
    /// It is opened again: the default for all else.
    Restart,
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    name: SourceName,
    uri: Option<Uri>,
    device: Option<PathBuf>,
    file: Option<File>,
    launch: Option<Launch>,
    username: Option<String>,
    password: Option<Secret>,
    #[serde(default)]
    transport: RtspTransport,
    #[serde(default = "default_latency")]
    latency_ms: u32,
    frames_per_second: Option<FrameRate>,
    at_end: Option<AtEnd>,
    pictures: Option<PictureMode>,
    #[serde(default)]
    detect: ElementProperties<Detect>,
    #[serde(default)]
    classify: ElementProperties<Classify>,
}

/// Packets that are later are lost; a network within a building needs a tenth of it.
fn default_latency() -> u32 {
    200
}

impl TryFrom<Table> for SourceSettings {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let name = table.name;
        let given = [
            table.uri.map(|Uri(uri)| Origin::Uri(uri)),
            table.device.map(Origin::Device),
            table.file.map(|File(file)| Origin::File(file)),
            table.launch.map(|Launch(line)| Origin::Launch(line)),
        ];
        let mut given = given.into_iter().flatten();
        let (Some(origin), None) = (given.next(), given.next()) else {
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
            Origin::File(_) => AtEnd::Stop,
            _ => AtEnd::Restart,
        });
        Ok(Self {
            name,
            origin,
            username: table.username,
            password: table.password,
            transport: table.transport,
            latency_ms: table.latency_ms,
            rate: table.frames_per_second,
            at_end,
            pictures: table.pictures,
            detect: table.detect,
            classify: table.classify,
        })
    }
}

impl SourceSettings {
    /// `text` without the passwords that GStreamer may have put into it.
    pub fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(password) = &self.password {
            text = text.replace(password.reveal(), "…");
        }
        if let Origin::Uri(uri) = &self.origin
            && let Some(login) = login_in(uri)
        {
            text = text.replace(login, "…");
        }
        text
    }
}

/// `name:password` of an address.
fn login_in(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(login, _)| login)
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Uri(String);

impl TryFrom<String> for Uri {
    type Error = String;

    fn try_from(uri: String) -> Result<Self, String> {
        let shown = login_in(&uri).map_or(uri.clone(), |login| uri.replace(login, "…"));
        if !uri.contains("://") {
            return Err(format!(
                "{shown:?} is no address: expected SCHEME://…, such as rtsp://camera/stream"
            ));
        }
        gst::Element::make_from_uri(gst::URIType::Src, &uri, None)
            .map_err(|error| format!("GStreamer cannot open {shown:?}: {}", error.message()))?;
        Ok(Self(uri))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "PathBuf")]
struct File(PathBuf);

impl TryFrom<PathBuf> for File {
    type Error = String;

    fn try_from(path: PathBuf) -> Result<Self, String> {
        if !path.is_file() {
            return Err(format!("{}: there is no such file", path.display()));
        }
        std::path::absolute(&path)
            .map(Self)
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Launch(String);

impl TryFrom<String> for Launch {
    type Error = String;

    fn try_from(line: String) -> Result<Self, String> {
        // Caps may end the line only where something follows.
        gst::parse::bin_from_description(&format!("{line} ! identity"), false)
            .map_err(|error| format!("no part of a pipeline: {}", error.message()))?;
        Ok(Self(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_in_an_address_is_found_and_only_there() {
        for (uri, login) in [
            ("rtsp://me:secret@camera/stream", Some("me:secret")),
            ("rtsp://camera/a@b", None),
            ("rtsp://camera", None),
            ("rtsp://me:p@ss@camera:554", Some("me:p@ss")),
        ] {
            assert_eq!(login_in(uri), login, "{uri}");
        }
    }
}
