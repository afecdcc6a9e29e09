//! What the binding of librdkafka does not offer: reading in batches with every record's partition also where its end is
//! reached, and group metadata that tells its generation (`MEASURED.md`). The only module with unsafe code.
#![expect(unsafe_code, reason = "calls into librdkafka, each with handles that this module owns or keeps alive")]

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::producer::TransactionError;

/// Reads what a consumer's partitions hold, in batches. Its consumer takes partitions by hand: group events would be
/// swallowed.
pub struct BatchReader<C: ConsumerContext + 'static> {
    consumer: Arc<BaseConsumer<C>>,
    queue: *mut rd::rd_kafka_queue_t,
    messages: Vec<*mut rd::rd_kafka_message_t>,
    taken: usize,
}

// SAFETY: the queue is librdkafka's, which may be used from any thread; messages are touched through `&mut self` alone.
unsafe impl<C: ConsumerContext + 'static> Send for BatchReader<C> {}

/// One thing that came.
#[derive(Debug)]
pub enum Fetched<'a> {
    /// A record.
    Message(Message<'a>),
    /// The partition has nothing behind this offset at the moment.
    End {
        /// Which topic.
        topic: &'a str,
        /// Which partition.
        partition: u32,
        /// The offset of the next record.
        offset: u64,
    },
    /// The partition, or the client, has an error; without a topic it is the client's.
    Error {
        /// Which topic.
        topic: Option<&'a str>,
        /// Which partition.
        partition: u32,
        /// What is wrong.
        code: RDKafkaErrorCode,
    },
}

/// A record as it came.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
    /// Milliseconds since 1970-01-01T00:00Z, if it has a time.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value; none: a tombstone.
    pub value: Option<&'a [u8]>,
    raw: *const rd::rd_kafka_message_t,
}

impl<C: ConsumerContext + 'static> BatchReader<C> {
    /// Takes at most `batch_max` records at a time.
    pub fn new(consumer: Arc<BaseConsumer<C>>, batch_max: usize) -> Self {
        // SAFETY: the handle lives as long as the consumer, which is kept beside the queue.
        let queue = unsafe { rd::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        Self { consumer, queue, messages: vec![ptr::null_mut(); batch_max], taken: 0 }
    }

    /// Its consumer.
    pub fn consumer(&self) -> &BaseConsumer<C> {
        &self.consumer
    }

    /// What has come; waits for the first at most so long, and for no other.
    pub fn take(&mut self, wait: Duration) -> impl Iterator<Item = Fetched<'_>> {
        self.release();
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        self.taken = self.fill(0, 1, wait);
        if self.taken == 1 {
            self.taken += self.fill(1, self.messages.len() - 1, 0);
        }
        // SAFETY: the call above filled so many places with messages, which are ours until `release`.
        self.messages[..self.taken].iter().map(|message| unsafe { fetched(*message) })
    }

    /// Leaves what comes of a partition in its own queue until it is let through again. Unlike a pause, this throws nothing
    /// away that was read ahead, and nothing of it stands in the way of the others.
    pub fn hold(&self, topic: &str, partition: i32, hold: bool) {
        let Ok(topic) = CString::new(topic) else { return };
        // SAFETY: client and own queue live as long as `self`; the partition's queue is ours until it is destroyed here.
        unsafe {
            let client = self.consumer.client().native_ptr();
            let queue = rd::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition);
            if !queue.is_null() {
                rd::rd_kafka_queue_forward(queue, if hold { ptr::null_mut() } else { self.queue });
                rd::rd_kafka_queue_destroy(queue);
            }
        }
    }

    fn fill(&mut self, from: usize, count: usize, wait: i32) -> usize {
        let room = &mut self.messages[from..from + count];
        if room.is_empty() {
            return 0;
        }
        // SAFETY: the queue is ours, and there is room for so many pointers.
        let taken = unsafe { rd::rd_kafka_consume_batch_queue(self.queue, wait, room.as_mut_ptr(), room.len()) };
        usize::try_from(taken).unwrap_or(0)
    }

    fn release(&mut self) {
        for message in &self.messages[..self.taken] {
            // SAFETY: each was given to us once, and nothing borrowed from it is left.
            unsafe { rd::rd_kafka_message_destroy(*message) };
        }
        self.taken = 0;
    }
}

