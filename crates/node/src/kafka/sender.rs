//! Records into topics from outside, once each: for commands that send files, rulesets and dead letters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use super::client::producer;
use super::error::KafkaError;
use super::topic::{Topic, TopicKind};
use super::value::Outgoing;
use crate::config::KafkaConfig;
use crate::service::shard_of;

/// Records on their way at once, at most; the client's own bound is in bytes too (`queue.buffering.max.kbytes`).
const ON_THE_WAY_MAX: &str = "50000";
/// How long a full queue is waited for before it is looked at again.
const PAUSE: Duration = Duration::from_millis(50);

/// An idempotent producer.
pub struct Sender {
    producer: BaseProducer<Reports>,
    prefix: String,
    /// Partitions of keyed topics: accounts land as the nodes expect it.
    partitions: u32,
}

/// What became of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SendCounts {
    /// Written for good.
    pub delivered: u64,
    /// Refused, or not written in time.
    pub failed: u64,
}

#[derive(Default)]
struct Reports {
    delivered: AtomicU64,
    failed: AtomicU64,
    first: Mutex<Option<ClientError>>,
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => drop(self.delivered.fetch_add(1, Ordering::Relaxed)),
            Err((error, _)) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert_with(|| error.clone());
            }
        }
    }
}

impl Sender {
    /// Connects; `partitions`: those of keyed topics.
    ///
    /// # Errors
    /// [`KafkaError`].
    pub fn connect(config: &KafkaConfig, partitions: u32) -> Result<Self, KafkaError> {
        let mut settings = producer(config, None)?;
        // Files are sent for throughput: a little waiting makes larger batches.
        settings.set("linger.ms", "5").set("queue.buffering.max.messages", ON_THE_WAY_MAX);
        let producer = settings.create_with_context(Reports::default());
        let producer = producer.map_err(KafkaError::client(format!("cannot make a client of `{}`", config.brokers)))?;
        Ok(Self { producer, prefix: config.topic_prefix.clone(), partitions })
    }

    /// Hands a record over, with a time in milliseconds since 1970 if it has its own; waits while too many are on
    /// their way.
    ///
    /// # Errors
    /// The first failure of those before, or that this one cannot be sent.
    pub fn send(&self, record: &Outgoing, timestamp: Option<i64>) -> Result<(), KafkaError> {
        let name = record.topic.name(&self.prefix);
        loop {
            self.look()?;
            match self.producer.send(self.to_send(&name, record, timestamp)) {
                Ok(()) => {
                    self.producer.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((ClientError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.producer.poll(PAUSE);
                }
                Err((error, _)) => return Err(KafkaError::client(format!("cannot send to `{name}`"))(error)),
            }
        }
    }

    fn to_send<'a>(&self, name: &'a str, record: &'a Outgoing, timestamp: Option<i64>) -> BaseRecord<'a, [u8], [u8]> {
        let headers = record
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        let mut to = BaseRecord::to(name).payload(record.value.as_slice()).headers(headers);
        to.key = record.key.as_deref();
        to.timestamp = timestamp;
        to.partition = self.partition(record.topic, record.key.as_deref());
        to
    }

    fn partition(&self, topic: Topic, key: Option<&[u8]>) -> Option<i32> {
        let partition = match (topic.kind(), key) {
            (TopicKind::Keyed, Some(key)) => shard_of(&String::from_utf8_lossy(key), self.partitions),
            _ => 0,
        };
        i32::try_from(partition).ok()
    }

    /// What became of records so far.
    pub fn counts(&self) -> SendCounts {
        let reports = self.producer.context();
        SendCounts {
            delivered: reports.delivered.load(Ordering::Relaxed),
            failed: reports.failed.load(Ordering::Relaxed),
        }
    }

    /// Waits until it is known of every record what became of it.
    ///
    /// # Errors
    /// The first failure.
    pub fn finish(self) -> Result<SendCounts, KafkaError> {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(PAUSE);
        }
        self.look()?;
        Ok(self.counts())
    }

    fn look(&self) -> Result<(), KafkaError> {
        let mut first = self.producer.context().first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().map_or(Ok(()), |error| Err(KafkaError::client("a record was not taken")(error)))
    }
}
