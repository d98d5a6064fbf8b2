//! The computer and port that an address leads to.

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// A host name or an IP address, without brackets.
    pub(crate) host: String,
    /// A TCP port.
    pub(crate) port: u16,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// The endpoint of `uri`; `None` for addresses that lead to no TCP server.
///
/// # Errors
///
/// If the address has no host, or a port that is none.
pub(super) fn endpoint(uri: &str) -> Result<Option<Endpoint>, String> {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return Ok(None);
    };
    let usual_port = match scheme.to_ascii_lowercase().as_str() {
        "rtsp" | "rtspu" | "rtspt" | "rtsph" => 554,
        "rtsps" | "rtspsu" | "rtspst" | "rtspsh" => 322,
        "http" => 80,
        "https" => 443,
        "rtmp" | "rtmpt" => 1935,
        _ => return Ok(None),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    let (host, port) = match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() {
        return Err(format!("expected a host, {scheme}://HOST/…, found none"));
    }
    let port = match port {
        None => usual_port,
        Some(text) => text.parse().ok().filter(|port| *port > 0).ok_or(format!(
            "expected a port from 1 to 65535 behind {host}, found {text:?}"
        ))?,
    };
    Ok(Some(Endpoint {
        host: host.to_owned(),
        port,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_of_an_address_are_found() {
        for (uri, expected) in [
            ("rtsp://camera/stream", Some("camera:554")),
            ("rtsps://me:p:w@camera.lan/x", Some("camera.lan:322")),
            ("http://[::1]:8080/?a=b:c@d", Some("[::1]:8080")),
            ("https://cam", Some("cam:443")),
            ("file:///a:b", None),
            ("srt://:9000", None),
        ] {
            let found = endpoint(uri).unwrap_or_else(|error| panic!("{uri}: {error}"));
            assert_eq!(
                found.map(|found| found.to_string()).as_deref(),
                expected,
                "{uri}"
            );
        }
        for (uri, said) in [
            ("rtsp://x:port/y", "found \"port\""),
            ("rtsp://x:99999/y", "1 to 65535"),
            ("rtsp:///y", "expected a host"),
        ] {
            let error = endpoint(uri).expect_err(uri);
            assert!(error.contains(said), "{uri}: {error}");
        }
    }
}
