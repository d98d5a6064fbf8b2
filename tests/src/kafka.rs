//! A Kafka cluster for one test: librdkafka's own, which answers as real brokers do and can be made to fail, and an entrance to it
//! that asks for TLS and a login.

mod entrance;

use std::time::Instant;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

pub use self::entrance::SecureEntrance;
use crate::PATIENCE;

/// The only broker.
const BROKER: i32 = 1;

/// A cluster of one broker; dropping it stops it.
pub struct MockKafka(MockCluster<'static, DefaultProducerContext>);

/// What a topic has of one message: its key and its content, of which either may be missing.
pub type TopicMessage = (Option<String>, Option<Vec<u8>>);

/// Reads a topic from its beginning.
pub struct TopicReader(BaseConsumer);

impl MockKafka {
    /// Starts a cluster with these topics of one partition each.
    ///
    /// # Panics
    ///
    /// When librdkafka cannot start it.
    pub fn start(topics: &[&str]) -> Self {
        let cluster = MockCluster::new(1).expect("a cluster");
        for topic in topics {
            cluster.create_topic(topic, 1, 1).expect("a topic");
        }
        Self(cluster)
    }

    /// Its host and port.
    pub fn address(&self) -> String {
        self.0.bootstrap_servers()
    }

    /// Ends all connections and takes no new ones.
    ///
    /// # Panics
    ///
    /// Never with a cluster that runs.
    pub fn stop(&self) {
        self.0.broker_down(BROKER).expect("a broker");
    }

    /// Takes connections again.
    ///
    /// # Panics
    ///
    /// Never with a cluster that runs.
    pub fn resume(&self) {
        self.0.broker_up(BROKER).expect("a broker");
    }

    /// From now on nobody may write to this topic.
    ///
    /// # Panics
    ///
    /// Never with a cluster that runs.
    pub fn close_topic(&self, topic: &str) {
        let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
        self.0.topic_error(topic, error).expect("a topic");
    }

    /// The messages of a topic of one partition, from its beginning.
    ///
    /// # Panics
    ///
    /// When the cluster does not run.
    pub fn read(&self, topic: &str) -> TopicReader {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.address())
            .set("group.id", "reader")
            .create()
            .expect("a consumer");
        let mut partitions = TopicPartitionList::new();
        partitions
            .add_partition_offset(topic, 0, Offset::Beginning)
            .expect("an offset");
        consumer.assign(&partitions).expect("a partition");
        TopicReader(consumer)
    }
}

impl TopicReader {
    /// The next message.
    ///
    /// # Panics
    ///
    /// When none comes.
    pub fn next_message(&self) -> TopicMessage {
        let began = Instant::now();
        loop {
            // Errors tell of a broker that is away.
            if let Some(Ok(message)) = self.0.poll(PATIENCE / 60) {
                let key = message.key().map(String::from_utf8_lossy);
                let payload = message.payload().map(<[u8]>::to_vec);
                return (key.map(Into::into), payload);
            }
            assert!(began.elapsed() < PATIENCE, "a message");
        }
    }
}
