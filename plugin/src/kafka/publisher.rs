//! The queue, and the thread that serves librdkafka's producer.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, ProducerContext};
use rdkafka::statistics::Statistics;

use super::error::Error;
use super::queue::{Backlog, KafkaMessage};
use super::settings::Settings;
use crate::broker::{self, ConnectionEvent, Counts, CountsReader};

/// How long the thread waits for news of librdkafka.
const POLL: Duration = Duration::from_millis(100);
/// How often librdkafka tells the states of its connections, in milliseconds.
const STATISTICS_MS: &str = "1000";
const FIRST_PAUSE_MS: &str = "500";
const LONGEST_PAUSE_MS: &str = "30000";
/// The states of a connection that can be used.
const USABLE: [&str; 3] = ["UP", "UPDATE", "REAUTH"];

/// Sends messages to a Kafka cluster from threads of its own.
pub struct KafkaPublisher {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// The thread owns it.
    producer: OnceLock<Weak<BaseProducer<EventHandler>>>,
    on_event: Box<dyn Fn(ConnectionEvent) + Send + Sync>,
}

struct State {
    queue: Backlog,
    link: Link,
    /// Whether the end of the last connection, or that there was none, has been reported.
    is_reported: bool,
    /// Whether the last statistics knew no usable connection.
    is_in_doubt: bool,
    is_closing: bool,
    connections: u64,
    /// Why the last attempt to connect failed.
    reason: Option<String>,
    /// Why the last message was refused.
    refusal: Option<String>,
}

/// The connection to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// The first attempt has not ended yet.
    Trying,
    Up,
    Down,
}

/// What librdkafka calls, in the publisher's thread.
struct EventHandler(Arc<Shared>);

impl KafkaPublisher {
    /// Begins to connect. `on_event` is called in the publisher's thread.
    ///
    /// # Errors
    ///
    /// If the settings are incomplete, a certificate cannot be used, or the system refuses a thread. Unreachable brokers are no
    /// error.
    pub fn start(
        settings: &Settings,
        on_event: impl Fn(ConnectionEvent) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        settings.check()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: Backlog::new(settings.queue_size),
                link: Link::Trying,
                is_reported: false,
                is_in_doubt: false,
                is_closing: false,
                connections: 0,
                reason: None,
                refusal: None,
            }),
            changed: Condvar::new(),
            producer: OnceLock::new(),
            on_event: Box::new(on_event),
        });
        let handler = EventHandler(shared.clone());
        let producer: BaseProducer<EventHandler> = client_config(settings)
            .create_with_context(handler)
            .map_err(|error| Error::Client(described_settings(&error)))?;
        let producer = Arc::new(producer);
        // It was not set before.
        let _ = shared.producer.set(Arc::downgrade(&producer));
        let ours = shared.clone();
        thread::Builder::new()
            .name("kafka".into())
            .spawn(move || {
                while !ours.lock().is_closing {
                    producer.poll(POLL);
                }
            })
            .map_err(broker::Error::Thread)?;
        Ok(Self { shared })
    }

    /// Queues a message; returns at once. Messages of one `key` stay in their order. Where the cluster compacts the topic, it keeps
    /// the last message of each key, and `None` as `payload` removes it.
    pub fn publish(&self, topic: &str, key: Option<&str>, payload: Option<Vec<u8>>) {
        let message = KafkaMessage {
            topic: topic.to_owned(),
            key: key.map(str::to_owned),
            payload,
        };
        self.shared.lock().queue.push(message);
        self.shared.send_more();
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

    /// Waits until all messages are sent, for `timeout` at most and not at all while no broker is reachable; then ends the
    /// connections. The remaining messages count as dropped.
    pub fn close(&self, timeout: Duration) -> Counts {
        let is_sending = |state: &mut State| state.queue.len() > 0 && state.link != Link::Down;
        let mut state = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), timeout, is_sending)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        state.is_closing = true;
        state.queue.drop_all();
        drop(state);
        self.counts()
    }
}

