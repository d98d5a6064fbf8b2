//! TLS and a login in front of a broker that has neither.
//!
//! The entrance ends TLS, answers the requests of the login itself, and passes on the others, one after another. In the answers
//! it puts its own port in the place of the broker's, so that clients stay with it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// Requests of Kafka by their numbers (<https://kafka.apache.org/protocol#protocol_api_keys>).
const SASL_HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;
const SASL_AUTHENTICATE: i16 = 36;
/// The errors of a login (<https://kafka.apache.org/protocol#protocol_error_codes>).
const UNSUPPORTED_MECHANISM: i16 = 33;
const AUTHENTICATION_FAILED: i16 = 58;

/// An entrance with TLS to a broker. It ends with the test.
#[derive(Debug)]
pub struct SecureEntrance {
    /// Its port.
    pub port: u16,
}

#[derive(Clone)]
struct Rules {
    /// The broker's port.
    upstream: u16,
    port: u16,
    /// What the mechanism PLAIN sends (RFC 4616); `None` for no login.
    login: Option<Vec<u8>>,
}

impl SecureEntrance {
    /// An entrance to the broker at `upstream`, `HOST:PORT`, with the certificate `broker.pem` of `folder`. It asks clients for a
    /// certificate of the authority `ca.pem` if `is_strict`, and for the login, if there is one.
    ///
    /// # Panics
    ///
    /// When the files are not there.
    pub fn start(upstream: &str, folder: &Path, is_strict: bool, login: Option<[&str; 2]>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let upstream = upstream
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let rules = Rules {
            upstream: upstream.expect("a port"),
            port,
            login: login.map(|[user, password]| format!("\0{user}\0{password}").into_bytes()),
        };
        let config = config(folder, is_strict);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (rules, config) = (rules.clone(), config.clone());
                // A client that leaves ends its connection.
                std::thread::spawn(move || rules.serve(client, config));
            }
        });
        Self { port }
    }
}

fn config(folder: &Path, is_strict: bool) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(folder.join("broker.pem")).expect("a certificate");
    let chain: Vec<_> = chain.map(|one| one.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_file(folder.join("broker.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the versions are known");
    let builder = match is_strict {
        false => builder.with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            let ca = CertificateDer::from_pem_file(folder.join("ca.pem")).expect("a certificate");
            roots.add(ca).expect("an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let config = builder.with_single_cert(chain, key);
    Arc::new(config.expect("the key belongs to the certificate"))
}

impl Rules {
    /// Serves a client until one of the two sides ends.
    fn serve(&self, client: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
        let tls = ServerConnection::new(config).map_err(std::io::Error::other)?;
        let mut client = StreamOwned::new(tls, client);
        let mut broker = TcpStream::connect(("127.0.0.1", self.upstream))?;
        let mut is_logged_in = self.login.is_none();
        loop {
            let request = read_frame(&mut client)?;
            let (api, correlation) = (short(&request, 0), &request[4..8]);
            let answer = match api {
                API_VERSIONS => with_login(exchange(&mut broker, &request)?, short(&request, 2)),
                SASL_HANDSHAKE => {
                    let is_known = request.ends_with(b"\0\x05PLAIN");
                    let error = if is_known { 0 } else { UNSUPPORTED_MECHANISM };
                    let mechanisms = [&1_i32.to_be_bytes()[..], b"\0\x05PLAIN"].concat();
                    [correlation, &error.to_be_bytes(), &mechanisms].concat()
                }
                SASL_AUTHENTICATE => {
                    let login = self.login.as_deref().unwrap_or_default();
                    is_logged_in = request.ends_with(login) && !login.is_empty();
                    let error = if is_logged_in {
                        0
                    } else {
                        AUTHENTICATION_FAILED
                    };
                    // No message, and no bytes in return.
                    let rest = [&(-1_i16).to_be_bytes()[..], &0_i32.to_be_bytes()].concat();
                    [correlation, &error.to_be_bytes(), &rest].concat()
                }
                _ if is_logged_in => exchange(&mut broker, &request)?,
                // A broker closes the connection as well.
                _ => return Ok(()),
            };
            write_frame(&mut client, &self.with_own_port(answer))?;
        }
    }

    /// `answer` with our port wherever the broker's address stands.
    fn with_own_port(&self, mut answer: Vec<u8>) -> Vec<u8> {
        let port = |port: u16| i32::from(port).to_be_bytes();
        let address = [b"127.0.0.1", &port(self.upstream)[..]].concat();
        let places: Vec<_> = answer
            .windows(address.len())
            .enumerate()
            .filter_map(|(place, found)| (found == address).then_some(place))
            .collect();
        for place in places {
            let end = place + address.len();
            answer[end - 4..end].copy_from_slice(&port(self.port));
        }
        answer
    }
}

/// The answer to a request for the known requests, with those of the login added. From version 3 on it is written compactly.
fn with_login(answer: Vec<u8>, version: i16) -> Vec<u8> {
    let is_compact = version >= 3 && short(&answer, 4) == 0;
    let mut added = Vec::new();
    for (api, most) in [(SASL_HANDSHAKE, 1_i16), (SASL_AUTHENTICATE, 0)] {
        for number in [api, 0, most] {
            added.extend(number.to_be_bytes());
        }
        if is_compact {
            added.push(0);
        }
    }
    let count = match is_compact {
        // One more than there are, in a byte while they are few.
        true => vec![answer[6] + 2],
        false => (i32::from_be_bytes(answer[6..10].try_into().expect("four bytes")) + 2)
            .to_be_bytes()
            .to_vec(),
    };
    [&answer[..6], &count, &added, &answer[6 + count.len()..]].concat()
}

fn exchange(broker: &mut TcpStream, request: &[u8]) -> std::io::Result<Vec<u8>> {
    write_frame(broker, request)?;
    read_frame(broker)
}

fn read_frame(from: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut frame)?;
    Ok(frame)
}

fn write_frame(to: &mut impl Write, frame: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(std::io::Error::other)?;
    to.write_all(&[&length.to_be_bytes()[..], frame].concat())?;
    to.flush()
}

fn short(frame: &[u8], at: usize) -> i16 {
    frame
        .get(at..at + 2)
        .map_or(-1, |bytes| i16::from_be_bytes([bytes[0], bytes[1]]))
}
