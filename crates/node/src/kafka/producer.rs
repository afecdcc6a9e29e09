//! One transactional producer. Its calls block, so they are made by lane threads and those that commit for them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message, OwnedHeaders, Timestamp};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::decode::wall_clock;

use super::native::{GroupMetadata, Report, reports, send_offsets};

/// How long a call may wait for the broker before it counts as unclear.
const CALL_MAX: Duration = Duration::from_secs(10);
/// A first wait for a transactional id: while an old transaction is being aborted, a fresh client is told sooner.
const INIT_FIRST: Duration = Duration::from_millis(40);
/// How often that is tried before a patient wait.
const INIT_TRIES: u32 = 40;
/// What a call is named that makes a transactional id ours.
const INIT: &str = "init_transactions";
/// Records time out sooner than this: who has heard nothing of them then never will.
const ANSWERS_MAX: Duration = Duration::from_secs(60);
/// How long delivery reports are waited for before it is looked again whether any is to come.
const REPORTS_MAX: Duration = Duration::from_millis(100);

/// Why a step of a transaction failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{call}: {name} ({detail})")]
pub struct TransactionError {
    /// Which step.
    pub call: &'static str,
    /// Kafka's name of the error.
    pub name: String,
    /// In words.
    pub detail: String,
    /// The producer is of no more use.
    pub is_fatal: bool,
    /// The transaction must be aborted, and may be tried again.
    pub needs_abort: bool,
    /// What became of the call is unknown: it may be made again.
    pub is_retriable: bool,
}

impl TransactionError {
    /// The broker answers, but an earlier transaction of the id does not end.
    pub fn is_busy(&self) -> bool {
        self.call == INIT && self.is_retriable
    }
}

/// A record that the broker did not take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Why.
    pub code: RDKafkaErrorCode,
}

/// A producer with a transactional id.
pub struct Transactor {
    producer: BaseProducer<Reports>,
}

/// What became of the records of the open transaction.
pub struct Reports {
    refused: Mutex<Vec<Refused>>,
    /// Our clock at an acknowledgement, less the broker's when it appended; milliseconds, `i64::MIN` for not known.
    clock_ahead: AtomicI64,
}

impl Default for Reports {
    fn default() -> Self {
        Self { refused: Mutex::default(), clock_ahead: AtomicI64::new(i64::MIN) }
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        super::client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "producer");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let (error, message) = match result {
            Ok(message) => (None, message),
            Err((error, message)) => (error.rdkafka_error_code(), message),
        };
        let partition = u32::try_from(message.partition()).unwrap_or(0);
        let appended = match message.timestamp() {
            Timestamp::LogAppendTime(at) => Some(at),
            Timestamp::CreateTime(_) | Timestamp::NotAvailable => None,
        };
        self.take(&Report { topic: message.topic(), partition, error, appended });
    }
}

