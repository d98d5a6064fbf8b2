//! Messages to an MQTT broker that never keep their sender waiting.
//!
//! A [`Publisher`] holds a queue with a bound and a thread that speaks MQTT 3.1.1. While the broker is away messages queue
//! up; when the queue is full the oldest makes room and counts as dropped. The thread connects again with a back-off that
//! doubles from half a second to half a minute.
//!
//! Messages go out with quality of service 1 (at least once): one counts as sent when the broker has acknowledged it, and
//! those that it has not are sent again on the next connection, in their order. At most [`IN_FLIGHT`] wait for their
//! acknowledgement at a time.

mod address;
mod queue;
mod tls;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rumqttc::{
    Client, ConnectReturnCode, ConnectionError, Event, MqttOptions, Outgoing, Packet, QoS,
    Transport,
};

pub use self::address::BrokerAddress;
use self::queue::Queue;
pub use self::tls::Tls;

/// Messages that may wait for the broker's acknowledgement at a time.
pub const IN_FLIGHT: usize = 16;

const BACK_OFF: Duration = Duration::from_millis(500);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
/// How long the broker may take to answer.
const PATIENCE_S: u64 = 5;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Of a packet in bytes, as MQTT has it.
const LARGEST_PACKET: usize = 268_435_455;

/// Where to publish, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The broker.
    pub address: BrokerAddress,
    /// User name and password, where the broker asks for them.
    pub login: Option<(String, String)>,
    /// The client's name at the broker; two clients of one name throw each other out.
    pub client_id: String,
    /// What an encrypted connection trusts.
    pub tls: Tls,
    /// Messages that are kept while the broker is away.
    pub queue: usize,
}

/// What happens to the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// There is one now.
    Connected,
    /// There is none any more, or none yet, for this reason. Told once until there is one again.
    Disconnected(String),
}

/// Counts of a [`Publisher`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that the broker has acknowledged.
    pub sent: u64,
    /// Messages that made room for newer ones, or were left when the publisher was closed.
    pub dropped: u64,
    /// Messages that wait.
    pub queued: u64,
    /// Connections after the first.
    pub reconnects: u64,
    /// Whether there is a connection.
    pub connected: bool,
}

/// Why there can be no publisher.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error(
        "{0:?} is no broker's address: expected mqtt://HOST, mqtts://HOST for TLS, or HOST, each with :PORT where it is not 1883 or 8883"
    )]
    Address(String),
    /// A certificate or key cannot be used.
    #[error("{path}: {reason}")]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS with these certificates is impossible.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The system refuses a thread.
    #[error("no thread for MQTT: {0}")]
    Thread(#[from] std::io::Error),
}

/// Sends messages to a broker from a thread of its own.
pub struct Publisher {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    queue: Queue,
    /// The open connection's client.
    client: Option<Client>,
    /// Whether the first attempt to connect is still under way.
    is_trying: bool,
    is_closing: bool,
    connections: u64,
}