impl<C: ConsumerContext + 'static> Drop for BatchReader<C> {
    fn drop(&mut self) {
        self.release();
        // SAFETY: taken in `new`, and not used again.
        unsafe { rd::rd_kafka_queue_destroy(self.queue) };
    }
}

/// # Safety
/// The message is valid for as long as the result is used.
unsafe fn fetched<'a>(message: *const rd::rd_kafka_message_t) -> Fetched<'a> {
    // SAFETY: valid, as the caller says; so are topic, payload and key, which belong to it.
    let raw = unsafe { &*message };
    let topic = (!raw.rkt.is_null()).then(|| unsafe { text(rd::rd_kafka_topic_name(raw.rkt)) });
    let partition = u32::try_from(raw.partition).unwrap_or(0);
    let offset = u64::try_from(raw.offset).unwrap_or(0);
    match (raw.err, topic) {
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR, Some(topic)) => {
            let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
            let timestamp = unsafe { rd::rd_kafka_message_timestamp(message, &mut kind) };
            let value = unsafe { bytes(raw.payload.cast(), raw.len) };
            let key = unsafe { bytes(raw.key.cast(), raw.key_len) };
            let timestamp = (timestamp >= 0).then_some(timestamp);
            Fetched::Message(Message { topic, partition, offset, timestamp, key, value, raw: message })
        }
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR__PARTITION_EOF, Some(topic)) => Fetched::End { topic, partition, offset },
        (error, topic) => Fetched::Error { topic, partition, code: error.into() },
    }
}

impl<'a> Message<'a> {
    /// Its headers, in order; a value may be missing.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message outlives `'a`, and its headers belong to it.
        let found = unsafe { rd::rd_kafka_message_headers(self.raw, &mut headers) };
        let there = found == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
        let mut at = 0;
        std::iter::from_fn(move || {
            let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
            // SAFETY: as above; the call fails behind the last header.
            let got = there
                .then(|| unsafe { rd::rd_kafka_header_get_all(headers, at, &mut name, &mut value, &mut length) })?;
            at += 1;
            (got == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR)
                .then(|| unsafe { (text(name), bytes(value.cast(), length)) })
        })
    }
}

/// # Safety
/// The pointer is null, or so many bytes are valid for as long as the result is used.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller says.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start, length) })
}

/// # Safety
/// A text that ends with a zero byte is valid for as long as the result is used.
unsafe fn text<'a>(start: *const c_char) -> &'a str {
    if start.is_null() {
        return "";
    }
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(start) }.to_str().unwrap_or("")
}

/// Who a consumer is in its group, as of one moment.
#[derive(Debug)]
pub struct GroupMetadata(*mut rd::rd_kafka_consumer_group_metadata_t);

// SAFETY: a copy that nothing changes any more.
unsafe impl Send for GroupMetadata {}
// SAFETY: as above.
unsafe impl Sync for GroupMetadata {}

impl GroupMetadata {
    /// Of a consumer now; `None` where it is not a member: metadata without a generation or a member id would be
    /// accepted by the broker, and fence nobody (PROTOCOL P8).
    pub fn of<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Self> {
        // SAFETY: the handle is the consumer's; the result is ours.
        let metadata = unsafe { rd::rd_kafka_consumer_group_metadata(consumer.client().native_ptr()) };
        let metadata = (!metadata.is_null()).then_some(Self(metadata))?;
        (metadata.generation() >= 0 && !metadata.member().is_empty()).then_some(metadata)
    }

    /// The group's generation.
    pub fn generation(&self) -> i32 {
        // SAFETY: ours, and not null.
        unsafe { rd::rd_kafka_consumer_group_metadata_generation_id(self.0) }
    }

    /// The member's id.
    pub fn member(&self) -> &str {
        // SAFETY: ours, and not null; the text belongs to it.
        unsafe { text(rd::rd_kafka_consumer_group_metadata_member_id(self.0)) }
    }
}