impl Reports {
    fn take(&self, report: &Report<'_>) {
        let purged = [RDKafkaErrorCode::PurgeQueue, RDKafkaErrorCode::PurgeInflight];
        match (report.error, report.appended) {
            (Some(code), _) if purged.contains(&code) => {}
            (Some(code), _) => {
                let (topic, partition) = (report.topic.to_owned(), report.partition);
                self.lock().push(Refused { topic, partition, code });
            }
            (None, Some(at)) => self.clock_ahead.store(wall_clock().0 - at, Ordering::Relaxed),
            (None, None) => {}
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record to be sent.
#[derive(Debug)]
pub struct ToSend<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition.
    pub partition: u32,
    /// Key.
    pub key: &'a [u8],
    /// Value.
    pub value: &'a [u8],
    /// Headers.
    pub headers: Option<OwnedHeaders>,
    /// Time, milliseconds since 1970-01-01T00:00Z; none: now.
    pub timestamp: Option<i64>,
}

impl Transactor {
    /// A producer that owns its transactional id: whoever had it before is fenced, and its open transaction aborted.
    /// Gives up when `is_wanted` says no.
    ///
    /// # Errors
    /// What the broker says; after `patience` without an answer the last time-out.
    pub fn open(
        config: &ClientConfig,
        id: &str,
        patience: Duration,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Self, TransactionError> {
        let until = Instant::now() + patience;
        let mut tries = 0;
        let mut config = config.clone();
        config.set("transactional.id", id);
        loop {
            let producer: BaseProducer<Reports> = BaseProducer::from_config_and_context(&config, Reports::default())
                .map_err(|error| of("create", &error))?;
            // A client that is not connected yet would wait for a timer of half a second.
            let answers = producer.client().fetch_metadata(None, Duration::from_secs(5)).is_ok();
            let wait = if tries < INIT_TRIES { INIT_FIRST } else { CALL_MAX };
            tries += 1;
            let error = match producer.init_transactions(wait) {
                Ok(()) => return Ok(Self { producer }),
                Err(error) => of(if answers { INIT } else { "connect" }, &error),
            };
            drop_beside(producer);
            if !error.is_retriable || Instant::now() > until || !is_wanted() {
                return Err(error);
            }
        }
    }

    /// Begins a transaction.
    pub fn begin(&self) -> Result<(), TransactionError> {
        self.producer.context().lock().clear();
        self.producer.begin_transaction().map_err(|error| of("begin_transaction", &error))
    }

    /// Hands a record over; it is on its way when this returns.
    pub fn send(&self, record: &ToSend<'_>) -> Result<(), TransactionError> {
        let mut ready: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(record.topic).key(record.key).payload(record.value);
        ready.partition = i32::try_from(record.partition).ok();
        ready.timestamp = record.timestamp;
        ready.headers = record.headers.clone();
        loop {
            match self.producer.send(ready) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    self.hear();
                    ready = again;
                }
                Err((error, _)) => {
                    if let Some(code) = error.rdkafka_error_code() {
                        let (topic, partition) = (record.topic.to_owned(), record.partition);
                        self.producer.context().lock().push(Refused { topic, partition, code });
                    }
                    return Err(TransactionError { needs_abort: true, ..of("send", &error) });
                }
            }
        }
    }

    /// Waits until the broker has answered for every record.
    ///
    /// # Errors
    /// If it did not take one: [`Self::refused`] says which.
    pub fn drain(&self) -> Result<(), TransactionError> {
        self.hear_all()?;
        let refused = self.refused();
        let Some(first) = refused.first() else { return Ok(()) };
        let (fatal, name) = (self.producer.client().fatal_error().is_some(), format!("{:?}", first.code));
        Err(TransactionError {
            call: "deliver",
            name,
            detail: format!("{} of {} [{}]", first.code, first.topic, first.partition),
            is_fatal: fatal,
            needs_abort: !fatal,
            is_retriable: false,
        })
    }

    fn hear_all(&self) -> Result<(), TransactionError> {
        let until = Instant::now() + ANSWERS_MAX;
        while self.producer.in_flight_count() > 0 {
            if Instant::now() > until {
                let detail = format!("{} records without an answer", self.producer.in_flight_count());
                return Err(TransactionError {
                    call: "deliver",
                    name: "Silent".to_owned(),
                    detail,
                    is_fatal: true,
                    needs_abort: false,
                    is_retriable: false,
                });
            }
            self.hear();
        }
        Ok(())
    }

    fn hear(&self) {
        reports(&self.producer, REPORTS_MAX, &mut |report| self.producer.context().take(&report));
    }

    /// Records of the transaction that the broker did not take.
    pub fn refused(&self) -> Vec<Refused> {
        self.producer.context().lock().clone()
    }

    /// How far our clock is ahead of the broker's, in milliseconds and with the time that an acknowledgement takes; `None`
    /// where topics do not carry the broker's time.
    pub fn clock_ahead(&self) -> Option<i64> {
        let ahead = self.producer.context().clock_ahead.load(Ordering::Relaxed);
        (ahead != i64::MIN).then_some(ahead)
    }

    /// Puts offsets into the transaction.
    pub fn offsets(&self, offsets: &TopicPartitionList, metadata: &GroupMetadata) -> Result<(), TransactionError> {
        send_offsets(&self.producer, offsets, metadata, CALL_MAX)
    }

    /// Commits. A call whose end is unknown is made again, as the protocol allows, before it counts as unclear.
    pub fn commit(&self) -> Result<(), TransactionError> {
        let until = Instant::now() + CALL_MAX;
        loop {
            let Err(error) = self.producer.commit_transaction(CALL_MAX) else { return Ok(()) };
            let error = of("commit_transaction", &error);
            if !error.is_retriable || Instant::now() > until {
                return Err(error);
            }
        }
    }

    /// Takes everything back.
    pub fn abort(&self) -> Result<(), TransactionError> {
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.hear_all()?;
        self.producer.abort_transaction(CALL_MAX).map_err(|error| of("abort_transaction", &error))
    }

    /// Lets go of it without waiting.
    pub fn discard(self) {
        drop_beside(self.producer);
    }
}

/// Destroying a client that waits for its broker takes long.
fn drop_beside(producer: BaseProducer<Reports>) {
    let spawned = thread::Builder::new().name("producer-drop".to_owned()).spawn(move || drop(producer));
    if let Err(error) = spawned {
        tracing::debug!(%error, "a producer is dropped in place");
    }
}

fn of(call: &'static str, error: &KafkaError) -> TransactionError {
    match error {
        KafkaError::Transaction(inner) => TransactionError {
            call,
            name: inner.name(),
            detail: inner.string(),
            is_fatal: inner.is_fatal(),
            needs_abort: inner.txn_requires_abort(),
            is_retriable: inner.is_retriable(),
        },
        other => TransactionError {
            call,
            name: other.rdkafka_error_code().map_or_else(|| "unknown".to_owned(), |code| format!("{code:?}")),
            detail: other.to_string(),
            is_fatal: false,
            needs_abort: false,
            // A flush that ran out of time leaves the transaction as it was.
            is_retriable: matches!(other, KafkaError::Flush(_)),
        },
    }
}
