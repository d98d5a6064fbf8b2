//! Why a source failed: what its pipeline posts, told apart by cause.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use crate::runner::{self, StopFlag};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the cause of a failure is looked for.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often the [`StopFlag`] is checked meanwhile.
const TICK: Duration = Duration::from_millis(100);

/// The failure of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceFailure {
    /// What happened and what to do.
    pub(super) reason: String,
    pub(super) cause: FailureCause,
}

/// The causes of failures that are treated in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureCause {
    /// The server rejects the login.
    Login,
    /// The camera does not offer the transport of RTSP that was asked for.
    Transport,
    /// No frame came.
    Silence,
    /// The server may not be reachable; [`unreachable`] tells.
    Connection,
    /// Any other.
    Other,
}

impl SourceFailure {
    pub(super) fn other(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            cause: FailureCause::Other,
        }
    }
}

/// What a pipeline has posted up to its failure.
#[derive(Debug, Default)]
pub(super) struct Symptoms {
    /// The media types that no installed element decodes, each with its name in plain words.
    missing: Vec<(String, String)>,
}

impl Symptoms {
    /// Notes a message of an element.
    pub(super) fn note(&mut self, message: &gst::message::Element) {
        let Some(structure) = message.structure() else {
            return;
        };
        if structure.name() != "missing-plugin" {
            return;
        }
        let media = structure.get::<gst::Caps>("detail").ok();
        let media = media.as_ref().and_then(|caps| caps.structure(0));
        let media = media.map_or(String::new(), |media| media.name().to_string());
        let name = structure.get::<String>("name").unwrap_or_default();
        self.missing.push((media, name));
    }

    /// The failure that `error` ends.
    pub(super) fn failure(&self, error: &gst::message::Error) -> SourceFailure {
        let (found, debug) = (error.error(), error.debug());
        let described = runner::described(None, &found, debug.clone());
        let is_of_server = |kind| found.matches::<gst::ResourceError>(kind);
        if is_of_server(gst::ResourceError::NotAuthorized) {
            return SourceFailure {
                reason: format!("{described} (check username and password)"),
                cause: FailureCause::Login,
            };
        }
        let is_missing = found.matches(gst::CoreError::MissingPlugin)
            || found.matches(gst::StreamError::CodecNotFound);
        if is_missing && let Some(reason) = self.undecodable() {
            return SourceFailure::other(reason);
        }
        if is_missing && debug.is_some_and(|debug| debug.contains("setup_streams")) {
            return SourceFailure {
                reason: "the camera does not offer this transport of RTSP".into(),
                cause: FailureCause::Transport,
            };
        }
        let is_known = is_of_server(gst::ResourceError::NotFound);
        let is_resource = found.kind::<gst::ResourceError>().is_some();
        SourceFailure {
            reason: described,
            cause: match is_resource && !is_known {
                true => FailureCause::Connection,
                false => FailureCause::Other,
            },
        }
    }

    /// Which decoder is not installed, or that there is no video to decode.
    fn undecodable(&self) -> Option<String> {
        let is_video = |media: &str| media.starts_with("video/") || media.starts_with("image/");
        let name = |name: &str| name.trim_end_matches(" decoder").to_owned();
        if let Some((media, video)) = self.missing.iter().find(|(media, _)| is_video(media)) {
            return Some(format!(
                "no decoder for {} ({media}) is installed; on Debian most come with gstreamer1.0-libav and \
                 gstreamer1.0-plugins-bad",
                name(video)
            ));
        }
        let others: Vec<_> = self.missing.iter().map(|(_, other)| name(other)).collect();
        (!others.is_empty()).then(|| format!("the stream has no video, only {}", others.join(", ")))
    }
}

/// Why nobody can connect to `endpoint`; `None` if connections are accepted, or `stop` was set meanwhile.
pub(super) fn unreachable(endpoint: &Endpoint, stop: &StopFlag) -> Option<String> {
    // The look-up of a name cannot be interrupted.
    let (sender, receiver) = sync_channel(1);
    let target = endpoint.clone();
    std::thread::Builder::new()
        .name("probe".into())
        .spawn(move || sender.send(probe(&target)))
        .ok()?;
    let end = Instant::now() + PATIENCE;
    while !stop.is_set() && Instant::now() < end {
        match receiver.recv_timeout(TICK) {
            Ok(found) => return found,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    None
}

fn probe(endpoint: &Endpoint) -> Option<String> {
    let Endpoint { host, port } = endpoint;
    let addresses: Vec<SocketAddr> = match (host.as_str(), *port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let error = error.to_string();
            let why = error.rsplit(": ").next().unwrap_or(&error);
            return Some(format!(
                "the name {host} is not found: {why} (check the address and the name server)"
            ));
        }
    };
    let mut reason = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(_) => return None,
            Err(error) => reason = Some(refusal(endpoint, &error)),
        }
    }
    reason
}

fn refusal(endpoint: &Endpoint, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            format!("{endpoint} refuses the connection: nothing listens there (check the port)")
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            format!("there is no route to {}", endpoint.host)
        }
        ErrorKind::TimedOut => format!(
            "{endpoint} does not answer within {} s",
            CONNECT_TIMEOUT.as_secs()
        ),
        _ => format!("{endpoint} cannot be reached: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str, port: u16) -> Endpoint {
        Endpoint {
            host: host.into(),
            port,
        }
    }

    #[test]
    fn a_closed_port_and_an_unknown_name_are_told_apart() {
        let stop = StopFlag::default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        assert_eq!(unreachable(&endpoint("127.0.0.1", port), &stop), None);
        drop(listener);
        let refused = unreachable(&endpoint("127.0.0.1", port), &stop).expect("it is closed");
        assert!(refused.contains("refuses the connection"), "{refused}");
        let unknown = probe(&endpoint("camera.invalid", 554)).expect("no such name");
        assert!(
            unknown.starts_with("the name camera.invalid is not found"),
            "{unknown}"
        );
    }

    #[test]
    fn a_missing_codec_is_named_and_a_stream_of_sound_alone_has_no_video() {
        let symptoms = |missing: &[(&str, &str)]| Symptoms {
            missing: missing
                .iter()
                .map(|(media, name)| (media.to_string(), name.to_string()))
                .collect(),
        };
        let sound = ("audio/x-raw", "Raw 16-bit PCM audio decoder");
        let both = symptoms(&[sound, ("video/x-h265", "H.265 (Main Profile) decoder")]);
        let said = both.undecodable().expect("a reason");
        assert!(
            said.starts_with("no decoder for H.265 (Main Profile) (video/x-h265)"),
            "{said}"
        );
        let said = symptoms(&[sound]).undecodable();
        assert_eq!(
            said.as_deref(),
            Some("the stream has no video, only Raw 16-bit PCM audio")
        );
        assert_eq!(symptoms(&[]).undecodable(), None);
    }
}