impl Drop for GroupMetadata {
    fn drop(&mut self) {
        // SAFETY: ours, and not used again.
        unsafe { rd::rd_kafka_consumer_group_metadata_destroy(self.0) };
    }
}

/// What the broker answered for a record.
#[derive(Debug)]
pub struct Report<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition.
    pub partition: u32,
    /// Why it was not taken.
    pub error: Option<RDKafkaErrorCode>,
    /// The broker's time of it, milliseconds since 1970, where topics carry that.
    pub appended: Option<i64>,
}

/// Waits for delivery reports, at most so long for the first, and tells all that have come. The binding's own poll stays
/// for its whole time-out, and spins through the last millisecond of it.
pub fn reports<C: ProducerContext>(producer: &BaseProducer<C>, wait: Duration, told: &mut dyn FnMut(Report<'_>)) {
    let mut wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client outlives this call; queue and events are ours, and destroyed once.
    unsafe {
        let queue = rd::rd_kafka_queue_get_main(producer.client().native_ptr());
        loop {
            let event = rd::rd_kafka_queue_poll(queue, wait);
            if event.is_null() {
                break;
            }
            if rd::rd_kafka_event_type(event) == rd::RD_KAFKA_EVENT_LOG {
                log(event);
            }
            loop {
                // Events without messages have none.
                let message = rd::rd_kafka_event_message_next(event);
                if message.is_null() {
                    break;
                }
                told(report(message));
            }
            rd::rd_kafka_event_destroy(event);
            wait = 0;
        }
        rd::rd_kafka_queue_destroy(queue);
    }
}

/// # Safety
/// The message is valid for as long as the result is used.
unsafe fn report<'a>(message: *const rd::rd_kafka_message_t) -> Report<'a> {
    // SAFETY: as the caller says; its topic belongs to it.
    unsafe {
        let raw = &*message;
        let topic = if raw.rkt.is_null() { "" } else { text(rd::rd_kafka_topic_name(raw.rkt)) };
        let partition = u32::try_from(raw.partition).unwrap_or(0);
        let error = (raw.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| raw.err.into());
        let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        let timestamp = rd::rd_kafka_message_timestamp(message, &mut kind);
        let by_broker = kind == rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
        Report { topic, partition, error, appended: by_broker.then_some(timestamp) }
    }
}

/// # Safety
/// The event is valid, and one of a log line.
unsafe fn log(event: *mut rd::rd_kafka_event_t) {
    let (mut facility, mut line, mut level) = (ptr::null(), ptr::null(), 0);
    // SAFETY: as the caller says; the texts belong to the event.
    unsafe {
        if rd::rd_kafka_event_log(event, &mut facility, &mut line, &mut level) == 0 {
            // The numbers are syslog's.
            let level = match level {
                ..=2 => RDKafkaLogLevel::Critical,
                3 | 4 => RDKafkaLogLevel::Error,
                _ => RDKafkaLogLevel::Debug,
            };
            super::client::log(level, text(facility), text(line));
        }
    }
}

/// Puts offsets into a producer's transaction.
///
/// # Errors
/// What the broker says: the transaction must be aborted, or the producer is fenced.
pub fn send_offsets<C: ProducerContext>(
    producer: &BaseProducer<C>,
    offsets: &TopicPartitionList,
    metadata: &GroupMetadata,
    wait: Duration,
) -> Result<(), TransactionError> {
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: all three live until the call is over; the error is ours, read and destroyed once.
    unsafe {
        let client = producer.client().native_ptr();
        let error = rd::rd_kafka_send_offsets_to_transaction(client, offsets.ptr(), metadata.0, wait);
        if error.is_null() {
            return Ok(());
        }
        let taken = TransactionError {
            call: "send_offsets",
            name: text(rd::rd_kafka_error_name(error)).to_owned(),
            detail: text(rd::rd_kafka_error_string(error)).to_owned(),
            is_fatal: rd::rd_kafka_error_is_fatal(error) != 0,
            needs_abort: rd::rd_kafka_error_txn_requires_abort(error) != 0,
            is_retriable: rd::rd_kafka_error_is_retriable(error) != 0,
        };
        rd::rd_kafka_error_destroy(error);
        Err(taken)
    }
}
