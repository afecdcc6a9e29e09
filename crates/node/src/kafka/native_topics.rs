//! What the binding of librdkafka does not offer: topics with their ids.
#![expect(unsafe_code, reason = "calls into librdkafka, each with handles that live until the call is over")]

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::client::Client;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;

/// A topic as the cluster has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DescribedTopic {
    /// Its name.
    pub name: String,
    /// Its id, which another topic of the same name does not have.
    pub id: String,
    /// Its partitions.
    pub partitions: u32,
    /// Copies of the partition that has fewest.
    pub replicas: u16,
}

/// What the cluster says of topics with these names; of those that do not exist, nothing. Makes none.
///
/// # Errors
/// What the client or a broker says.
pub fn describe_topics(client: &Client, names: &[String], wait: Duration) -> KafkaResult<Vec<DescribedTopic>> {
    let names = names.iter().map(|name| CString::new(name.as_str())).collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: names live until the collection has copied them; queue, collection and event are ours, and destroyed once,
    // the event after everything was read out of it.
    unsafe {
        let handle = client.native_ptr();
        let queue = rd::rd_kafka_queue_new(handle);
        let topics = rd::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        rd::rd_kafka_DescribeTopics(handle, topics, ptr::null(), queue);
        let event = rd::rd_kafka_queue_poll(queue, wait);
        let described = described(event);
        if !event.is_null() {
            rd::rd_kafka_event_destroy(event);
        }
        rd::rd_kafka_TopicCollection_destroy(topics);
        rd::rd_kafka_queue_destroy(queue);
        described
    }
}

/// # Safety
/// The event is null or valid.
unsafe fn described(event: *mut rd::rd_kafka_event_t) -> KafkaResult<Vec<DescribedTopic>> {
    if event.is_null() {
        return Err(KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut));
    }
    // SAFETY: valid, as the caller says; what it holds belongs to it.
    unsafe {
        let error = rd::rd_kafka_event_error(event);
        if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(KafkaError::AdminOp(error.into()));
        }
        let mut count = 0;
        let topics =
            rd::rd_kafka_DescribeTopics_result_topics(rd::rd_kafka_event_DescribeTopics_result(event), &mut count);
        let topics = (0..count).map(|at| topic(*topics.add(at)));
        topics.filter_map(Result::transpose).collect()
    }
}

/// `None`: there is no such topic.
///
/// # Safety
/// The description is valid.
unsafe fn topic(description: *const rd::rd_kafka_TopicDescription_t) -> KafkaResult<Option<DescribedTopic>> {
    // SAFETY: valid, as the caller says; what it holds belongs to it.
    unsafe {
        let error = rd::rd_kafka_TopicDescription_error(description);
        let code = if error.is_null() { RDKafkaErrorCode::NoError } else { rd::rd_kafka_error_code(error).into() };
        match code {
            RDKafkaErrorCode::NoError => {}
            RDKafkaErrorCode::UnknownTopicOrPartition => return Ok(None),
            code => return Err(KafkaError::AdminOp(code)),
        }
        let mut count = 0;
        let partitions = rd::rd_kafka_TopicDescription_partitions(description, &mut count);
        let replicas = |at| {
            let mut replicas = 0;
            rd::rd_kafka_TopicPartitionInfo_replicas(*partitions.add(at), &mut replicas);
            u16::try_from(replicas).unwrap_or(u16::MAX)
        };
        Ok(Some(DescribedTopic {
            name: text(rd::rd_kafka_TopicDescription_name(description)).to_owned(),
            id: text(rd::rd_kafka_Uuid_base64str(rd::rd_kafka_TopicDescription_topic_id(description))).to_owned(),
            partitions: u32::try_from(count).unwrap_or(u32::MAX),
            replicas: (0..count).map(replicas).min().unwrap_or(0),
        }))
    }
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
