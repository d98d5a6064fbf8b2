//! The address of a broker.

use std::str::FromStr;

use super::error::Error;
use crate::broker::parse_host;

/// A broker's host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// Its host name or IP address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
}

/// Parses `mqtt://HOST:PORT`, `mqtts://HOST:PORT` for TLS, or `HOST:PORT`. The port may be omitted; IPv6 addresses are in
/// brackets.
impl FromStr for BrokerAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error::Address(text.to_owned());
        let (is_tls, rest) = match text.split_once("://") {
            Some(("mqtt" | "tcp", rest)) => (false, rest),
            Some(("mqtts" | "ssl", rest)) => (true, rest),
            Some(_) => return Err(error()),
            None => (false, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let default_port = if is_tls { 8883 } else { 1883 };
        let (host, port) = parse_host(rest, default_port).ok_or_else(error)?;
        Ok(Self { host, port, is_tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_port_have_defaults() {
        for (text, host, port, is_tls) in [
            ("broker", "broker", 1883, false),
            ("mqtt://broker.lan:1884", "broker.lan", 1884, false),
            ("mqtts://broker.lan/", "broker.lan", 8883, true),
            ("127.0.0.1:99", "127.0.0.1", 99, false),
            ("mqtts://[::1]:8884", "::1", 8884, true),
            ("[::1]", "::1", 1883, false),
        ] {
            let address: BrokerAddress = text.parse().unwrap();
            assert_eq!(
                (address.host.as_str(), address.port, address.is_tls),
                (host, port, is_tls),
                "{text}"
            );
        }
    }

    #[test]
    fn an_invalid_address_is_rejected_with_what_is_expected() {
        for text in [
            "",
            "http://broker",
            "broker:port",
            "broker:0",
            "mqtt://me:secret@broker",
            "[::1",
            "a b",
        ] {
            let error = text.parse::<BrokerAddress>().unwrap_err().to_string();
            assert!(error.contains("expected mqtt://HOST"), "{text}: {error}");
        }
    }
}
