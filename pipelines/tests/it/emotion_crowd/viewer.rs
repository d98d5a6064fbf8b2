//! A viewer of the page without a browser: its WebSocket.

use std::net::TcpStream;

use tungstenite::client::IntoClientRequest as _;
use tungstenite::{Message, WebSocket};

use super::running::{PATIENCE, Page};

/// A connected viewer.
pub(crate) struct Viewer(WebSocket<TcpStream>);

/// What a viewer receives.
pub(crate) enum News {
    /// The states of all sources.
    States(serde_json::Value),
    /// A JPEG of a source.
    Picture(String, Vec<u8>),
}

impl Viewer {
    /// Connects with these headers; the error is the status of the answer.
    pub(crate) fn connect(page: &Page, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let address = format!("ws://{}/live", page.0);
        let mut request = address.into_client_request().expect("an address");
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(&page.0).expect("it listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time is set");
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("no WebSocket: {error}"),
        }
    }

    pub(crate) fn send(&mut self, message: &serde_json::Value) {
        self.0
            .send(Message::text(message.to_string()))
            .expect("it is sent");
    }

    /// The next news; `None` at the end of the connection.
    pub(crate) fn news(&mut self) -> Option<News> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => {
                    return Some(News::States(serde_json::from_str(&text).expect("JSON")));
                }
                Ok(Message::Binary(bytes)) => {
                    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
                    let (name, picture) = bytes[2..].split_at(length);
                    let name = String::from_utf8(name.to_vec()).expect("a name");
                    return Some(News::Picture(name, picture.to_vec()));
                }
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(_) | Err(_) => return None,
            }
        }
    }

    /// The next states for which `is_it`.
    pub(crate) fn states(
        &mut self,
        is_it: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        loop {
            match self.news().expect("it is connected") {
                News::States(states) if is_it(&states) => return states,
                _ => {}
            }
        }
    }

    /// The next picture of any source, unconfirmed.
    pub(crate) fn picture(&mut self) -> (String, Vec<u8>) {
        loop {
            if let News::Picture(source, picture) = self.news().expect("it is connected") {
                return (source, picture);
            }
        }
    }
}