impl Publisher {
    /// Begins to connect; `on_change` is called from the publisher's thread.
    ///
    /// # Errors
    /// If a certificate cannot be used, or there is no thread. That the broker is away is no error.
    pub fn start(
        settings: &Settings,
        on_change: impl Fn(ConnectionEvent) + Send + 'static,
    ) -> Result<Self, Error> {
        let options = options(settings)?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: Queue::new(settings.queue),
                client: None,
                is_trying: true,
                is_closing: false,
                connections: 0,
            }),
            changed: Condvar::new(),
        });
        let ours = shared.clone();
        thread::Builder::new()
            .name("mqtt".into())
            .spawn(move || ours.serve(&options, &on_change))?;
        Ok(Self { shared })
    }

    /// Queues a message; returns at once.
    pub fn publish(&self, topic: &str, payload: Vec<u8>) {
        let mut state = self.shared.lock();
        state.queue.push(topic, payload);
        state.send_more();
    }

    /// The counts as they are now.
    pub fn counts(&self) -> Counts {
        let state = self.shared.lock();
        Counts {
            sent: state.queue.sent(),
            dropped: state.queue.dropped(),
            queued: state.queue.len() as u64,
            reconnects: state.connections.saturating_sub(1),
            connected: state.client.is_some(),
        }
    }

    /// Waits until everything is sent, but no longer than `patience`, and not at all for a broker that is away; then ends
    /// the connection. What is left counts as dropped.
    pub fn close(&self, patience: Duration) -> Counts {
        let deadline = Instant::now() + patience;
        let mut state = self.shared.lock();
        while state.queue.len() > 0 && (state.client.is_some() || state.is_trying) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                break;
            };
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.is_closing = true;
        state.queue.drop_all();
        if let Some(client) = &state.client {
            // A connection that breaks at this moment is closed as well.
            let _ = client.try_disconnect();
        }
        drop(state);
        self.shared.changed.notify_all();
        self.counts()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Publisher").field(&self.counts()).finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects again and again until the publisher closes.
    fn serve(&self, options: &MqttOptions, on_change: &dyn Fn(ConnectionEvent)) {
        let mut back_off = BACK_OFF;
        let mut is_told = false;
        loop {
            let (connected, error) = self.converse(options, on_change);
            if connected {
                (back_off, is_told) = (BACK_OFF, false);
            }
            let mut state = self.lock();
            state.client = None;
            state.is_trying = false;
            state.queue.unsend();
            let is_closing = state.is_closing;
            drop(state);
            self.changed.notify_all();
            if is_closing {
                return;
            }
            if !is_told {
                on_change(ConnectionEvent::Disconnected(described(&error)));
                is_told = true;
            }
            let state = self.lock();
            let waited = self
                .changed
                .wait_timeout_while(state, back_off, |state| !state.is_closing)
                .unwrap_or_else(PoisonError::into_inner);
            if waited.0.is_closing {
                return;
            }
            back_off = (back_off * 2).min(LONGEST_BACK_OFF);
        }
    }

    /// One connection from beginning to end: whether it came about, and how it ended.
    fn converse(
        &self,
        options: &MqttOptions,
        on_change: &dyn Fn(ConnectionEvent),
    ) -> (bool, ConnectionError) {
        let (client, mut connection) = Client::new(options.clone(), IN_FLIGHT + 1);
        connection
            .eventloop
            .network_options
            .set_connection_timeout(PATIENCE_S);
        let mut connected = false;
        loop {
            let event = connection.recv();
            match event.unwrap_or(Err(ConnectionError::RequestsDone)) {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    connected = true;
                    let mut state = self.lock();
                    if state.is_closing {
                        return (connected, ConnectionError::RequestsDone);
                    }
                    state.connections += 1;
                    state.client = Some(client.clone());
                    state.send_more();
                    drop(state);
                    on_change(ConnectionEvent::Connected);
                }
                Ok(Event::Incoming(Packet::PubAck(_))) => {
                    let mut state = self.lock();
                    // A broker acknowledges in the order of the messages (MQTT 3.1.1, 4.6).
                    state.queue.acknowledge();
                    state.send_more();
                    drop(state);
                    self.changed.notify_all();
                }
                Ok(Event::Outgoing(Outgoing::Disconnect)) => {
                    return (connected, ConnectionError::RequestsDone);
                }
                Ok(_) => {}
                Err(error) => return (connected, error),
            }
        }
    }
}

impl State {
    /// Hands the client what may be under way.
    fn send_more(&mut self) {
        let Some(client) = &self.client else { return };
        while let Some((topic, payload)) = self.queue.to_send() {
            // The client's own queue has room for all that may be under way; it refuses when its connection is gone.
            if client
                .try_publish(topic, QoS::AtLeastOnce, false, payload)
                .is_err()
            {
                break;
            }
            self.queue.sent_one();
        }
    }
}

fn options(settings: &Settings) -> Result<MqttOptions, Error> {
    let BrokerAddress { host, port, is_tls } = &settings.address;
    let mut options = MqttOptions::new(&settings.client_id, host, *port);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_session(true)
        .set_inflight(IN_FLIGHT as u16)
        .set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
    if let Some((name, password)) = &settings.login {
        options.set_credentials(name, password);
    }
    if *is_tls {
        options.set_transport(Transport::Tls(settings.tls.configuration()?));
    }
    Ok(options)
}

fn described(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => "the broker refuses the login; check username and password".into(),
        ConnectionError::ConnectionRefused(code) => format!("the broker refuses: {code:?}"),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            format!("no answer within {PATIENCE_S} s")
        }
        ConnectionError::Io(error) => error.to_string(),
        ConnectionError::Tls(error) => format!("TLS: {error}"),
        error => error.to_string(),
    }
}