impl Drop for KafkaPublisher {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

impl std::fmt::Debug for KafkaPublisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KafkaPublisher")
            .field(&self.counts())
            .finish()
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
            connected: state.link == Link::Up && !state.is_closing,
        }
    }

    /// Gives librdkafka all messages that may be in flight.
    fn send_more(&self) {
        let Some(producer) = self.producer.get().and_then(Weak::upgrade) else {
            return;
        };
        let mut refusals = Vec::new();
        // Messages stay in their order, because the lock is held.
        let mut state = self.lock();
        while let Some(message) = state.queue.take_next() {
            let mut record = BaseRecord::<str, [u8]>::to(&message.topic);
            record.key = message.key.as_deref();
            record.payload = message.payload.as_deref();
            if let Err((error, _)) = producer.send(record) {
                state.queue.land(false);
                refusals.push(error.to_string());
            }
        }
        drop(state);
        for refusal in refusals {
            self.refused(refusal);
        }
    }

    /// A broker can be used.
    fn up(&self) {
        let mut state = self.lock();
        state.is_in_doubt = false;
        if state.link == Link::Up {
            return;
        }
        state.link = Link::Up;
        state.is_reported = false;
        state.connections += 1;
        let is_closing = state.is_closing;
        drop(state);
        self.changed.notify_all();
        if !is_closing {
            (self.on_event)(ConnectionEvent::Connected);
        }
    }

    /// The statistics know no connection that can be used.
    fn doubted(&self) {
        let mut state = self.lock();
        if state.link != Link::Up {
            return;
        }
        let is_down = std::mem::replace(&mut state.is_in_doubt, true);
        drop(state);
        if is_down {
            self.down("the brokers have closed all connections");
        }
    }

    /// No broker can be used.
    fn down(&self, reason: &str) {
        let mut state = self.lock();
        state.link = Link::Down;
        let is_news = !state.is_reported && !state.is_closing;
        state.is_reported = true;
        let reason = state.reason.take().unwrap_or_else(|| reason.to_owned());
        drop(state);
        self.changed.notify_all();
        if is_news {
            (self.on_event)(ConnectionEvent::Disconnected(reason));
        }
    }

    /// A message is lost, because the cluster does not take it.
    fn refused(&self, reason: String) {
        let mut state = self.lock();
        let is_news = state.refusal.as_ref() != Some(&reason) && !state.is_closing;
        state.refusal = Some(reason.clone());
        drop(state);
        if is_news {
            (self.on_event)(ConnectionEvent::Refused(reason));
        }
    }
}

impl ClientContext for EventHandler {
    /// Its errors come to [`error`](Self::error) too.
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn stats(&self, statistics: Statistics) {
        let mut brokers = statistics.brokers.values();
        if brokers.any(|broker| USABLE.contains(&broker.state.as_str())) {
            self.0.up();
        } else {
            self.0.doubted();
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // librdkafka says so too while it changes from the broker it asked first to the one that has the topic. Whether a
            // connection has ended is seen twice in the statistics before it is believed.
            Some(RDKafkaErrorCode::AllBrokersDown) if self.0.lock().link == Link::Up => {}
            Some(RDKafkaErrorCode::AllBrokersDown) => self.0.down(reason),
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => {
                let reason =
                    format!("the broker refuses the login; check username and password: {reason}");
                self.0.lock().reason = Some(reason);
            }
            _ => self.0.lock().reason = Some(reason.to_owned()),
        }
    }
}

impl ProducerContext for EventHandler {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        let shared = &self.0;
        let mut state = shared.lock();
        state.queue.land(result.is_ok());
        if result.is_ok() {
            state.refusal = None;
        }
        drop(state);
        shared.changed.notify_all();
        match result {
            Ok(_) => shared.up(),
            Err((error, _)) => {
                let code = error.rdkafka_error_code();
                shared.refused(code.map_or_else(|| error.to_string(), |code| code.to_string()));
            }
        }
        shared.send_more();
    }
}

fn client_config(settings: &Settings) -> ClientConfig {
    let mut config = ClientConfig::new();
    let address = &settings.address;
    let has_login = settings.username.is_some();
    let protocol = match (address.is_tls, has_login) {
        (false, false) => "plaintext",
        (true, false) => "ssl",
        (false, true) => "sasl_plaintext",
        (true, true) => "sasl_ssl",
    };
    for (key, value) in [
        ("bootstrap.servers", &*address.to_string()),
        ("security.protocol", protocol),
        ("acks", "all"),
        // One request at a time keeps the order, also where one is sent again.
        ("max.in.flight.requests.per.connection", "1"),
        // A message waits for as long as it takes.
        ("message.timeout.ms", "0"),
        ("reconnect.backoff.ms", FIRST_PAUSE_MS),
        ("reconnect.backoff.max.ms", LONGEST_PAUSE_MS),
        ("statistics.interval.ms", STATISTICS_MS),
        ("socket.keepalive.enable", "true"),
        (
            "client.id",
            settings.client_id.as_deref().unwrap_or("emotion"),
        ),
    ] {
        config.set(key, value);
    }
    if let Some(username) = &settings.username {
        config.set("sasl.mechanism", settings.mechanism.name());
        config.set("sasl.username", username);
        config.set(
            "sasl.password",
            settings.password.as_deref().unwrap_or_default(),
        );
    }
    if address.is_tls {
        for (key, file) in [
            ("ssl.ca.location", &settings.tls_ca_file),
            ("ssl.certificate.location", &settings.tls_certificate_file),
            ("ssl.key.location", &settings.tls_key_file),
        ] {
            if let Some(file) = file {
                config.set(key, file.to_string_lossy());
            }
        }
    }
    config
}

/// What librdkafka says to the settings, without their values, of which one is the password.
fn described_settings(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, reason, key, _) => format!("{key}: {reason}"),
        error => error.to_string(),
    }
}
