//! The addresses of a cluster.

use std::fmt;
use std::str::FromStr;

use super::error::Error;
use crate::broker::parse_host;

/// Brokers of a cluster. One that answers is enough, because it names the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaAddress {
    /// Their hosts and ports.
    pub brokers: Vec<(String, u16)>,
    /// Whether connections are encrypted.
    pub is_tls: bool,
}

/// Parses `kafka://HOST:PORT`, `kafkas://HOST:PORT` for TLS, or `HOST:PORT`, with several hosts separated by commas. The port may
/// be omitted; IPv6 addresses are in brackets.
impl FromStr for KafkaAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error::Address(text.to_owned());
        let (is_tls, rest) = match text.split_once("://") {
            Some(("kafka", rest)) => (false, rest),
            Some(("kafkas", rest)) => (true, rest),
            Some(_) => return Err(error()),
            None => (false, text),
        };
        let default_port = if is_tls { 9093 } else { 9092 };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let brokers = rest
            .split(',')
            .map(|one| parse_host(one.trim(), default_port));
        let brokers: Option<Vec<_>> = brokers.collect();
        Ok(Self {
            brokers: brokers.ok_or_else(error)?,
            is_tls,
        })
    }
}

/// As librdkafka's `bootstrap.servers`.
impl fmt::Display for KafkaAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (host, port)) in self.brokers.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match host.contains(':') {
                true => write!(f, "{comma}[{host}]:{port}")?,
                false => write!(f, "{comma}{host}:{port}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_port_have_defaults_and_several_hosts_are_taken() {
        for (text, servers, is_tls) in [
            ("broker", "broker:9092", false),
            ("kafka://a:1, b.lan", "a:1,b.lan:9092", false),
            ("kafkas://broker.lan/", "broker.lan:9093", true),
            ("kafkas://[::1],10.0.0.1:9", "[::1]:9093,10.0.0.1:9", true),
        ] {
            let address: KafkaAddress = text.parse().unwrap();
            let found = (address.to_string(), address.is_tls);
            assert_eq!(found, (servers.to_owned(), is_tls), "{text}");
        }
    }

    #[test]
    fn an_invalid_address_is_rejected_with_what_is_expected() {
        for text in [
            "",
            "a,,b",
            "mqtt://broker",
            "broker:port",
            "broker:0",
            "kafka://me:secret@broker",
            "[::1",
        ] {
            let error = text.parse::<KafkaAddress>().unwrap_err().to_string();
            assert!(error.contains("expected kafka://HOST"), "{text}: {error}");
        }
    }
}
