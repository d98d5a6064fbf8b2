//! The one connection of a viewer: states once a second as JSON, and the pictures of the sources that the viewer sees.
//!
//! A viewer names the sources that are visible and confirms each picture that it has shown. The next picture of a source is
//! sent only then. So a slow network gets fewer pictures, always the newest, and nothing piles up.
//!
//! A picture is a binary message: the length of the source's name in bytes (16 bits, most significant byte first), the name
//! in UTF-8, and a JPEG.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::time::MissedTickBehavior;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{StreamExt as _, StreamMap};

use super::connections::Connection;
use super::state::PageState;
use super::view::{StreamView, has_pictures};
use crate::crowd::log::log;

/// The time between two messages with states.
const STATE_PERIOD: Duration = Duration::from_secs(1);
/// The time between two pings, and how long a viewer may be silent.
const PING_PERIOD: Duration = Duration::from_secs(10);
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
/// The longest message of a viewer in bytes.
const LONGEST_MESSAGE: usize = 256 * 1024;

/// What a viewer sends.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum ViewerMessage {
    /// The sources whose pictures are visible from now on.
    Watch(BTreeSet<String>),
    /// The last picture of this source was shown.
    Shown(String),
}

/// The states of all sources.
#[derive(Serialize)]
struct States<'a> {
    version: &'static str,
    /// Whether the histories begin here, or continue those of the message before.
    is_first: bool,
    /// Whether a viewer can log out.
    has_login: bool,
    sources: Vec<StreamView<'a>>,
}

/// A connected viewer.
struct Viewer {
    page: Arc<PageState>,
    socket: WebSocket,
    /// The address of the viewer, or of its proxy.
    peer: IpAddr,
    /// The sources that are visible.
    visible: BTreeSet<String>,
    /// The sources whose pictures were sent, for the log.
    seen: BTreeSet<String>,
    /// Their pictures to come.
    pictures: StreamMap<String, WatchStream<Bytes>>,
    /// Those of the sources whose last picture is not yet shown.
    unconfirmed: HashMap<String, WatchStream<Bytes>>,
    /// The first second that the viewer lacks, for each source.
    next_second: HashMap<String, u64>,
    is_first: bool,
    heard: Instant,
    pinged: Instant,
}

enum Event {
    Heard(Option<Result<Message, axum::Error>>),
    StatesDue,
    Picture(String, Bytes),
}

/// Serves a viewer, if there is a place for one more.
pub(super) async fn connect(
    State(page): State<Arc<PageState>>,
    Extension(connection): Extension<Arc<Connection>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(LONGEST_MESSAGE)
        .on_upgrade(move |socket| async move {
            let peer = connection.peer;
            let Ok(_place) = page.viewers.clone().try_acquire_owned() else {
                log("page", &format!("no place for a viewer at {peer}"));
                return refuse(socket).await;
            };
            log("page", &format!("a viewer at {peer}"));
            let mut viewer = Viewer::new(page, socket, peer);
            // A connection that breaks is an end like any other.
            let _ = viewer.serve().await;
            log("page", &format!("the viewer at {peer} has left"));
        })
}

/// Tells a viewer why it is not served.
async fn refuse(mut socket: WebSocket) {
    let reason = CloseFrame {
        code: close_code::AGAIN,
        reason: "too many viewers".into(),
    };
    // It may have left already.
    let _ = socket.send(Message::Close(Some(reason))).await;
}

impl Viewer {
    fn new(page: Arc<PageState>, socket: WebSocket, peer: IpAddr) -> Self {
        Self {
            page,
            socket,
            peer,
            visible: BTreeSet::new(),
            seen: BTreeSet::new(),
            pictures: StreamMap::new(),
            unconfirmed: HashMap::new(),
            next_second: HashMap::new(),
            is_first: true,
            heard: Instant::now(),
            pinged: Instant::now(),
        }
    }

