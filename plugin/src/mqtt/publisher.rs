//! The queue and the thread that sends its messages.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rumqttc::{
    Client, ConnectReturnCode, ConnectionError, Event, MqttOptions, Outgoing, Packet, QoS,
};

use super::error::Error;
use super::queue::{IN_FLIGHT, Queue};
use super::settings::Settings;
use crate::back_off::BackOff;
use crate::broker::{self, ConnectionEvent, Counts, CountsReader};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the broker may take to answer.
const TIMEOUT_S: u64 = 5;

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
    /// Whether the first attempt to connect has not ended yet.
    is_trying: bool,
    is_closing: bool,
    connections: u64,
    /// The newest retained message of each topic.
    retained: BTreeMap<String, Vec<u8>>,
}

impl Publisher {
    /// Begins to connect. `on_event` is called in the publisher's thread.
    ///
    /// # Errors
    ///
    /// If the settings are incomplete, a certificate cannot be used, or the system refuses a thread. An unreachable broker
    /// is no error.
    pub fn start(
        settings: &Settings,
        on_event: impl Fn(ConnectionEvent) + Send + 'static,
    ) -> Result<Self, Error> {
        let options = settings.options()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: Queue::new(settings.queue_size),
                client: None,
                is_trying: true,
                is_closing: false,
                connections: 0,
                retained: BTreeMap::new(),
            }),
            changed: Condvar::new(),
        });
        let ours = shared.clone();
        thread::Builder::new()
            .name("mqtt".into())
            .spawn(move || ours.serve(&options, &on_event))
            .map_err(broker::Error::Thread)?;
        Ok(Self { shared })
    }

    /// Queues a message; returns at once.
    pub fn publish(&self, topic: &str, payload: Vec<u8>) {
        let mut state = self.shared.lock();
        state.queue.push(topic, payload);
        state.send_more();
    }

    /// Queues a message that the broker keeps for clients that subscribe later, and that is sent again on each connection.
    /// An empty payload removes what the broker keeps. Returns at once.
    pub fn publish_retained(&self, topic: &str, payload: Vec<u8>) {
        let mut state = self.shared.lock();
        state.retained.insert(topic.to_owned(), payload.clone());
        state.queue.push_retained(topic, payload);
        state.send_more();
    }

    /// The current counts.
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// A reader of the counts.
    pub fn counts_reader(&self) -> CountsReader {
        let shared = self.shared.clone();
        CountsReader::new(move || shared.counts())
    }

    /// Waits until all messages are sent, for `timeout` at most and not at all for an unreachable broker; then ends the
    /// connection. The remaining messages count as dropped.
    pub fn close(&self, timeout: Duration) -> Counts {
        let is_sending = |state: &mut State| {
            state.queue.len() > 0 && (state.client.is_some() || state.is_trying)
        };
        let mut state = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), timeout, is_sending)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        state.is_closing = true;
        state.queue.drop_all();
        if let Some(client) = &state.client {
            // A connection that fails at this moment is closed as well.
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

    fn counts(&self) -> Counts {
        let state = self.lock();
        Counts {
            sent: state.queue.sent,
            dropped: state.queue.dropped,
            queued: state.queue.len() as u64,
            reconnects: state.connections.saturating_sub(1),
            connected: state.client.is_some(),
        }
    }

    /// Connects again and again until the publisher closes.
    fn serve(&self, options: &MqttOptions, on_event: &dyn Fn(ConnectionEvent)) {
        let mut back_off = BackOff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut is_reported = false;
        loop {
            let (connected, error) = self.converse(options, on_event);
            if connected {
                back_off.reset();
                is_reported = false;
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
            if !is_reported {
                on_event(ConnectionEvent::Disconnected(described(&error)));
                is_reported = true;
            }
            let state = self.lock();
            let waited = self
                .changed
                .wait_timeout_while(state, back_off.pause(Duration::ZERO), |state| {
                    !state.is_closing
                })
                .unwrap_or_else(PoisonError::into_inner);
            if waited.0.is_closing {
                return;
            }
        }
    }

    /// Runs one connection to its end. Returns whether it was established, and how it ended.
    fn converse(
        &self,
        options: &MqttOptions,
        on_event: &dyn Fn(ConnectionEvent),
    ) -> (bool, ConnectionError) {
        let (client, mut connection) = Client::new(options.clone(), IN_FLIGHT + 1);
        connection
            .eventloop
            .network_options
            .set_connection_timeout(TIMEOUT_S);
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
                    state.queue_retained();
                    state.send_more();
                    drop(state);
                    on_event(ConnectionEvent::Connected);
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
    /// Queues all retained messages: the broker may have lost them, or have sent the last will since.
    fn queue_retained(&mut self) {
        self.queue.forget_retained();
        for (topic, payload) in &self.retained {
            self.queue.push_retained(topic, payload.clone());
        }
    }

    /// Gives the client all messages that may be in flight.
    fn send_more(&mut self) {
        let Some(client) = &self.client else { return };
        while let Some((topic, payload, is_retained)) = self.queue.to_send() {
            // The client's own queue has room for all messages in flight; it refuses them when its connection has ended.
            if client
                .try_publish(topic, QoS::AtLeastOnce, is_retained, payload)
                .is_err()
            {
                break;
            }
            self.queue.sent_one();
        }
    }
}

fn described(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => "the broker refuses the login; check username and password".into(),
        ConnectionError::ConnectionRefused(code) => format!("the broker refuses: {code:?}"),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            format!("no answer within {TIMEOUT_S} s")
        }
        ConnectionError::Io(error) => error.to_string(),
        ConnectionError::Tls(error) => format!("TLS: {error}"),
        error => error.to_string(),
    }
}