    /// Sends until the connection ends, the viewer is silent, or it sends something unknown.
    async fn serve(&mut self) -> Result<(), axum::Error> {
        let mut tick = tokio::time::interval(STATE_PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                heard = self.socket.recv() => Event::Heard(heard),
                _ = tick.tick() => Event::StatesDue,
                Some((source, picture)) = self.pictures.next() => Event::Picture(source, picture),
            };
            match event {
                Event::Heard(Some(Ok(Message::Text(text)))) => {
                    let Ok(message) = serde_json::from_str(&text) else {
                        return Ok(());
                    };
                    self.heard = Instant::now();
                    self.obey(message);
                }
                Event::Heard(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {
                    self.heard = Instant::now();
                }
                Event::Heard(_) => return Ok(()),
                Event::StatesDue => {
                    if self.heard.elapsed() > LONGEST_SILENCE {
                        return Ok(());
                    }
                    if self.pinged.elapsed() > PING_PERIOD {
                        self.pinged = Instant::now();
                        self.socket.send(Message::Ping(Bytes::new())).await?;
                    }
                    self.watch();
                    let states = self.states();
                    self.socket.send(Message::text(states)).await?;
                }
                Event::Picture(source, picture) => {
                    let message = picture_message(&source, &picture);
                    if let Some(pictures) = self.pictures.remove(&source) {
                        self.unconfirmed.insert(source, pictures);
                    }
                    self.socket.send(Message::Binary(message)).await?;
                }
            }
        }
    }

    fn obey(&mut self, message: ViewerMessage) {
        match message {
            ViewerMessage::Watch(sources) => {
                self.visible = sources;
                self.watch();
            }
            ViewerMessage::Shown(source) => {
                if let Some(pictures) = self.unconfirmed.remove(&source) {
                    self.pictures.insert(source, pictures);
                }
            }
        }
    }

    /// Subscribes to the pictures of the visible sources, of which some may be new, and to no others.
    fn watch(&mut self) {
        let hidden: Vec<_> = self
            .pictures
            .keys()
            .filter(|source| !self.visible.contains(*source))
            .cloned()
            .collect();
        for source in hidden {
            self.pictures.remove(&source);
        }
        self.unconfirmed
            .retain(|source, _| self.visible.contains(source));
        let mut new = Vec::new();
        for stream in self.page.streams() {
            let name = stream.name();
            if self.visible.contains(name)
                && has_pictures(&stream, self.page.pictures)
                && !self.pictures.contains_key(name)
                && !self.unconfirmed.contains_key(name)
            {
                let pictures = WatchStream::from_changes(stream.picture.subscribe());
                self.pictures.insert(name.to_owned(), pictures);
                if self.seen.insert(name.to_owned()) {
                    new.push(name.to_owned());
                }
            }
        }
        if !new.is_empty() {
            let (peer, new) = (self.peer, new.join(", "));
            log("page", &format!("the viewer at {peer} sees {new}"));
        }
    }

    /// The states now as JSON, with what is new in the histories.
    fn states(&mut self) -> String {
        let streams = self.page.streams();
        let mut sources = Vec::with_capacity(streams.len());
        for stream in &streams {
            let name = stream.name();
            let first = self.next_second.get(name).copied().unwrap_or_default();
            let view = StreamView::new(stream, self.page.pictures, first);
            self.next_second.insert(name.to_owned(), view.next_second());
            sources.push(view);
        }
        let states = States {
            version: env!("CARGO_PKG_VERSION"),
            is_first: std::mem::take(&mut self.is_first),
            has_login: self.page.has_login,
            sources,
        };
        // Text and numbers only: nothing that JSON cannot express.
        serde_json::to_string(&states).unwrap_or_default()
    }
}

/// The binary message with a picture of `source`.
fn picture_message(source: &str, picture: &[u8]) -> Bytes {
    // A settings file has no name that long.
    let length = u16::try_from(source.len()).unwrap_or_default();
    let source = &source[..usize::from(length)];
    let parts = [&length.to_be_bytes(), source.as_bytes(), picture];
    parts.concat().into()
}
